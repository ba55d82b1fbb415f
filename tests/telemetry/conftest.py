"""What a process of its own writes into its log."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from patience import PATIENCE_S

Write = Callable[..., str]


@pytest.fixture
def write() -> Write:
    """A function that runs a snippet after `configure`, and gives what came on stderr."""

    def written(
        snippet: str, level: str = "debug", *, people: bool = False, shared: bool = False
    ) -> str:
        program = f"""
import logging, structlog, warnings
from falgate.telemetry import logs
warnings.simplefilter("error")
logs.configure({level!r}, people={people}, shared={shared})
LOG = structlog.get_logger()
{snippet}
"""
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        return done.stderr

    return written
