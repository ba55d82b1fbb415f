"""How much memory the embedded Redis may fill."""

import os
from pathlib import Path

from falgate.redis.memory import limit_bytes

MIB = 1024 * 1024


def test_it_is_a_quarter_of_the_machine_or_of_the_container(tmp_path: Path) -> None:
    there_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    container = tmp_path / "memory.max"

    assert limit_bytes(container) == max(64 * MIB, there_bytes // 4)
    for said, limit in (
        ("max\n", there_bytes // 4),
        (f"{400 * MIB}\n", 100 * MIB),
        ("9", 64 * MIB),
    ):
        container.write_text(said)
        assert limit_bytes(container) == max(64 * MIB, min(limit, there_bytes // 4))
