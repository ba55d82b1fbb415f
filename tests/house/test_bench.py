"""What the benchmark writes: figures of its rounds, a chart, and the README's table."""

from pathlib import Path
from xml.etree import ElementTree as ET

from bench.chart import svg
from bench.load import Load, Target, Told
from bench.memory import Kind, Mix
from bench.processes import Tree
from bench.readme import updated
from bench.report import Section, load_table, markdown

ROOT = Path(__file__).parents[2]
LOADS = {
    ("falgate, http", 32): [Load(900, rps, 500.0, 2_000.0, 20.0, 4.0) for rps in (700, 900, 800)],
    ("nginx <proxy_cache>", 32): [Load(900, 1_000.0, 400.0, 1_500.0, 17.5, 0.0)],
}


def test_a_figure_is_the_median_of_the_rounds_with_the_least_and_the_greatest() -> None:
    ours, nginx = load_table(LOADS).rows

    assert ours[:3] == ["falgate, http", "32", "800 (700-900)"]
    assert nginx[2:] == ["1,000", "0.40", "1.50", "17.5", ""]


def test_the_report_says_what_was_not_measured_and_why() -> None:
    text = markdown([Section("Hits", "", failed={"nginx": "it is missing"})], "make bench", 60)

    assert "**nginx was not measured**: it is missing" in text


def test_the_chart_is_xml_with_a_bar_for_each_server() -> None:
    root = ET.fromstring(svg(LOADS))

    bars = [each for each in root.iter() if each.tag.endswith("rect") and each.get("x")]
    assert len(bars) == len(LOADS)
    assert "nginx <proxy_cache>" in list(root.itertext())


def test_the_readme_has_the_place_of_the_table() -> None:
    readme = (ROOT / "README.md").read_text()

    text = updated(readme, LOADS)

    assert "| falgate, http | 800 | 0.50 | 2.00 | 20 |" in text.splitlines()
    assert updated(text, LOADS) == text


def test_mixed_answers_are_wrong_unless_refusals_and_lengths_are_those_of_the_mix() -> None:
    def kind(status: int, size_bytes: int, number: int) -> Kind:
        return Kind(Target(f"{status}", "", {}, [], Tree(0), status=status), size_bytes, number)

    def told(refused: int, size_bytes: int, broken: int = 0) -> Told:
        return Told(1_000, 1_000, size_bytes, 1, 1, 1, refused, broken)

    mix = Mix([kind(200, 400, 90), kind(404, 100, 10)])

    assert mix.wrong(told(100, 370_000)) is None
    assert mix.wrong(told(0, 370_000)) == "0 refusals, not 100, and 0 broken connections"
    assert mix.wrong(told(100, 400_000)) == "400000 bytes in 1000 answers, not 370000"
    assert mix.wrong(told(100, 370_000, broken=1))
