"""Forms of pages, filled in and sent as a browser without scripts does."""

from html.parser import HTMLParser
from typing import Any, NamedTuple

import httpx


class Sheet(NamedTuple):
    """A form as a page shows it.

    Attributes:
        action: Where it is sent.
        fields: Names and values of what it would send as it is.
        names: Names of all its fields, boxes that are not ticked as well.
    """

    action: str
    fields: dict[str, str]
    names: set[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Sheet] = []
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("method") == "post":
            self.found.append(Sheet(given.get("action") or "", {}, set()))
        if not self.found:
            return
        name, sheet = given.get("name") or "", self.found[-1]
        if tag == "input" and name:
            sheet.names.add(name)
            if given.get("type") != "checkbox" or "checked" in given:
                sheet.fields[name] = given.get("value") or ""
        elif tag == "textarea":
            self._area = name
            sheet.fields[name] = ""
            sheet.names.add(name)
        elif tag == "select":
            self._select = name
            sheet.names.add(name)
        elif tag == "option" and self._select and "selected" in given:
            sheet.fields[self._select] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[-1].fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        self._area = "" if tag == "textarea" else self._area
        self._select = "" if tag == "select" else self._select


def sheets(page: httpx.Response) -> list[Sheet]:
    """The forms of a page that are sent by POST."""
    reader = _Reader()
    reader.feed(page.text)
    return reader.found


def sheet(page: httpx.Response, action: str = "") -> Sheet:
    """The form of a page whose address ends so; the last one if none is named."""
    return [each for each in sheets(page) if each.action.endswith(action)][-1]


def send(
    client: httpx.Client, page: httpx.Response, action: str = "", **values: Any
) -> httpx.Response:
    """Fill a form in and send it; None leaves a field out, as a box without its tick."""
    form = sheet(page, action)
    assert values.keys() <= form.names, (values.keys() - form.names, page.text)
    sent = {name: value for name, value in (form.fields | values).items() if value is not None}
    return client.post(str(page.url.join(form.action)), data=sent)


def confirm(client: httpx.Client, asked: httpx.Response) -> httpx.Response:
    """Press the button of the page that says what a change does."""
    assert asked.status_code == 200, asked.text
    assert sheet(asked).fields["step"] == "confirmed", asked.text
    return send(client, asked)
