"""How pages word what the admin API answers: amounts, times, sizes and shares; pure."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

_KIB = 1024
_NONE = "\u2013"
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_BREAKS = "\n\t\u00ad"


def plain(text: Any) -> Any:
    """Return a text with control and bidirectional characters spelt out; others as they are.

    What an app sent must not rewrite the page around it, such as turn the order of its letters.
    """
    if not isinstance(text, str) or isinstance(text, Markup) or text.isprintable():
        return text
    return "".join(map(_visible, text))


def entered(text: Any) -> Markup:
    """Return what a field has in it, so that it is the same text when the form is sent again.

    What `plain` spells out is referred to by its number: in a field it cannot rearrange a page.
    """
    safe = escape(text)
    return safe if safe.isprintable() else Markup("".join(map(_referred, safe)))  # noqa: S704 - it is escaped


def _referred(each: str) -> str:
    shown = _visible(each)
    # HTML has no reference to these (they are taken for others, or for none).
    none = each == "\0" or "\x7f" <= each <= "\x9f" or unicodedata.category(each) == "Cs"
    return shown if shown == each or none else f"&#x{ord(each):x};"


def _visible(each: str) -> str:
    hidden = unicodedata.category(each) in _HIDDEN and each not in _BREAKS
    return f"\\u{{{ord(each):x}}}" if hidden else each


def usd(text: str | None, places: int = 2) -> str:
    """Return decimal dollars with a sign and at least `places` decimals: "12.5" is "$12.50"."""
    if text is None:
        return _NONE
    sign, amount = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = amount.partition(".")
    return f"{sign}${int(whole):,}.{fraction.rstrip('0').ljust(places, '0')}"


def cents(text: str | None) -> str:
    """Return decimal dollars rounded to cents, for sums that one reads at a glance."""
    return _NONE if text is None else usd(f"{float(text):.2f}")


def count(number: int | None) -> str:
    """Return a number with separators."""
    return _NONE if number is None else f"{number:,}"


def share(part: float, whole: float) -> str:
    """Return a share in percent; nothing of nothing is a dash."""
    return f"{100 * part / whole:.0f} %" if whole else _NONE


def size(number: int | None) -> str:
    """Return a number of bytes in the unit that reads best."""
    if number is None:
        return _NONE
    value, units = float(number), iter(("B", "KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while value >= _KIB and unit != "TiB":
        value, unit = value / _KIB, next(units)
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """Return a duration: 0.31 s, 12 s, 4 min, 3 h, 2 d."""
    if seconds is None:
        return _NONE
    if seconds < 10:  # noqa: PLR2004 - where decimals stop to matter
        return f"{seconds:.2f} s"
    steps = ((1, "s", 90), (60, "min", 90 * 60), (3600, "h", 48 * 3600), (86400, "d", float("inf")))
    unit_s, unit = next((each_s, name) for each_s, name, below in steps if seconds < below)
    return f"{seconds / unit_s:.0f} {unit}"


def took(ms: float | None) -> str:
    """Return a short duration: < 0.1 ms, 0.2 ms, 45 ms, 3.10 s; then as `duration`."""
    if ms is None:
        return _NONE
    if ms >= 1000:  # noqa: PLR2004 - ms in a second
        return duration(ms / 1000)
    if 0 < ms < 0.1:  # noqa: PLR2004 - what one decimal shows
        return "< 0.1 ms"
    return f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms"  # noqa: PLR2004 - as above


def inpath(account: str) -> str:
    """Return an account's name as a part of a path: "app:web/shop" is "app:web:shop"."""
    return account.replace("/", ":")


def again(query: Mapping[str, str], **changed: str | None) -> str:
    """Return a page's query with some values changed, or left out where they are empty."""
    found = {name: value for name, value in {**query, **changed}.items() if value}
    return f"?{urlencode(found)}" if found else ""


def times(zone: tzinfo, now: Callable[[], datetime]) -> Mapping[str, Callable[..., Any]]:
    """Return the filters that show times in the organisation's zone.

    `when` is a time as its page shows it, with the year only where it is another; `ago` is how long
    ago it was.
    """

    def when(text: str | None, *, seconds: bool = False) -> Markup | str:
        if not text:
            return _NONE
        at = datetime.fromisoformat(text).astimezone(zone)
        year = "" if at.year == now().astimezone(zone).year else " %Y"
        shown = at.strftime(f"%-d %b{year} %H:%M{':%S' if seconds else ''}")
        return _time(at, shown)

    def ago(text: str | None) -> Markup | str:
        if not text:
            return _NONE
        at = datetime.fromisoformat(text).astimezone(zone)
        past = now() - at
        seconds = past // timedelta(seconds=1)
        shown = f"{seconds} s" if seconds < 10 else duration(seconds)  # noqa: PLR2004 - no decimals
        return _time(at, f"{shown} ago" if seconds > 0 else "now")

    return {"when": when, "ago": ago}


def _time(at: datetime, shown: str) -> Markup:
    full = at.strftime("%Y-%m-%d %H:%M:%S %Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), full, shown)
