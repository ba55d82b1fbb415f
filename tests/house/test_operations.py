"""docs/operations.md lists every metric, with its labels, and none that there is not."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from falgate.core.budget import ORGANISATION, Budget, Position
from falgate.core.calendar import KINDS, Window
from falgate.core.catalogue import Total
from falgate.core.posting import Proved, Summary
from falgate.core.standings import Standing, Where
from falgate.telemetry.metrics import Metrics, Stored

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
NAMED = re.compile(r"`((?:falgate|process)_\w+)(?:\{([\w, ]+)\})?`(?: `\{([\w, ]+)\}`)?")


def documented() -> dict[str, set[str]]:
    """Metrics of the table by their names; labels that end a row's names are for all of them."""
    found: dict[str, set[str]] = {}
    watched = DOCUMENT.read_text().split("## What to watch")[1].split("\n## ")[0]
    for line in watched.splitlines():
        if not line.startswith("| `"):
            continue
        cell = line.split(" | ")[0]
        shared = re.search(r" `\{([\w, ]+)\}`$", cell)
        for name, own, _ in NAMED.findall(cell):
            labels = own or (shared[1] if shared else "")
            found[name] = {label for label in labels.split(", ") if label}
    return found


def shown() -> dict[str, set[str]]:
    """Metrics of a gateway that knows all there is to know, by their names."""
    window = Window(kind=KINDS[0], id="x", starts_ms=0, ends_ms=1)
    position = Position(
        account=ORGANISATION, window=window, budget=Budget(limit=1), raised=0, spent=0, held=0
    )
    standing = Standing(
        upstream="fal",
        accounts=[Where(account=ORGANISATION, positions=[position], waiting=0)],
        house=(1, 0),
        open_jobs=0,
        frozen=False,
        reconciled=Summary(at_ms=1, since_ms=0, until_ms=1),
        proved=Proved(at_ms=1, differences=0),
    )
    metrics = Metrics(["fal-ai/a"], ["fal"])
    metrics.app("web", "shop")
    metrics.requests["run", "200"] += 1
    told = metrics.render([standing], Stored(total=Total(1, 1), free_bytes=1, full=False))
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(told.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert family.samples, name
        found[name] = labels
    return found


def test_every_metric_is_documented_with_its_labels_and_no_other() -> None:
    assert documented() == shown()


def test_money_is_in_dollars_and_time_in_seconds() -> None:
    units = {name.removesuffix("_total").rpartition("_")[2] for name in shown()}

    assert "usd" in units
    assert not units & {"micros", "ms", "cents", "kb", "mb"}
