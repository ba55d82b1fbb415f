"""The table in the documents is the one that the tests make."""

import subprocess
import sys
from pathlib import Path

from patience import PATIENCE_S

CLIENTS = Path(__file__).parent
DOCUMENT = CLIENTS.parent.parent / "docs" / "clients.md"


def test_the_document_has_the_table_that_the_tests_prove(tmp_path: Path) -> None:
    copy = tmp_path / "clients.md"
    copy.write_text(DOCUMENT.read_text())

    done = subprocess.run(
        [sys.executable, CLIENTS / "table.py", "--collected", copy],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.read_text() == DOCUMENT.read_text(), "run `make table`"
