"""The simulation of what the cache saves: every figure is measured, and falgate buys the least."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_falgate_buys_less_than_any_cache_of_whole_responses(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    options = ["--requests", "24", "--prompts", "5", "--json", str(rows)]

    done = subprocess.run(
        [sys.executable, "-m", "bench.savings", *options],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    plain, shared, falgate = json.loads(rows.read_bytes())
    assert {row["answers"] for row in (plain, shared, falgate)} == {24}
    assert len({row["asked"] for row in (plain, shared, falgate)}) == 1
    assert falgate["bought"] < shared["bought"] <= plain["bought"] <= plain["asked"]
    assert falgate["billed_usd"] < shared["billed_usd"] <= plain["billed_usd"]
    assert falgate["hits"] > plain["hits"]
    assert {"hit", "derived", "miss"} <= falgate["sources"].keys()
    for row in (plain, shared, falgate):
        assert f"{row['bought']:8}" in done.stdout
