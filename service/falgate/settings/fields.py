"""Every `FALGATE_*` variable with its type, unit, default and description."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from falgate.core.calendar import Calendar, Weekday

PREFIX = "FALGATE_"
SANDBOX = "sandbox"
FAL_QUEUE = "https://queue.fal.run"

Seconds = Annotated[int, Meta(gt=0)]


def _about(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the environment variable `FALGATE_<FIELD>`; its name ends in its unit."""

    settings_file: Annotated[
        str, _about("a TOML file with settings: `lease_s = 30`; variables take precedence")
    ] = ""
    listen: Annotated[str, _about("host:port for HTTP; [::] or *: all addresses")] = (
        "127.0.0.1:8080"
    )
    ops_listen: Annotated[
        str,
        _about(
            "host:port for /metrics, /readyz, /docs, /admin, /console; empty: the apps' listener"
        ),
    ] = ""
    tls_listen: Annotated[str, _about("host:port for HTTPS; empty: no HTTPS")] = ""
    tls_cert: Annotated[str, _about("certificate chain, a PEM file")] = ""
    tls_key: Annotated[str, _about("private key of the certificate, a PEM file")] = ""
    workers: Annotated[
        int, Meta(ge=1, le=64), _about("processes that serve, on one core each; limits are shared")
    ] = 1
    public_url: Annotated[
        str, _about("base of picture URLs; empty: the address that the caller used")
    ] = ""
    allowed_hosts: Annotated[
        str, _about("more host names, comma-separated, that picture URLs may have")
    ] = ""
    data_dir: Annotated[
        str, _about("directory of the embedded Redis, pictures on disk and sandbox records")
    ] = ".falgate"
    redis_url: Annotated[
        str, _about("redis://, rediss:// or unix://; empty: embedded in the data directory")
    ] = ""
    ledger_id: Annotated[
        str,
        _about("id of the only ledger to accept; empty: the one noted in the data directory"),
    ] = ""
    redis_timeout_s: Annotated[
        Seconds, _about("deadline of a Redis round trip, including all retries")
    ] = 2
    redis_replicas: Annotated[
        int, Meta(ge=0), _about("replicas that must confirm a hold before the submit")
    ] = 0
    allow_weak_durability: Annotated[
        bool, _about("accept a Redis that may lose its last second in a crash")
    ] = False
    media_url: Annotated[
        str, _about("picture store: file://, s3://, gs://, az://; empty: in the data directory")
    ] = ""
    models_dir: Annotated[
        str, _about("directory of files that describe more models; empty: falgate's own only")
    ] = ""
    upstream_url: Annotated[
        str, _about("a server that speaks fal's queue protocol, or `sandbox`")
    ] = FAL_QUEUE
    sandbox_work_s: Annotated[
        float, Meta(ge=0, le=600), _about("time that the sandbox takes for each request")
    ] = 0.3
    upstream_media_hosts: Annotated[
        str, _about("more domains, comma-separated, to fetch the upstream's pictures from")
    ] = ""
    upstream_start_timeout_s: Annotated[
        Seconds, _about("maximum time of a request in fal's queue")
    ] = 600
    upstream_concurrency: Annotated[
        int, Meta(ge=0), _about("purchases at fal at once; fal accounts allow 2 to 40; 0: no limit")
    ] = 0
    upstream_storage_url: Annotated[
        str,
        _about("where input pictures are uploaded; empty: https://rest.fal.ai; else the upstream"),
    ] = ""
    upstream_jwks_url: Annotated[
        str, _about("URL of the public keys that verify fal's callbacks")
    ] = "https://rest.fal.ai/.well-known/jwks.json"
    platform_url: Annotated[str, _about("fal's platform API, for request lists and billing")] = (
        "https://api.fal.ai/v1"
    )
    openapi_url: Annotated[
        str, _about("fal's OpenAPI documents, with which described models are compared")
    ] = "https://fal.ai/api/openapi/queue/openapi.json"
    fal_key: Annotated[str, _about("fal's credential; FAL_KEY works as well")] = ""
    fal_admin_key: Annotated[
        str, _about("a fal key that may read billing; empty: no reconciliation")
    ] = ""
    fal_user_id: Annotated[
        str, _about("fal user whose callbacks are accepted; empty: that of the first callback")
    ] = ""
    admin_key: Annotated[str, _about("the first admin's key; empty: the admin API is closed")] = ""
    console: Annotated[bool, _about("serve the console, pages for operators, at /console")] = True
    console_links: Annotated[
        bool, _about("let people sign in to the console by links that work once")
    ] = True
    console_idle_s: Annotated[
        Seconds, _about("time after which an unused session of the console ends")
    ] = 3_600
    console_session_s: Annotated[
        Seconds, _about("time after which every session of the console ends")
    ] = 43_200
    oidc_issuer: Annotated[
        str, _about("OpenID provider that signs people in to the console, https://; empty: none")
    ] = ""
    oidc_client_id: Annotated[str, _about("falgate's client id at that provider")] = ""
    oidc_client_secret: Annotated[str, _about("the client's secret")] = ""
    oidc_scopes: Annotated[str, _about("what is asked of the provider, openid among it")] = (
        "openid profile email"
    )
    oidc_groups_claim: Annotated[str, _about("the claim that lists somebody's groups")] = "groups"
    oidc_roles: Annotated[
        str,
        _about("what groups may do: `platform=admin,finance=viewer,web-leads=lead:web`"),
    ] = ""
    oidc_prompts_groups: Annotated[
        str, _about("groups, comma-separated, whose viewers and leads may see prompts")
    ] = ""
    trusted_proxies: Annotated[
        str, _about("addresses or networks, comma-separated, whose X-Forwarded headers count")
    ] = ""
    picture_accel: Annotated[
        str, _about("nginx's internal location, such as /stored; trusted proxies send from there")
    ] = ""
    cors_origins: Annotated[
        str, _about("origins, comma-separated, whose pages may call falgate; `*`: any")
    ] = ""
    timezone: Annotated[str, _about("IANA time zone of the budget windows")] = "UTC"
    week_starts: Annotated[Weekday, _about("first day of the budgets' weeks")] = "monday"
    ledger_kept_days: Annotated[
        int, Meta(ge=40), _about("days until ledger entries are archived in the picture store")
    ] = 90
    alert_url: Annotated[
        str, _about("URL for budget alerts (thresholds, first refusals); empty: none are sent")
    ] = ""
    alert_secret: Annotated[str, _about("secret that signs alerts")] = ""
    webhook_allow_http: Annotated[bool, _about("also allow webhooks to http:// URLs")] = False
    webhook_targets: Annotated[
        str, _about("hosts and networks, comma-separated, for webhooks; empty: any public address")
    ] = ""
    org_daily_usd: Annotated[
        str,
        _about(
            "the organisation's daily budget; each value applies once; at first 10, sandbox 1000"
        ),
    ] = ""
    overage_usd: Annotated[
        str,
        _about("total that fal may bill above the holds; each value applies once; at first 1"),
    ] = ""
    cache_ttl_s: Annotated[Seconds, _about("time for which a picture is served")] = 30 * 86_400
    cache_sliding: Annotated[
        bool, _about("count that time from the picture's last use, not from its purchase")
    ] = False
    derive: Annotated[bool, _about("convert a stored PNG when a JPEG or WebP is requested")] = True
    derived_quality: Annotated[
        int, Meta(ge=1, le=100), _about("quality of converted JPEGs and WebPs")
    ] = 95
    distinct_wait_ms: Annotated[
        int,
        Meta(ge=0, le=10_000),
        _about("delay of answers to apps with distinct requests, so that equal ones overlap"),
    ] = 250
    picture_min_days: Annotated[
        int, Meta(ge=0), _about("minimum number of days that a served picture stays in the store")
    ] = 7
    picture_url_ttl_s: Annotated[
        int,
        Meta(ge=0, le=366 * 86_400),
        _about("validity of signed picture URLs; 0: unsigned URLs that never expire"),
    ] = 0
    picture_bytes_max: Annotated[
        int, Meta(ge=0), _about("total size of all pictures; 0: as much as the store has")
    ] = 0
    input_hosts: Annotated[
        str,
        _about("hosts and networks, comma-separated, to fetch callers' pictures from; `*`: any"),
    ] = "*.fal.media"
    input_bytes_max: Annotated[int, Meta(gt=0), _about("maximum size of an input picture")] = (
        20_000_000
    )
    input_kept_s: Annotated[
        int, Meta(ge=3_600), _about("time for which an input picture is kept after its last use")
    ] = 86_400
    results_kept_s: Annotated[
        Seconds, _about("time for which a queued request can be read after its end")
    ] = 86_400
    body_bytes_max: Annotated[int, Meta(gt=0), _about("maximum size of a request body")] = (
        1024 * 1024
    )
    body_timeout_s: Annotated[Seconds, _about("deadline for receiving a request body")] = 20
    header_timeout_s: Annotated[Seconds, _about("deadline for receiving a request's head")] = 10
    write_timeout_s: Annotated[
        Seconds, _about("time in which a client must read 16 KiB of its response, or it is cut off")
    ] = 20
    idle_timeout_s: Annotated[
        Seconds,
        _about("time for which an idle connection is kept; set it higher than your proxy's"),
    ] = 75
    connections_max: Annotated[
        int, Meta(gt=0), _about("maximum connections; fewer if file descriptors are short")
    ] = 10_000
    connections_per_address_max: Annotated[
        int,
        Meta(ge=0),
        _about("maximum connections per address, trusted proxies excepted; 0: half of all"),
    ] = 0
    run_timeout_s: Annotated[Seconds, _about("maximum time that a caller waits for pictures")] = 600
    unknown_after_s: Annotated[
        Seconds, _about("time until a purchase with an unknown outcome is settled in full")
    ] = 900
    lease_s: Annotated[Seconds, _about("time until the jobs of a dead instance are adopted")] = 30
    drain_s: Annotated[int, Meta(ge=0), _about("time for open requests to finish on shutdown")] = 10
    drain_accept_s: Annotated[
        int,
        Meta(ge=0),
        _about("time on shutdown in which /readyz fails but connections are still accepted"),
    ] = 2
    fast_path: Annotated[
        bool, _about("answer cache hits from memory; nothing but their speed depends on it")
    ] = True
    fast_path_bytes_max: Annotated[
        int, Meta(ge=0), _about("size of the answers kept in memory for that, in each process")
    ] = 64 * 1024 * 1024
    log_hits: Annotated[
        float, Meta(ge=0, le=1), _about("share of cache hits to log; purchases and errors all are")
    ] = 1
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _about("lowest level to log")
    ] = "info"

    def __repr__(self) -> str:
        """Omit the values: some are secrets."""
        return "Settings(...)"

    @property
    def calendar(self) -> Calendar:
        """The organisation's calendar, in which budget windows begin and end."""
        return Calendar(ZoneInfo(self.timezone), self.week_starts)

    @property
    def uses_sandbox(self) -> bool:
        """Whether this process's sandbox serves live keys."""
        return self.upstream_url == SANDBOX
