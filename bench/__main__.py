"""`python -m bench`: which parts are measured, in which order, and where the report goes."""

import argparse
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import chart, hits, memory, misses, pictures, polls, processes, readme, scale, waiting
from bench.report import Section, Setup, markdown

PARTS: dict[str, Callable[[Setup], Section]] = {
    "hits": hits.measure,
    "misses": misses.measure,
    "waiting": waiting.measure,
    "polls": polls.measure,
    "pictures": pictures.measure,
    "scale": scale.measure,
    "memory": memory.measure,
}
_BEGUN_S_MAX = 12.5 * 60
_HERE = Path(__file__).parent


def main() -> None:
    """Measure, and write the report; the status is 1 if anything failed."""
    options = _parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    processes.stay()
    files_max = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    began_s = time.monotonic()
    sections = []
    for name in options.parts or PARTS:
        part_s = time.monotonic()
        print(f"{name} ...", end=" ", flush=True)
        late = part_s - began_s > _BEGUN_S_MAX
        sections.append(
            _failed(name, "there was no time left") if late else _measured(name, options)
        )
        print(f"{time.monotonic() - part_s:.0f} s", flush=True)
    command = "make bench-quick" if options.quick else "make bench"
    text = markdown(sections, command, time.monotonic() - began_s)
    file = _HERE / "report.md" if options.publish else _elsewhere()
    file.write_text(text)
    if options.publish:
        _publish(sections)
    print(f"The report is in {file}")
    if failed := [f"{name}: {why}" for each in sections for name, why in each.failed.items()]:
        sys.exit("\n".join(failed))


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all, if none is named")
    parser.add_argument("--quick", action="store_true", help="only see that everything runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write bench/report.md, bench/hits.svg and the README's table, not a temporary file",
    )
    return parser.parse_args()


def _measured(name: str, options: argparse.Namespace) -> Section:
    """One part; one that fails says so and why."""
    with tempfile.TemporaryDirectory(prefix="fg-", ignore_cleanup_errors=True) as folder:
        rounds, seconds = (1, 1) if options.quick else (options.rounds, options.seconds)
        try:
            return PARTS[name](Setup(Path(folder), rounds, seconds, options.quick))
        except Exception as error:  # noqa: BLE001 - the other parts are measured all the same
            traceback.print_exc()
            return _failed(name, f"{error or type(error).__name__}")


def _failed(name: str, why: str) -> Section:
    return Section(name.capitalize(), "", failed={name: why})


def _publish(sections: Sequence[Section]) -> None:
    """Renew the chart and the README's table, if there are hits to show."""
    for loads in [section.loads for section in sections if section.loads]:
        (_HERE / "hits.svg").write_text(chart.svg(loads))
        file = _HERE.parent / "README.md"
        file.write_text(readme.updated(file.read_text(), loads))


def _elsewhere() -> Path:
    with tempfile.NamedTemporaryFile(prefix="falgate-bench-", suffix=".md", delete=False) as file:
        return Path(file.name)


if __name__ == "__main__":
    main()
