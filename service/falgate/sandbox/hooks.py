"""Completion hooks: how a request has ended, told to the address that its submit named, signed."""

import asyncio
import hashlib
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pybase64
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from falgate.core.model import ModelSpec
from falgate.sandbox import outcome
from falgate.sandbox.record import Record, life
from falgate.sandbox.records import Records

_USER = "sandbox"
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_TIMEOUT_S = 15.0
_LOOK_S = 1.0


class Hooks:
    """Delivers hooks in the background, each a few times until it is taken."""

    def __init__(
        self, records: Records, models: Mapping[str, ModelSpec], key_file: Path | None
    ) -> None:
        """Sign with the key in this file, which other processes have too; or with one of its own.

        Args:
            records: Where a request is read again before its end is told: it may be cancelled.
            models: By endpoint.
            key_file: None for a key in memory.
        """
        self._records = records
        self._models = models
        self._key = _key(key_file)
        self._under_way: set[asyncio.Task[None]] = set()

    def key_set(self) -> dict[str, Any]:
        """The public key, as fal publishes its own."""
        public = pybase64.urlsafe_b64encode(self._key.public_key().public_bytes_raw())
        key = {"kty": "OKP", "crv": "Ed25519", "kid": _USER, "x": public.decode().rstrip("=")}
        return {"keys": [key]}

    def expect(self, record: Record, base_url: str) -> None:
        """Tell how a request ends, once it has; `base_url` begins the URLs of its pictures."""
        times = record.dials.hooks
        if record.webhook is None or not times:
            return
        task = asyncio.create_task(self._tell(record, base_url))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Tell nobody any more."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _tell(self, record: Record, base_url: str) -> None:
        while (left_s := life(record).ends_s - time.time()) > 0:
            await asyncio.sleep(min(left_s, _LOOK_S))
            record = self._records.get(record.id) or record
        assert record.webhook is not None
        body = await asyncio.to_thread(self._payload, record, base_url)
        async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
            for _ in range(record.dials.hooks):
                await self._deliver(client, record, body)

    async def _deliver(self, client: httpx.AsyncClient, record: Record, body: bytes) -> None:
        for pause_s in _PAUSES_S:
            try:
                reply = await client.post(
                    record.webhook or "", content=body, headers=self._headers(record.id, body)
                )
            except (httpx.HTTPError, httpx.InvalidURL, OSError):
                reply = None
            if reply is not None and reply.is_success:
                return
            await asyncio.sleep(pause_s)

    def _payload(self, record: Record, base_url: str) -> bytes:
        answer = outcome.result(record, self._models[record.endpoint], base_url)
        told = msgspec.json.decode(answer.body)
        payload = {
            "request_id": record.id,
            "gateway_request_id": record.id,
            "status": "OK" if answer.status == httpx.codes.OK else "ERROR",
            "payload": told,
        }
        if answer.status != httpx.codes.OK:
            payload["error"] = f"Invalid status code: {answer.status}"
        return msgspec.json.encode(payload)

    def _headers(self, request_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(math.floor(time.time()))
        signed = (request_id, _USER, timestamp, hashlib.sha256(body).hexdigest())
        return {
            "content-type": "application/json",
            "x-fal-webhook-request-id": request_id,
            "x-fal-webhook-user-id": _USER,
            "x-fal-webhook-timestamp": timestamp,
            "x-fal-webhook-signature": self._key.sign("\n".join(signed).encode()).hex(),
        }


def _key(file: Path | None) -> Ed25519PrivateKey:
    if file is None:
        return Ed25519PrivateKey.generate()
    made = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        return Ed25519PrivateKey.from_private_bytes(file.read_bytes())
    except FileNotFoundError:
        made.touch(mode=0o600)
        made.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    try:
        # Whole at once, and whoever is first: a process beside this one has the same key.
        os.link(made, file)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return Ed25519PrivateKey.from_private_bytes(file.read_bytes())
