"""The clients of the upstreams: each one's queue, and fal's platform API and webhook keys."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from falgate import settings as setting
from falgate.accounts.apikey import Kind
from falgate.fal.client import FAL_MEDIA, FalQueue
from falgate.fal.documents import FalDocuments
from falgate.fal.platform import FalPlatform
from falgate.fal.signatures import Signatures
from falgate.fal.storage import FAL_STORAGE, FalStorage
from falgate.first_start import TEST
from falgate.jobs import callback_url
from falgate.models.spec import ModelSpec
from falgate.private import make_folder
from falgate.settings import FAL_QUEUE, Settings
from falgate.telemetry.troubles import Troubles

_QUEUE, _PLATFORM, _KEYS = (
    f"http://queue.sandbox{path}" for path in ("", "/v1", "/.well-known/jwks.json")
)
_KEY = "falgate:sandbox"

Hook = Callable[[str], str]
"""Returns the address of the completion webhook of a job."""


class Upstreams(msgspec.Struct, frozen=True):
    """All clients of the upstreams.

    Attributes:
        queues: By the kind of key that buys there.
        platform: fal's platform API for the upstream of live keys, if it may be read.
        storages: Where input pictures are uploaded, by the name of the upstream.
        billing: Whether its billing may be read too, so that the ledger is reconciled with it.
        signatures: Verifies its completion webhooks; None if fal cannot reach this gateway.
        documents: fal's OpenAPI documents; None if the sandbox stands in for fal.
    """

    queues: Mapping[Kind, FalQueue]
    platform: FalPlatform | None
    storages: Mapping[str, FalStorage]
    billing: bool
    signatures: Signatures | None
    documents: FalDocuments | None = None

    @property
    def live(self) -> str:
        """Return the name of the upstream of live keys."""
        return self.queues["live"].name

    @property
    def names(self) -> dict[Kind, str]:
        """Return the name of the upstream, and so of the ledger, for each kind of key."""
        return {kind: queue.name for kind, queue in self.queues.items()}

    async def close(self) -> None:
        """Close the connections."""
        for each in (*self.queues.values(), self.platform, self.signatures, self.documents):
            if each is not None:
                await each.close()


class _Sandbox(httpx.AsyncBaseTransport):
    """The sandbox in this process, built by the first request: many gateways never need it."""

    def __init__(
        self, models: Mapping[str, ModelSpec], directory: Path | None, work_s: float
    ) -> None:
        if directory is not None:
            make_folder(directory)  # a start tells if that is impossible
        self._models = models
        self._directory = directory
        self._work_s = work_s
        self._building = asyncio.Lock()
        self._built: httpx.ASGITransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the sandbox answer."""
        async with self._building:
            if self._built is None:
                self._built = await asyncio.to_thread(self._build)
        return await self._built.handle_async_request(request)

    def _build(self) -> httpx.ASGITransport:
        from falgate.sandbox.app import create_sandbox  # noqa: PLC0415 - when it is needed
        from falgate.sandbox.behaviour import Behaviour  # noqa: PLC0415 - when it is needed

        behaviour = Behaviour(work_s=self._work_s)
        app: Any = create_sandbox(self._models, directory=self._directory, behaviour=behaviour)
        return httpx.ASGITransport(app)


def open_upstreams(
    settings: Settings, models: Mapping[str, ModelSpec], secret: bytes, troubles: Troubles
) -> Upstreams:
    """Build the clients.

    Args:
        settings: The settings.
        models: What the sandbox sells.
        secret: Makes the addresses of completion webhooks.
        troubles: Notes which upstreams cannot be reached.
    """
    # An instance without state on disk keeps the sandbox's records in memory.
    stateless = settings.redis_url and settings.media_url
    directory = None if stateless else Path(settings.data_dir) / "sandbox"
    sandbox = _Sandbox(models, directory, settings.sandbox_work_s)

    def address(job_id: str) -> str:
        return callback_url.address(settings.public_url, secret, job_id)

    hook = address if settings.public_url else None
    test = _in_process(TEST, sandbox)
    storage = FalStorage(_QUEUE, _KEY, transport=sandbox)
    if settings.uses_sandbox:
        return Upstreams(
            {"live": _in_process(setting.SANDBOX, sandbox, hook=hook), "test": test},
            FalPlatform(_PLATFORM, _KEY, transport=sandbox),
            {setting.SANDBOX: storage, TEST: storage},
            # The sandbox's records live no longer than its process, and its money is not real.
            billing=False,
            signatures=(Signatures(_KEYS, transport=sandbox) if hook else None),
        )
    is_fal = settings.upstream_url.rstrip("/").lower() == FAL_QUEUE
    if is_fal and not settings.public_url.startswith("https://"):
        # fal reaches only https addresses, and might refuse a submit that has another one.
        hook = None
    live = _live(settings, troubles, hook, is_fal=is_fal)
    return Upstreams(
        {"live": live, "test": test},
        _platform(settings, troubles, is_fal=is_fal),
        {live.name: _storage(settings, troubles, is_fal=is_fal), TEST: storage},
        billing=bool(settings.fal_admin_key),
        signatures=(
            Signatures(settings.upstream_jwks_url, troubled=troubles.noter("fal_keys"))
            if hook
            else None
        ),
        documents=FalDocuments(settings.openapi_url),
    )


def _in_process(name: str, sandbox: _Sandbox, hook: Hook | None = None) -> FalQueue:
    """Return the client of the sandbox in this process."""
    return FalQueue(name, _QUEUE, key=_KEY, transport=sandbox, hook=hook)


def _live(settings: Settings, troubles: Troubles, hook: Hook | None, *, is_fal: bool) -> FalQueue:
    """Return the client of fal's queue, or of another that speaks its protocol."""
    hosts = setting.names(settings.upstream_media_hosts)
    return FalQueue(
        "fal" if is_fal else settings.upstream_url.rstrip("/").lower(),
        settings.upstream_url,
        key=settings.fal_key,
        media_domains=(*(FAL_MEDIA if is_fal else ()), *hosts),
        start_timeout_s=settings.upstream_start_timeout_s,
        hook=hook,
        troubled=troubles.noter("fal"),
        workers=settings.workers,
    )


def _storage(settings: Settings, troubles: Troubles, *, is_fal: bool) -> FalStorage:
    """Return the client of the live upstream's storage."""
    # The key of another server must not be sent to fal.
    usual = FAL_STORAGE if is_fal else settings.upstream_url.rstrip("/").removesuffix("/queue")
    url = settings.upstream_storage_url or usual
    return FalStorage(url, settings.fal_key, troubled=troubles.noter("fal_storage"))


def _platform(settings: Settings, troubles: Troubles, *, is_fal: bool) -> FalPlatform | None:
    """Return the client of fal's platform API, if there is a key for it."""
    # The key of another server must not be sent to fal.
    key = settings.fal_admin_key or (settings.fal_key if is_fal else "")
    if not key:
        return None
    return FalPlatform(settings.platform_url, key, troubled=troubles.noter("fal_platform"))
