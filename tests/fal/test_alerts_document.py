"""docs/alerts.md shows the bodies that are sent, settings that start, and a check that works."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from falgate import settings
from falgate.core.events import Alerted, ModelAlerted
from falgate.webhooks import alert_hook, alerts
from falgate.webhooks.alert_hook import key_of, message, signature

DOCUMENT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
CHATS = {
    "Slack": ("hooks.slack.com", "text"),
    "Microsoft Teams": (".logic.azure.com", "text"),
    "Discord": ("discord.com", "content"),
}
"""Where each chat's webhooks are, and the field of a body that it shows."""

THRESHOLD = Alerted(
    alert="1795356000123-0", upstream="fal", account="team:web", level="team",
    window="day:2026-11-22", percent=80, limit=10_000_000, spent=8_034_000,
    what="threshold", held=0,
)  # fmt: skip

RETIRES = ModelAlerted(
    alert="1795356000123-0", upstream="fal", model="fal-ai/gpt-image-1.5", what="retires",
    retires="2026-12-01", days_left=7, successor="openai/gpt-image-2",
    apps=("web/shop", "web/blog"),
)  # fmt: skip


CHANGED = replace(
    RETIRES, what="changed", model="fal-ai/flux/schnell", retires="", days_left=0, successor="",
    apps=("web/shop",),
)  # fmt: skip


def blocks(language: str) -> list[str]:
    """What the document shows in a language."""
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


def alert(what: Any, **changes: int) -> Alerted:
    return Alerted(**{f: getattr(THRESHOLD, f) for f in Alerted.__struct_fields__}
                   | {"what": what} | changes)  # fmt: skip


def test_the_bodies_are_those_that_are_sent() -> None:
    sent = [
        message(THRESHOLD),
        message(alert("refused", percent=0, held=1_960_000)),
        message(alert("balance")),
        message(RETIRES),
        message(replace(RETIRES, what="gone", retires="", days_left=0)),
        message(CHANGED),
    ]

    assert [json.loads(block) for block in blocks("json")] == sent
    named = re.findall(r"^\| `(\w+\.\w+)` \|", DOCUMENT, re.MULTILINE)
    assert named == [body["type"] for body in sent]


def test_each_chat_finds_the_sentence_where_it_looks() -> None:
    for chat, (_, field) in CHATS.items():
        paragraph = DOCUMENT.split(f"**{chat}**: ")[1].partition("```")[0]
        assert f"`{field}`" in paragraph or f"['{field}']" in paragraph
        sentence = message(THRESHOLD)[field]
        assert isinstance(sentence, str)
        assert 0 < len(sentence) < 2_000, "Discord takes no longer ones"


@pytest.mark.parametrize("number", range(4))
def test_the_settings_of_each_example_start(number: int) -> None:
    lines = blocks("sh")[number].replace("$(openssl rand -base64 32)", "A" * 43 + "=")
    script = f"set -a\n{lines}\nprintenv FALGATE_ALERT_URL FALGATE_ALERT_SECRET"
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)
    url, secret = done.stdout.splitlines()

    found = settings.read(
        {
            "FALGATE_UPSTREAM_URL": "sandbox",
            "FALGATE_ALERT_URL": url,
            "FALGATE_ALERT_SECRET": secret,
        }
    )
    assert key_of(found.alert_secret)
    hosts = [host for host, _ in CHATS.values()] + ["alerts.example"]
    assert hosts[number] in found.alert_url


def test_the_check_of_ones_own_receiver_tells_genuine_from_forged() -> None:
    known: dict[str, Any] = {}
    exec(blocks("python")[0], known)
    secret = re.findall(r"FALGATE_ALERT_SECRET=(whsec_\S+)", DOCUMENT)[-1]
    now_s, body = int(time.time()), json.dumps(message(THRESHOLD)).encode()

    def genuine(at_s: int, body_read: bytes) -> bool:
        signed = signature(key_of(secret), "alert_1-0", at_s, body)
        headers = {
            "webhook-id": "alert_1-0",
            "webhook-timestamp": str(at_s),
            "webhook-signature": f"v1,{signed}",
        }
        return bool(known["is_genuine"](secret, headers, body_read))

    assert genuine(now_s, body)
    assert not genuine(now_s, body + b" ")
    assert not genuine(now_s - 600, body)


def test_the_pauses_are_those_of_the_code() -> None:
    said = re.search(
        r"within (\d+) s, falgate tries again for a day: after (.*?), and", DOCUMENT, re.DOTALL
    )
    assert said
    units = {"s": 1, "min": 60}
    pauses = [int(n) * units[unit] for n, unit in re.findall(r"(\d+)\s(s|min)", said[2])]

    assert int(said[1]) == alert_hook._DEADLINE_S
    assert [*pauses, 3_600] == list(alerts._PAUSES_S)
    assert alerts._GIVEN_UP_S == 24 * 3_600
