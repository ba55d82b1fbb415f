"""A bar chart of CPU per request, as SVG."""

from html import escape

from bench.load import median
from bench.report import Loads

_AT_ONCE = 32
_WIDTH, _LEFT, _RIGHT, _TOP = 760, 250, 110, 54
_STEP, _BAR = 30, 18
_OURS, _OTHERS, _INK, _FAINT = "#0f766e", "#94a3b8", "#1e293b", "#64748b"


def svg(loads: Loads) -> str:
    """The medians at 32 connections; each line spans the least and the greatest."""
    shown = {name: found for (name, connections), found in loads.items() if connections == _AT_ONCE}
    most = max(each.cpu_us for found in shown.values() for each in found)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    height = _TOP + _STEP * len(shown) + 12
    parts = [
        _tag("rect", width=_WIDTH, height=height, fill="#ffffff"),
        _text(16, 22, f"CPU per request in µs, the same answer at {_AT_ONCE} connections", _INK),
        _text(16, 41, "user and system time of the server's processes; less is better", _FAINT),
    ]
    for number, (name, found) in enumerate(shown.items()):
        top = _TOP + number * _STEP
        middle = top + _BAR / 2
        width = median(found, "cpu_us") * scale
        least, greatest = (
            _LEFT + pick(each.cpu_us for each in found) * scale for pick in (min, max)
        )
        colour = _OURS if name.startswith("falgate,") else _OTHERS
        parts += [
            _text(_LEFT - 10, middle + 4, name, _INK, anchor="end"),
            _tag("rect", x=_LEFT, y=top, width=round(width, 1), height=_BAR, fill=colour),
            _tag("path", d=f"M{least:.1f} {middle}H{greatest:.1f}", stroke=_INK),
            _text(greatest + 8, middle + 4, f"{median(found, 'cpu_us'):,.1f}", _INK),
        ]
    opening = _tag(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {height}",
        width=_WIDTH,
        height=height,
        style="font: 13px system-ui, sans-serif",
    )
    return "\n".join([opening.replace("/>", ">"), *parts, "</svg>", ""])


def _tag(name: str, **attributes: object) -> str:
    listed = " ".join(f'{each}="{escape(str(value))}"' for each, value in attributes.items())
    return f"<{name} {listed}/>"


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
