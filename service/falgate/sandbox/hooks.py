"""Signed completion callbacks to the URLs named at the submit."""

import asyncio
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from falgate.models.spec import ModelSpec
from falgate.sandbox import outcome
from falgate.sandbox.record import Record, life
from falgate.sandbox.records import Records
from falgate.webhooks.delivery import RequestOutcome, Signer, body

_USER = "sandbox"
_SEED_BYTES = 32
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_TIMEOUT_S = 15.0
_LOOK_S = 1.0


class Hooks:
    """Sends callbacks in the background, with a few retries."""

    def __init__(
        self, records: Records, models: Mapping[str, ModelSpec], key_file: Path | None
    ) -> None:
        """Sign with the key in `key_file`, which other processes share.

        Args:
            records: Read again before a callback is sent, because a request may be cancelled.
            models: By endpoint.
            key_file: None for a key in memory.
        """
        self._records = records
        self._models = models
        self._signer = Signer(_seed(key_file), _USER)
        self._under_way: set[asyncio.Task[None]] = set()

    def key_set(self) -> dict[str, Any]:
        """Return the public key in the form in which fal publishes its own."""
        return self._signer.key_set()

    def expect(self, record: Record, base_url: str) -> None:
        """Send the request's callbacks after its end; `base_url` begins its picture URLs."""
        times = record.behaviour.hooks
        if record.webhook is None or not times:
            return
        task = asyncio.create_task(self._tell(record, base_url))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Cancel all pending callbacks."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _tell(self, record: Record, base_url: str) -> None:
        while (left_s := life(record).ends_s - time.time()) > 0:
            await asyncio.sleep(min(left_s, _LOOK_S))
            record = self._records.get(record.id) or record
        assert record.webhook is not None
        sent = await asyncio.to_thread(self._payload, record, base_url)
        async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
            for _ in range(record.behaviour.hooks):
                await self._deliver(client, record, sent)

    async def _deliver(self, client: httpx.AsyncClient, record: Record, sent: bytes) -> None:
        for pause_s in _PAUSES_S:
            try:
                headers = self._signer.headers(record.id, sent, math.floor(time.time()))
                reply = await client.post(record.webhook or "", content=sent, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL, OSError):
                reply = None
            if reply is not None and reply.is_success:
                return
            await asyncio.sleep(pause_s)

    def _payload(self, record: Record, base_url: str) -> bytes:
        answer = outcome.result(record, self._models[record.endpoint], base_url)
        ok = answer.status == httpx.codes.OK
        return body(
            RequestOutcome(
                request_id=record.id,
                ok=ok,
                payload=msgspec.json.decode(answer.body),
                error="" if ok else f"Invalid status code: {answer.status}",
            )
        )


def _seed(file: Path | None) -> bytes:
    if file is None:
        return os.urandom(_SEED_BYTES)
    made = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        return file.read_bytes()
    except FileNotFoundError:
        made.touch(mode=0o600)
        made.write_bytes(os.urandom(_SEED_BYTES))
    try:
        # Linking is atomic and fails if the file exists, so concurrent processes get the same key.
        os.link(made, file)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return file.read_bytes()
