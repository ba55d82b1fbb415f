"""docs/operations.md lists every metric, with its labels; no document names what there is not."""

import re
from datetime import date
from pathlib import Path
from typing import get_args

from prometheus_client.parser import text_string_to_metric_families

from falgate.accounts.directory import Directory, Gone, gone_name
from falgate.admin.api.usage import UsageSum
from falgate.billing.closed_job import ReconcileReport
from falgate.core.account import ORGANISATION
from falgate.core.calendar import KINDS, Window
from falgate.core.events import AnomalyKind
from falgate.money.budget import Budget, Position
from falgate.money.verification import VerificationResult
from falgate.pictures.catalogue import StoreSize
from falgate.settings import PREFIX, Settings
from falgate.telemetry.metrics import Metrics
from falgate.telemetry.standing import AccountStanding, UpstreamStanding
from falgate.telemetry.stored import Stored

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "operations.md"
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
OTHERS = ("FALGATE_PORT", "FALGATE_URL")
"""Kubernetes' own, and what only commands read."""

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
    standing = UpstreamStanding(
        upstream="fal",
        accounts=[AccountStanding(account=ORGANISATION, positions=[position], waiting=0)],
        overage=(1, 0),
        open_jobs=0,
        frozen=False,
        stops={"team": 1},
        reconciled=ReconcileReport(at_ms=1, since_ms=0, until_ms=1),
        verified=VerificationResult(at_ms=1, differences=0),
    )
    metrics = Metrics(["fal-ai/a"], ["fal"], retiring={"fal-ai/a": date(2026, 12, 1)})
    metrics.drift = {"fal-ai/a": 2}
    gone = {gone_name("fal", "fal-ai/a"): Gone(since_s=1, seen_s=1)}
    metrics.know(Directory(1, {}, {}, gone=gone))
    metrics.app("web", "shop")
    metrics.requests["run", "200"] += 1
    told = metrics.render([standing], Stored(total=StoreSize(1, 1), free_bytes=1, full=False))
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(told.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert family.samples, name
        found[name] = labels
    return found


def test_every_metric_is_documented_with_its_labels_and_no_other() -> None:
    assert documented() == shown()


def test_no_document_names_a_metric_that_there_is_not() -> None:
    known = shown().keys()
    named = {
        (document.name, name)
        for document in DOCUMENTS
        for name in re.findall(r"\bfalgate_[a-z]\w+", document.read_text())
    }

    assert {document for document, _ in named} >= {"money.md", "operations.md", "webhooks.md"}
    assert sorted(each for each in named if each[1] not in known) == []


def test_no_document_names_a_setting_that_there_is_not() -> None:
    known = {f"{PREFIX}{field.upper()}" for field in Settings.__struct_fields__}
    named = {
        (document.name, name)
        for document in DOCUMENTS
        for name in re.findall(rf"\b{PREFIX}[A-Z]\w+", document.read_text())
        if name not in known and not name.startswith(OTHERS)
    }

    assert sorted(named) == []


def test_every_anomaly_has_a_row_that_says_what_to_do() -> None:
    rows = DOCUMENT.read_text().split("## What to do when")[1].split("\n## ")[0]
    named = {
        name
        for line in rows.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }

    assert {*get_args(AnomalyKind)} - {"adopted"} <= named


def test_every_column_of_the_report_is_defined() -> None:
    money = (DOCUMENT.parent / "money.md").read_text()
    table = money.split("\n| column | is |")[1].split("\n\n")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [*UsageSum.__struct_fields__]


def test_money_is_in_dollars_and_time_in_seconds() -> None:
    units = {name.removesuffix("_total").rpartition("_")[2] for name in shown()}

    assert "usd" in units
    assert not units & {"micros", "ms", "cents", "kb", "mb"}
