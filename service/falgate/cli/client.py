"""The client of the admin API: over HTTP where a gateway is named, else in this process."""

import asyncio
import getpass
import os
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial, wraps
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import click
import httpx

from falgate import private, settings
from falgate.cli.options import (
    all_columns,
    as_json,
    given_url,
    previewing,
    through,
    wants_json,
    wants_preview,
)
from falgate.cli.output import say
from falgate.core.problems import Invalid, Problem

_PREFIX = "/admin/v1"
_PAGE = 500
_CONNECT_S, _ANSWER_S, _BUY_S = 5.0, 60.0, 700.0
_DOTS = {".": "%2E", "..": "%2E%2E"}
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_WRONG_KEY = frozenset({401, 403})
_ACTOR_MAX = 64


class Api:
    """Sends requests to the admin API; each refusal of it is a `Problem` with its own words.

    A path is given in parts, each of which is quoted; what is given by name is the query. It is
    opened by the first request, so that a command can refuse its arguments before.
    """

    def __init__(
        self,
        runner: asyncio.Runner,
        enter: Callable[[], Coroutine[Any, Any, httpx.AsyncClient]],
        url: str,
    ) -> None:
        """Ask by the client of `enter` in the loop of `runner`; `url` is "" in this process."""
        self._runner = runner
        self._enter = enter
        self._client: httpx.AsyncClient | None = None
        self._url = url

    def get(self, *path: str, **query: Any) -> Any:
        """Read something."""
        return self._asked("GET", path, query)

    def text(self, *path: str, **query: Any) -> str:
        """Read something that is no JSON."""
        return self._answer("GET", path, query).text

    def post(self, *path: str, body: Any = None, **query: Any) -> Any:
        """Make something, or have something done."""
        return self._asked("POST", path, query, body)

    def put(self, *path: str, body: Any, **query: Any) -> Any:
        """Set something."""
        return self._asked("PUT", path, query, body)

    def patch(self, *path: str, body: Any, **query: Any) -> Any:
        """Change a part of something."""
        return self._asked("PATCH", path, query, body)

    def delete(self, *path: str, **query: Any) -> None:
        """Remove something."""
        self._answer("DELETE", path, query)

    def items(self, *path: str, number: int | None = None, **query: Any) -> list[Any]:
        """The items of a list, from as many pages as it takes; at most `number` of them."""
        return list(islice(self.each(*path, page=min(_PAGE, number or _PAGE), **query), number))

    def each(self, *path: str, page: int = _PAGE, **query: Any) -> Iterator[Any]:
        """Every item of a list, of which no more than a page is in memory."""
        cursor = ""
        while True:
            found = self.get(*path, limit=page, cursor=cursor, **query)
            yield from found["items"]
            cursor = found["next_cursor"]
            if not cursor:
                return

    def listening(self) -> str:
        """Where the gateway of the settings here listens for its operators."""
        return str(_here().listening())

    def _asked(self, method: str, path: tuple[str, ...], query: Any, body: Any = None) -> Any:
        answer = self._answer(method, path, query, body)
        try:
            return answer.json()
        except ValueError:
            raise Problem(_strange(self._url, answer)) from None

    def _answer(
        self, method: str, path: tuple[str, ...], query: dict[str, Any], body: Any = None
    ) -> httpx.Response:
        if self._client is None:
            self._client = self._runner.run(self._enter())
        if not all(path):
            raise Invalid("A name has at least one character")
        parts = (_DOTS.get(part) or quote(part, safe=":") for part in path)
        params = {name: value for name, value in query.items() if value is not None}
        if wants_preview() and method != "GET":
            params["preview"] = "true"
        request = self._client.build_request(
            method, f"{_PREFIX}/{'/'.join(parts)}", params=params, json=body
        )
        try:
            answer = self._runner.run(self._client.send(request))
        except httpx.HTTPError as error:
            raise Problem(
                f"no gateway answers at {self._url} ({type(error).__name__}): start it, or set "
                "FALGATE_URL to the address of one that runs"
            ) from None
        if answer.is_success:
            if wants_preview() and method != "GET":
                _tell(answer.json())
            return answer
        raise Problem(_refusal(self._url, answer))


