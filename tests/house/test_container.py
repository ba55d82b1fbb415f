"""What the image and docker compose promise, read from their files: no engine is needed here."""

import fnmatch
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types, and what is read here is any JSON

from falgate import settings
from falgate.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
DEFAULTED = "-"


@pytest.fixture(scope="module")
def compose() -> Any:
    """docker-compose.yml as it is with nothing set."""
    text = (ROOT / "docker-compose.yml").read_text()
    unset = {name for name, how, _ in VARIABLE.findall(text) if how != DEFAULTED}
    assert unset == set(), "needs a variable"
    return yaml.safe_load(VARIABLE.sub(lambda found: found[3] or "", text))


@pytest.fixture(scope="module")
def falgate(compose: Any) -> Any:
    """Its service."""
    return compose["services"]["falgate"]


def instructions(name: str) -> list[str]:
    """Every one of this name in the last stage of the Dockerfile."""
    last = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[-1]
    found: list[str] = re.findall(rf"^{name}\s+(.*)$", last, re.MULTILINE)
    return found


def test_compose_needs_nothing_and_starts_the_sandbox_with_keys_that_it_makes(falgate: Any) -> None:
    assert falgate["command"] in COMMANDS
    assert falgate["command"] == "run", "makes keys and prints them"
    env = {name: value for name, value in falgate["environment"].items() if value}
    chosen = settings.read(env, {"upstream_url": settings.SANDBOX})

    assert chosen.uses_sandbox
    assert chosen.redis_url.startswith("redis://redis:")


def test_a_stop_has_longer_than_the_drain(falgate: Any) -> None:
    drain_s = int(falgate["environment"]["FALGATE_DRAIN_S"])

    assert int(falgate["stop_grace_period"].removesuffix("s")) >= drain_s + 10


def test_both_come_back_by_themselves_and_only_this_machine_reaches_them(compose: Any) -> None:
    for service in compose["services"].values():
        assert service["restart"] == "unless-stopped"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_it_runs_without_rights_on_a_root_that_it_cannot_write(falgate: Any) -> None:
    assert falgate["read_only"] is True
    assert falgate["cap_drop"] == ["ALL"]
    assert instructions("USER") == ["falgate"]
    assert any("chmod 700 /data" in line for line in instructions("RUN"))


def test_falgate_is_on_the_path_and_is_what_starts_and_what_is_asked_for_its_health() -> None:
    (env,) = instructions("ENV")
    (health,) = instructions("HEALTHCHECK")

    assert env.startswith("PATH=/opt/falgate/bin:$PATH ")
    assert instructions("ENTRYPOINT") == ['["falgate"]']
    assert health.endswith('CMD ["falgate", "health"]')
    assert "health" in COMMANDS
    assert not re.search(r"://|:\d{2,}", health)


@pytest.mark.parametrize(
    "path", [".falgate/admin-key", ".venv/bin/python", ".git/config", ".cache/x", ".env", "tests/x"]
)
def test_keys_and_what_is_made_here_never_reach_the_engine(path: str) -> None:
    assert ignored(path)


def test_what_the_image_is_built_of_does() -> None:
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]

    assert {"service", "requirements.lock"} <= set(sources)
    assert not any(map(ignored, sources))


def ignored(path: str) -> bool:
    """As Docker has it: the last line that fits a path, or a folder that it is in, decides."""
    decided = False
    parents = [path.rsplit("/", cut)[0] for cut in range(path.count("/") + 1)]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            if any(fnmatch.fnmatch(each, pattern) for each in parents):
                decided = not line.startswith("!")
    return decided
