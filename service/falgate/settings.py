"""Settings: every `FALGATE_*` variable, typed, with its unit, default and meaning."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

PREFIX = "FALGATE_"

Seconds = Annotated[int, Meta(gt=0)]


def _about(text: str, *, secret: bool = False) -> Meta:
    return Meta(description=text, extra={"secret": secret})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is `FALGATE_<FIELD>` in the environment; a name ends in its unit."""

    listen: Annotated[str, _about("host:port for http")] = "127.0.0.1:8080"
    tls_listen: Annotated[str, _about("host:port for https; empty: no https")] = ""
    tls_cert: Annotated[Path | None, _about("certificate chain, PEM")] = None
    tls_key: Annotated[Path | None, _about("its private key, PEM")] = None
    public_url: Annotated[
        str, _about("what picture URLs begin with; empty: as the caller addressed falgate")
    ] = ""
    allowed_hosts: Annotated[
        str, _about("further host names, by commas, that picture URLs may begin with")
    ] = ""
    data_dir: Annotated[Path, _about("embedded Redis, pictures on disk, the sandbox")] = Path(
        ".falgate"
    )
    redis_url: Annotated[
        str, _about("redis://, rediss:// or unix://; empty: embedded in the data directory")
    ] = ""
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
    ] = "https://queue.fal.run"
    upstream_media_hosts: Annotated[
        str, _about("further domains, by commas, that its pictures may be fetched from")
    ] = ""
    upstream_start_timeout_s: Annotated[
        Seconds, _about("how long a request may wait in fal's queue")
    ] = 600
    fal_key: Annotated[str, _about("fal's credential; FAL_KEY does as well", secret=True)] = ""
    admin_key: Annotated[str, _about("the operator's key", secret=True)] = ""
    timezone: Annotated[str, _about("IANA zone of the budgets' days")] = "UTC"
    org_daily_usd: Annotated[
        str | None,
        _about("organisation's budget a day; unset: as it was, at first 10, sandbox 1000"),
    ] = None
    house_usd: Annotated[
        str | None, _about("what fal may bill above the holds; unset: as it was, at first 1")
    ] = None
    cache_ttl_s: Annotated[Seconds, _about("how long a pool is kept after its last purchase")] = (
        30 * 86_400
    )
    body_bytes_max: Annotated[int, Meta(gt=0), _about("largest request body")] = 1024 * 1024
    body_timeout_s: Annotated[Seconds, _about("how long a request body may take")] = 20
    header_timeout_s: Annotated[Seconds, _about("how long request headers may take")] = 10
    run_timeout_s: Annotated[Seconds, _about("how long a caller waits for pictures")] = 600
    unknown_after_s: Annotated[
        Seconds, _about("an unknown outcome is settled in full after this")
    ] = 900
    lease_s: Annotated[Seconds, _about("a job whose instance died is adopted after this")] = 30
    drain_s: Annotated[int, Meta(ge=0), _about("how long a stop waits for requests")] = 10
    log_level: Annotated[str, _about("debug, info, warning or error")] = "info"