def operator(
    *, table: bool = False, pictures: bool = False, running: bool = False, changes: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command that asks the admin API: it is called with an `Api` and has its options.

    Args:
        table: The command prints a table.
        pictures: As for `admin_api`, like the next one.
        running: Likewise.
        changes: The command changes records, and has a preview.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def asking(**given: Any) -> None:
            with admin_api(pictures=pictures, running=running) as api:
                command(api, **given)

        options = previewing(asking) if changes else asking
        return as_json(through(all_columns(options) if table else options))

    return decorate


lister = partial(operator, table=True)
changer = partial(operator, changes=True)


@contextmanager
def admin_api(*, pictures: bool = False, running: bool = False) -> Iterator[Api]:
    """The admin API of the gateway that `--url` or FALGATE_URL names, else of the settings here.

    Args:
        pictures: The command is about pictures, so that their store is opened too.
        running: Only a gateway that runs can do it: without a URL, that of the settings here.

    Raises:
        Problem, SettingsWrong, RedisUnfit, EmbeddedFailed, Unavailable: It cannot be asked.
    """
    url = given_url().rstrip("/")
    if running and not url:
        url = _here().listening()

    def open_client() -> AbstractAsyncContextManager[httpx.AsyncClient]:
        if url:
            return _remote(url, _BUY_S if running else _ANSWER_S)
        # Loaded only here: a gateway elsewhere is asked without a web framework and Redis.
        found: AbstractAsyncContextManager[httpx.AsyncClient] = _here().in_process(
            headers=_headers(), pictures=pictures
        )
        return found

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield Api(runner, lambda: stack.enter_async_context(open_client()), url)
        finally:
            runner.run(stack.aclose())


def _here() -> Any:
    return import_module("falgate.cli.in_process")


@asynccontextmanager
async def _remote(url: str, answer_s: float) -> AsyncIterator[httpx.AsyncClient]:
    try:
        host = urlsplit(url).hostname or ""
        client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Key {_admin_key(local=host in _LOCAL)}", **_headers()},
            timeout=httpx.Timeout(answer_s, connect=_CONNECT_S),
            trust_env=host not in _LOCAL,
        )
    except (httpx.InvalidURL, ValueError):
        raise Invalid(f"FALGATE_URL: {url!r} is not a URL such as https://host:8080") from None
    async with client:
        yield client


def acting() -> str:
    """Return who types the command: the user's name behind "cli:", in printable ASCII."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        name = str(os.getuid())
    return re.sub(r"[^!-~]", "?", f"cli:{name}")[:_ACTOR_MAX]


def _headers() -> dict[str, str]:
    return {"X-Falgate-Actor": acting(), "User-Agent": "falgate"}


def _admin_key(*, local: bool) -> str:
    """The gateway's admin key; for a gateway on this machine, the one `falgate run` made will do.

    Raises:
        Invalid: There is none.
        SettingsWrong: The settings file is wrong.
    """
    env = settings.environment(os.environ)
    key = env.get("FALGATE_ADMIN_KEY", "").strip()
    if not key and local:
        key = private.read(Path(env.get("FALGATE_DATA_DIR") or ".falgate") / "admin-key")
    if not key:
        raise Invalid("give FALGATE_ADMIN_KEY as the gateway has it, or an operator's key")
    if not (key.isascii() and key.isprintable()):
        raise Invalid("FALGATE_ADMIN_KEY: not a key, fg_admin_... or fg_oper_...")
    return key


def _refusal(url: str, answer: httpx.Response) -> str:
    """Why the API refused something, in one sentence."""
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return _strange(url, answer)
    if url and answer.status_code in _WRONG_KEY:
        return f"{url} refuses this to the key in FALGATE_ADMIN_KEY: {detail}"
    return detail


def _tell(preview: Any) -> NoReturn:
    """Print a preview, and end the command."""
    say(preview, "\n".join(preview["says"]) or "It would change nothing.")
    if preview["final"] and not wants_json():
        say(preview, "It cannot be undone.")
    raise click.exceptions.Exit(0)


def _strange(url: str, answer: httpx.Response) -> str:
    return (
        f"{url} answered {answer.status_code} and is no admin API of falgate's: set FALGATE_URL to "
        "the address where the gateway's operators call it"
    )
