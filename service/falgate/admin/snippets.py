"""A request, spelt for a shell and for fal's clients, so that somebody can send it again."""

import json
import shlex
from collections.abc import Mapping
from pprint import pformat
from typing import Any

import msgspec

_WIDTH = 88


class Snippets(msgspec.Struct, frozen=True, kw_only=True):
    """The same request in three languages.

    Attributes:
        curl: For a shell that has FALGATE_URL and FAL_KEY.
        python: For fal's Python client.
        javascript: For fal's JavaScript client.
    """

    curl: str
    python: str
    javascript: str

    def __repr__(self) -> str:
        """Omit the prompt."""
        return "Snippets(...)"


def snippets(endpoint: str, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> Snippets:
    """Spell a request. Neither the gateway's address nor a key is in it.

    Args:
        endpoint: The model.
        arguments: Its arguments, as JSON.
        headers: Those that may change the answer.
    """
    return Snippets(
        curl=_curl(endpoint, arguments, headers),
        python=_python(endpoint, arguments, headers),
        javascript=_javascript(endpoint, arguments, headers),
    )


def _curl(endpoint: str, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    written = json.dumps(arguments, ensure_ascii=False)
    # What cannot be seen, such as what turns the order of letters, is escaped.
    body = "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in written)
    lines = [
        f'curl "$FALGATE_URL/{endpoint}"',
        '-H "Authorization: Key $FAL_KEY"',
        "-H 'Content-Type: application/json'",
        *(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()),
        f"-d {shlex.quote(body)}",
    ]
    return " \\\n  ".join(lines)


def _python(endpoint: str, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    given = pformat(dict(arguments), width=_WIDTH, sort_dicts=False)
    lines = [
        "import fal_client",
        "",
        f"arguments = {given}",
        f"result = fal_client.run({endpoint!r}, arguments=arguments"
        + (f", headers={dict(headers)!r})" if headers else ")"),
    ]
    return "\n".join(lines)


def _javascript(endpoint: str, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    # U+2028 and U+2029 end a line in older JavaScript, so no other character than ASCII is left.
    given = json.dumps(arguments, indent=2)
    lines = ['import { fal } from "@fal-ai/client";', ""]
    if headers:
        lines += [
            "fal.config({",
            "  requestMiddleware: async (request) => ({",
            "    ...request,",
            f"    headers: {{ ...request.headers, ...{json.dumps(dict(headers))} }},",
            "  }),",
            "});",
        ]
    lines += [
        f"const input = {given};",
        f"const result = await fal.run({json.dumps(endpoint)}, {{ input }});",
    ]
    return "\n".join(lines)
