"""Every `FALGATE_*` variable, typed, with its unit, default and meaning."""

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
    """Each field is `FALGATE_<FIELD>` in the environment; a name ends in its unit."""

    listen: Annotated[str, _about("host:port for http; [::] or *: all addresses")] = (
        "127.0.0.1:8080"
    )
    ops_listen: Annotated[
        str, _about("host:port for /metrics, /readyz, /docs, /admin; empty: where the apps call")
    ] = ""
    tls_listen: Annotated[str, _about("host:port for https; empty: no https")] = ""
    tls_cert: Annotated[str, _about("certificate chain, a PEM file")] = ""
    tls_key: Annotated[str, _about("its private key, a PEM file")] = ""
    public_url: Annotated[
        str, _about("what picture URLs begin with; empty: as the caller addressed falgate")
    ] = ""
    allowed_hosts: Annotated[
        str, _about("further host names, by commas, that picture URLs may begin with")
    ] = ""
    data_dir: Annotated[str, _about("embedded Redis, pictures on disk, the sandbox's books")] = (
        ".falgate"
    )
    redis_url: Annotated[
        str, _about("redis://, rediss:// or unix://; empty: embedded in the data directory")
    ] = ""
    ledger_id: Annotated[
        str,
        _about("refuse any other ledger in Redis; empty: the one that the data directory knows"),
    ] = ""
    redis_timeout_s: Annotated[
        Seconds, _about("how long a trip to Redis may take, with all its retries")
    ] = 2
    redis_replicas: Annotated[
        int, Meta(ge=0), _about("replicas that must have a hold before a submit")
    ] = 0
    allow_weak_durability: Annotated[
        bool, _about("accept a Redis that may forget its last second in a crash")
    ] = False
    media_url: Annotated[
        str, _about("picture store: file://, s3://, gs://, az://; empty: in the data directory")
    ] = ""
    upstream_url: Annotated[
        str, _about("a server that speaks fal's queue protocol, or `sandbox`")
    ] = FAL_QUEUE
    sandbox_work_s: Annotated[
        float, Meta(ge=0, le=600), _about("how long the sandbox works on each request")
    ] = 0.3
    upstream_media_hosts: Annotated[
        str, _about("further domains, by commas, that its pictures may be fetched from")
    ] = ""
    upstream_start_timeout_s: Annotated[
        Seconds, _about("how long a request may wait in fal's queue")
    ] = 600
    upstream_concurrency: Annotated[
        int, Meta(ge=0), _about("purchases that fal works on at once, 2 to 40 by account; 0: any")
    ] = 0
    upstream_jwks_url: Annotated[
        str, _about("where fal publishes the keys that its completion hooks are signed with")
    ] = "https://rest.fal.ai/.well-known/jwks.json"
    platform_url: Annotated[str, _about("fal's platform API, for its lists and its billing")] = (
        "https://api.fal.ai/v1"
    )
    fal_key: Annotated[str, _about("fal's credential; FAL_KEY does as well")] = ""
    fal_admin_key: Annotated[
        str, _about("a key of fal's that may read billing; empty: nothing is reconciled")
    ] = ""
    fal_user_id: Annotated[
        str, _about("whose completion hooks of fal's are believed; empty: learnt from the first")
    ] = ""
    admin_key: Annotated[
        str, _about("the operator's key; empty: the administration API is closed")
    ] = ""
    trusted_proxies: Annotated[
        str, _about("addresses or networks, by commas, whose X-Forwarded headers are believed")
    ] = ""
    cors_origins: Annotated[
        str, _about("origins, by commas, whose pages may call falgate in a browser; `*`: any")
    ] = ""
    timezone: Annotated[str, _about("IANA zone of the budgets' windows")] = "UTC"
    week_starts: Annotated[Weekday, _about("first day of the budgets' weeks")] = "monday"
    ledger_kept_days: Annotated[
        int, Meta(ge=40), _about("entries of the ledger go to the picture store after so many days")
    ] = 90
    alert_url: Annotated[
        str, _about("where alerts of budgets are sent (thresholds, first refusals); empty: nowhere")
    ] = ""
    alert_secret: Annotated[str, _about("what such a message is signed with")] = ""
    webhook_allow_http: Annotated[bool, _about("webhooks may also go to http://")] = False
    webhook_targets: Annotated[
        str, _about("names and networks, by commas, that webhooks may go to; empty: all in public")
    ] = ""
    org_daily_usd: Annotated[
        str,
        _about(
            "organisation's budget a day; a new value is applied once; at first 10, sandbox 1000"
        ),
    ] = ""
    house_usd: Annotated[
        str,
        _about("what fal may bill above the holds; a new value is applied once; at first 1"),
    ] = ""
    cache_ttl_s: Annotated[Seconds, _about("how long a picture is handed out")] = 30 * 86_400
    cache_sliding: Annotated[
        bool, _about("count that from when it was handed out last, not from when it was made")
    ] = False
    derive: Annotated[bool, _about("make a JPEG or WebP that is wanted of a PNG that is there")] = (
        True
    )
    derived_quality: Annotated[
        int, Meta(ge=1, le=100), _about("quality of what is made so, for both formats")
    ] = 95
    distinct_wait_ms: Annotated[
        int,
        Meta(ge=0, le=10_000),
        _about("answers of apps whose equal requests are distinct take so long, in order to meet"),
    ] = 250
    picture_min_days: Annotated[
        int, Meta(ge=0), _about("a picture handed out stays in the store for at least so many days")
    ] = 7
    picture_url_ttl_s: Annotated[
        int,
        Meta(ge=0, le=366 * 86_400),
        _about("URLs of pictures are signed, and good for so long; 0: plain, and for ever"),
    ] = 0
    picture_bytes_max: Annotated[
        int, Meta(ge=0), _about("room for pictures; 0: as much as the store has")
    ] = 0
    results_kept_s: Annotated[
        Seconds, _about("how long a queued request can be looked at after its end")
    ] = 86_400
    body_bytes_max: Annotated[int, Meta(gt=0), _about("largest request body")] = 1024 * 1024
    body_timeout_s: Annotated[Seconds, _about("how long a request body may take")] = 20
    header_timeout_s: Annotated[Seconds, _about("how long a request's head may take")] = 10
    write_timeout_s: Annotated[
        Seconds, _about("a client takes 16 KiB of its answer in this time, or is cut")
    ] = 20
    idle_timeout_s: Annotated[
        Seconds,
        _about("how long a connection is kept between two requests; longer than proxies do"),
    ] = 75
    connections_max: Annotated[
        int, Meta(gt=0), _about("connections at once; fewer where the descriptors do not suffice")
    ] = 10_000
    connections_per_address_max: Annotated[
        int,
        Meta(ge=0),
        _about("connections of one address, but a trusted proxy's; 0: half of all"),
    ] = 0
    run_timeout_s: Annotated[Seconds, _about("how long a caller waits for pictures")] = 600
    unknown_after_s: Annotated[
        Seconds, _about("a purchase whose outcome nobody knows is settled in full after this")
    ] = 900
    lease_s: Annotated[Seconds, _about("a job is adopted so long after its instance died")] = 30
    drain_s: Annotated[int, Meta(ge=0), _about("how long a stop waits for what is under way")] = 10
    drain_accept_s: Annotated[
        int,
        Meta(ge=0),
        _about("how long a stop still accepts while /readyz fails; as balancers need to see it"),
    ] = 2
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _about("least to log")] = (
        "info"
    )

    def __repr__(self) -> str:
        """Without the values: some are secrets."""
        return "Settings(...)"

    @property
    def calendar(self) -> Calendar:
        """How the organisation counts time."""
        return Calendar(ZoneInfo(self.timezone), self.week_starts)

    @property
    def uses_sandbox(self) -> bool:
        """Whether live keys are served by the sandbox in this process."""
        return self.upstream_url == SANDBOX
