"""requests, httpx or aiohttp with their defaults: makes the calls that stdin asks for."""

import asyncio
import base64
import sys
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import requests

Answer = tuple[int, str, bytes]
CALL_S = 30


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Key {key}", "Content-Type": "application/json"}


class _Requests:
    def __init__(self) -> None:
        self._session = requests.Session()

    def ask(self, method: str, url: str, key: str, body: bytes | None) -> Answer:
        answer = self._session.request(
            method, url, data=body, headers=_headers(key), timeout=CALL_S
        )
        return answer.status_code, answer.headers.get("x-falgate-cache", ""), answer.content


class _Httpx:
    def __init__(self) -> None:
        self._client = httpx.Client(timeout=CALL_S)

    def ask(self, method: str, url: str, key: str, body: bytes | None) -> Answer:
        answer = self._client.request(method, url, content=body, headers=_headers(key))
        return answer.status_code, answer.headers.get("x-falgate-cache", ""), answer.content


class _Aiohttp:
    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._session: Any = None

    def ask(self, method: str, url: str, key: str, body: bytes | None) -> Answer:
        return self._runner.run(self._ask(method, url, key, body))

    async def _ask(self, method: str, url: str, key: str, body: bytes | None) -> Answer:
        self._session = self._session or aiohttp.ClientSession()
        asked = self._session.request(method, url, data=body, headers=_headers(key))
        async with asked as answer:
            return answer.status, answer.headers.get("x-falgate-cache", ""), await answer.read()


def main(name: str) -> None:
    """Make the calls."""
    clients: dict[str, Any] = {"requests": _Requests, "httpx": _Httpx, "aiohttp": _Aiohttp}
    client = clients[name]()
    for line in sys.stdin:
        method, url, key, file = line.rstrip("\n").split("\t")
        try:
            body = Path(file).read_bytes() if file else None
            status, cache, said = client.ask(method, url, key, body)
        except (OSError, httpx.HTTPError, aiohttp.ClientError) as error:
            status, cache, said = "error", "", repr(error).encode()
        sys.stdout.write(f"{status}\t{cache}\t{base64.b64encode(said).decode()}\n")
        sys.stdout.flush()


main(sys.argv[1])
