"""The console of a real gateway, as programs and as browsers see it."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from buying import operator
from patience import PATIENCE_S
from showroom import Showroom, furnish
from visiting import sign_in, visit

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".cache" / "browser"
STEP_S = PATIENCE_S / 3
SCENARIO_S = 4 * PATIENCE_S


@pytest.fixture(scope="session")
def console(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway whose console the tests of a process share; each has records of its own."""
    with serve(tmp_path_factory.mktemp("console")) as served:
        yield served


@pytest.fixture
def fresh_console(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> Iterator[Any]:
    """A gateway of one's own, where nothing was done yet."""
    with serve(tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
def furnished(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, Showroom]]:
    """A gateway as one in use, which tests look at and do not change."""
    with serve(tmp_path_factory.mktemp("furnished")) as served:
        yield served, furnish(served)


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., str]:
    """A function that has a browser act a scenario, and tells what went wrong there, or ""."""

    def acted(scenario: str, gateway: Any, **more: Any) -> str:
        chromium = shutil.which("chromium") or pytest.fail("Chromium is missing: deploy/tools.sh")
        node = shutil.which("node") or pytest.fail("Node is missing: run deploy/tools.sh")
        if not (TOOLS / "made_from").exists():
            pytest.fail("What drives the browser is missing: run deploy/browser.sh")
        given = {
            "url": gateway.url,
            "admin_key": gateway.admin_key,
            "tools": str(TOOLS),
            "chromium": chromium,
            "patience_ms": STEP_S * 1000,
            **more,
        }
        browser = HERE / "browser"
        done = subprocess.run(
            [node, str(browser / "drive.mjs"), str(browser / f"{scenario}.mjs")],
            env={
                "CONSOLE_TEST": json.dumps(given),
                "HOME": str(tmp_path),
                "PATH": "/usr/bin:/bin",
            },
            capture_output=True,
            text=True,
            timeout=SCENARIO_S,
            check=False,
        )
        if done.returncode == 0:
            return ""
        told = f"{done.stderr}{done.stdout}\n{gateway.logged()[-3000:]}"
        print(told)  # noqa: T201 - whole, where pytest would cut it
        return told

    return acted


@pytest.fixture
def visitor(console: Any) -> Iterator[httpx.Client]:
    """A client of the console that has no session yet."""
    with visit(console) as client:
        yield client


@pytest.fixture
def admin(console: Any, visitor: httpx.Client) -> httpx.Client:
    """A client that signed in with the admin key."""
    return sign_in(visitor, console.admin_key)


class Employee(NamedTuple):
    """An operator.

    Attributes:
        name: How the audit log calls them.
        key: Theirs.
        id: Of it.
    """

    name: str
    key: str
    id: str


@pytest.fixture
def administration(console: Any) -> Iterator[httpx.Client]:
    """A client of the admin API, to prepare what pages show and to see what they did."""
    with httpx.Client(
        base_url=f"{console.url}/admin/v1",
        headers={"Authorization": f"Key {console.admin_key}"},
        trust_env=False,
        timeout=PATIENCE_S,
    ) as client:
        yield client


@pytest.fixture
def staff(administration: httpx.Client) -> Callable[..., Employee]:
    """Makes operators; leads lead a team, which is made if it is not there."""

    def employ(role: str, team: str = "led", **more: Any) -> Employee:
        of = {"team": team} if role == "lead" else {}
        administration.post("/teams", json={"name": team})
        name = more.pop("name", f"{role}-{secrets.token_hex(4)}")
        body = {"role": role, "name": name, **of, **more}
        made = administration.post("/operators", json=body)
        told = made.raise_for_status().json()
        return Employee(name, told["key"], told["record"]["id"])

    return employ


@pytest.fixture
def enter(console: Any, staff: Callable[..., Employee]) -> Iterator[Callable[[str], httpx.Client]]:
    """Signs an operator of a role in, and gives their browser."""
    with ExitStack() as stack:

        def entered(role: str) -> httpx.Client:
            key = console.admin_key if role == "first" else staff(role).key
            return sign_in(stack.enter_context(visit(console)), key)

        yield entered


@pytest.fixture
def named() -> Callable[[str], str]:
    """Names that no other test has."""
    return lambda what: f"{what}-{secrets.token_hex(4)}"


@pytest.fixture
def let_in() -> Iterator[Callable[..., httpx.Client]]:
    """A function that has another operator sign in, see `buying.operator`."""
    with ExitStack() as stack:
        yield lambda *who, **more: stack.enter_context(closing(operator(*who, **more)))
