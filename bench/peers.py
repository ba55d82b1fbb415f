"""Other gateways: LiteLLM, Portkey's, and fal's proxy for an app's server, each before the stub."""

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench import work
from bench.gateway import until_ready
from bench.load import MARK, Target, ask, has, same
from bench.processes import SERVED, START_S, Failed, Process, free_port, started

_HERE = Path(__file__).parent
_MADE = _HERE.parent / ".cache" / "bench"
_FAL_KEY = "id:secret"
_LOOK_S = 0.5


@contextmanager
def stub(folder: Path, picture_bytes: int = 1_500_000) -> Iterator[tuple[str, Process]]:
    """The stub of an upstream: what its URLs begin with, and it."""
    port = free_port()
    command = [sys.executable, "-m", "bench.stub", str(port), str(picture_bytes)]
    with started("stub", command, folder) as process:
        process.until(port)
        yield f"http://127.0.0.1:{port}", process


def started_peers(
    stack: ExitStack, folder: Path, upstream: str
) -> tuple[list[Target], dict[str, str]]:
    """All that can be started, until the stack is closed, and why the others cannot.

    The targets pass each request through, except for one, which has its answer in LiteLLM's cache.
    """
    targets: list[Target] = []
    failed: dict[str, str] = {}
    for name, start in (("LiteLLM", litellm), ("Portkey", portkey), ("server-proxy", proxy)):
        try:
            targets += stack.enter_context(start(folder, upstream))
        except Failed as error:
            failed[name] = str(error)
    return targets, failed


@contextmanager
def litellm(folder: Path, upstream: str) -> Iterator[list[Target]]:
    """LiteLLM's proxy with its cache in a Redis of its own, and without a database."""
    program = _made("litellm/bin/litellm")
    key = f"sk-{secrets.token_hex(32)}"
    port, redis_port = free_port(), free_port()
    model = {"model": "openai/stub", "api_base": f"{upstream}/v1", "api_key": "none"}
    cache = {"type": "redis", "host": "127.0.0.1", "port": redis_port, "ttl": 3600}
    configuration = {
        "model_list": [{"model_name": "stub", "litellm_params": model}],
        "litellm_settings": {"cache": True, "cache_params": cache, "telemetry": False},
        "general_settings": {"master_key": key},
    }
    file = folder / "litellm.yaml"  # JSON is YAML.
    file.write_bytes(msgspec.json.encode(configuration))
    command = [program, "--config", str(file), "--host", "127.0.0.1", "--port", str(port)]
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with (
        _redis(redis_port, folder),
        started("litellm", [*command, "--num_workers", "1"], folder, core=SERVED, env=env) as it,
    ):
        url = f"http://127.0.0.1:{port}"
        until_ready(f"{url}/health/liveliness", it, 0.5)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        chat, same = _chat(MARK.decode()), _chat("a lighthouse at dawn, on a calm evening sea")
        path = f"{url}/v1/chat/completions"
        yield [
            Target("LiteLLM, passing through", path, headers, [chat], it, has("chatcmpl")),
            _hit(Target("LiteLLM, hit", path, headers, [same], it)),
        ]


def _hit(target: Target) -> Target:
    """The same, once its answer is in the cache, which happens after the first answer.

    Raises:
        Failed: It is never there.
    """
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        answer = ask(target)
        if "x-litellm-cache-key" in answer.headers:
            return target._replace(expected=same(answer.body))
        time.sleep(_LOOK_S)
    raise Failed(f"no answer is ever from the cache: {answer.body[:300]!r}")


@contextmanager
def portkey(folder: Path, upstream: str) -> Iterator[list[Target]]:
    """Portkey's gateway, whose open-source build has no cache."""
    _made("javascript/node_modules/@portkey-ai/gateway")
    port = free_port()
    home = _MADE / "javascript/node_modules/@portkey-ai/gateway/build/start-server.js"
    env = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    command = [_node(), str(home), f"--port={port}", "--headless"]
    with started("portkey", command, folder, core=SERVED, env=env) as process:
        process.until(port)
        headers = {
            "Authorization": "Bearer none",
            "Content-Type": "application/json",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"{upstream}/v1",
        }
        body = work.body(MARK.decode(), model="stub")
        url = f"http://127.0.0.1:{port}/v1/images/generations"
        yield [Target("Portkey, passing through", url, headers, [body], process, has("/files/"))]


@contextmanager
def proxy(folder: Path, upstream: str) -> Iterator[list[Target]]:
    """fal's own proxy for an app's server, by Express."""
    _made("javascript/node_modules/@fal-ai/server-proxy")
    port = free_port()
    script = str(_HERE / "peers" / "proxy.mjs")
    command = [_node(), script, str(_MADE / "javascript"), str(port), upstream.split("//")[1]]
    env = {"FAL_KEY": _FAL_KEY, "NODE_ENV": "production"}
    with started("server-proxy", command, folder, core=SERVED, env=env) as process:
        process.until(port)
        headers = {
            "Content-Type": "application/json",
            "x-fal-target-url": f"{upstream}{work.MODEL}",
        }
        body = work.body(MARK.decode())
        url = f"http://127.0.0.1:{port}/api/fal/proxy"
        name = "fal's server-proxy, passing through"
        yield [Target(name, url, headers, [body], process, has("/files/"))]


@contextmanager
def _redis(port: int, folder: Path) -> Iterator[None]:
    found = shutil.which("redis-server") or "redis-server"
    data = folder / "peers-redis"
    data.mkdir()
    command = [found, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data), "--save", ""]
    with started("peers-redis.log", command, folder) as process:
        process.until(port)
        yield


def _chat(prompt: str) -> bytes:
    message = {"role": "user", "content": prompt}
    return msgspec.json.encode({"model": "stub", "messages": [message]})


def _made(path: str) -> str:
    whole = _MADE / path
    if not whole.exists():
        raise Failed(f"it is not installed: {os.path.relpath(whole)} (deploy/bench.sh says why)")
    return str(whole)


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        raise Failed("node is missing: apt-get install nodejs npm")
    return found
