"""Bodies, and what falgate, FastAPI and the golden file say to them: the same.

`GOLDEN=write pytest tests/golden` writes the file anew, from FastAPI's answers; for `OUR_OWN`
bodies, which FastAPI fails at or gives no reason for, from falgate's.
"""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from falgate.core.errors import InputRejected
from falgate.models.arguments import read
from falgate.models.endpoints.gpt_image_1_5 import SPEC

GOLDEN = Path(__file__).parent / "requests.json"
JSON = "application/json"


def with_prompt(fields: str) -> bytes:
    return f'{{"prompt": "a fox", {fields}}}'.encode()


def each(field: str, *values: str) -> dict[str, bytes]:
    """One body per value, named after both."""
    return {f"{field} {value}": with_prompt(f'"{field}": {value}') for value in values}


JUNK = ("null", "7", "1.5", '"junk"', '""', "[]", "{}", "[[1], {}]", '{"a": {"b": [null]}}')

BODIES: dict[str, bytes] = {
    "prompt alone": b'{"prompt": "a fox"}',
    "prompt missing": b"{}",
    "prompt missing among others": b'{"quality": "low", "seed": 7}',
    "prompt empty": b'{"prompt": ""}',
    "prompt of accents and emoji": '{"prompt": "Füchse 狐 🦊 e\u0301"}'.encode(),
    "prompt with NUL": b'{"prompt": "a\\u0000b"}',
    "prompt with control characters": b'{"prompt": "\\t\\n\\u001b\x7f"}',
    "prompt twice": b'{"prompt": 1, "prompt": "a fox"}',
    "prompt twice, the last wrong": b'{"prompt": "a fox", "prompt": 1}',
    **{f"prompt {value}": f'{{"prompt": {value}}}'.encode() for value in (*JUNK[:3], "true", "[]")},
    **each("num_images", "1", "4", "0", "5", "-1", "-0", "true", "false", *JUNK),
    **each("num_images", "2.0", "1e0", "4.5e0", "0.2e1", "5e-1", "4.000000000000001", "1e300"),
    **each("num_images", '"2"', '"2.0"', '" 3 "', '"+1"', '"1_0"', '"0x2"', '"\u0662"', '"5"'),
    **each("num_images", "18446744073709551616", "-9223372036854775809"),
    "num_images of 400 digits": with_prompt('"num_images": 1' + 400 * "0"),
    "num_images, a text of 5000 digits": with_prompt(f'"num_images": "{5000 * "1"}"'),
    "num_images twice": with_prompt('"num_images": 4, "num_images": 1'),
    "num_images twice, the first wrong": with_prompt('"num_images": "x", "num_images": 2'),
    "num_images escaped": with_prompt('"num_\\u0069mages": 3'),
    "num_images escaped and wrong": with_prompt('"num_\\u0069mages": 9'),
    **each("sync_mode", "true", "false", "1", "0", "1.0", "2", '"yes"', '"OFF"', '"t"', *JUNK),
    **each("image_size", *JUNK, '"1024X1024"', '"auto"', '"1024x1536"', "true"),
    **each("background", *JUNK, '"Auto"', '"opaque"'),
    **each("quality", *JUNK, '"auto"', '"hd"', '"low "', '"medium"'),
    **each("output_format", *JUNK, '"jpg"', '"PNG"', '"webp"'),
    "everything wrong": json.dumps(
        {
            "sync_mode": "perhaps",
            "output_format": "gif",
            "num_images": 0,
            "quality": 1,
            "background": None,
            "image_size": ["1024x1024"],
            "prompt": {"text": "a fox"},
        }
    ).encode(),
    "two wrong, one missing": b'{"num_images": 9, "quality": "best"}',
    "unknown fields": with_prompt('"seed": 7, "model": "x", "": null, "Prompt": [1e5]'),
    "unknown field and a wrong one": with_prompt('"seed": 7, "num_images": 9'),
    "a list": b'["prompt"]',
    "a list of bodies": b'[{"prompt": "a fox"}]',
    "a text": b'"prompt"',
    "a number": b"7",
    "a float": b"1.5e3",
    "a bool": b"true",
    "null": b"null",
    "nothing": b"",
    "white space": b" \n",
    "white space around": b'\r\n\t {"prompt" : "a fox"} \n',
    "nested a little": 50 * b"[" + 50 * b"]",
    "cut short": b'{"prompt": "a fo',
    "cut after a name": b'{"prompt"',
    "trailing data": b'{"prompt": "a fox"} {}',
    "single quotes": b"{'prompt': 'a fox'}",
    "not JSON, accents before": '{"prompt": "Füchse" 1}'.encode(),
    "raw line break": b'{"prompt": "a\nfox"}',
    "bad escape": b'{"prompt": "\\x"}',
    "leading zero": with_prompt('"num_images": 01'),
    "BOM": b'\xef\xbb\xbf{"prompt": "a fox"}',
    "UTF-16": '{"prompt": "a fox"}'.encode("utf-16"),
}
TYPES = {
    "type missing": None,
    "type empty": "",
    "type text": "text/plain",
    "type form": "application/x-www-form-urlencoded",
    "type multipart": "multipart/form-data; boundary=x",
    "type octets": "application/octet-stream",
    "type text json": "text/json",
    "type nonsense": "json",
    "type json-seq": "application/json-seq",
    "type with charset": "application/json; charset=utf-8",
    "type in capitals": "Application/JSON ;charset=latin-1",
    "type vendor": "application/vnd.x+json",
}
SAME: dict[str, tuple[bytes, str | None]] = {
    **{name: (body, JSON) for name, body in BODIES.items()},
    **{name: (b'{"prompt": "a fox"}', content_type) for name, content_type in TYPES.items()},
    "type form, body of one": (b"prompt=a+fox", TYPES["type form"]),
    "type missing, body too": (b"", None),
}

OUR_OWN: dict[str, tuple[bytes, str | None, int]] = {
    # FastAPI understands these, and fails when its answer has to quote what has no JSON form.
    "NaN": (with_prompt('"num_images": NaN'), JSON, 500),
    "infinity": (with_prompt('"num_images": -Infinity'), JSON, 500),
    "1e400": (with_prompt('"num_images": 1e400'), JSON, 500),
    "NaN in the prompt": (b'{"prompt": [NaN, 1]}', JSON, 500),
    "half a pair in the prompt": (b'{"prompt": "a \\ud83e fox"}', JSON, 500),
    "half a pair, as bytes": (b'{"prompt": "a \xed\xa0\xbe fox"}', JSON, 500),
    "half a pair in quality": (with_prompt('"quality": "\\udd8a"'), JSON, 500),
    "half a pair in a name": (b'{"\\udd8a": 1}', JSON, 500),
    "bad UTF-8, not as JSON": (b'{"prompt": "\xff"}', "text/plain", 500),
    # FastAPI quotes this; not here, since whoever encodes the answer may have less stack.
    "nested too deeply to be quoted": (400 * b"[" + 400 * b"]", JSON, 422),
    # FastAPI cannot read these, and answers 400 "There was an error parsing the body".
    "bad UTF-8": (b'{"prompt": "\xff"}', JSON, 400),
    "bad UTF-8 in an unknown field": (
        with_prompt('"seed": "').removesuffix(b"}") + b'\xc3"}',
        JSON,
        400,
    ),
    "num_images of 5000 digits": (with_prompt('"num_images": ' + 5000 * "1"), JSON, 400),
    "unknown field of 5000 digits": (with_prompt('"seed": ' + 5000 * "1"), JSON, 400),
    "nested far too deeply": (100_000 * b"[", JSON, 400),
    "nested far too deeply in a field": (with_prompt('"seed": ' + 50_000 * '{"a":'), JSON, 400),
}


def said_by_falgate(body: bytes, content_type: str | None) -> dict[str, Any]:
    try:
        parsed = read(SPEC, body, content_type)
    except InputRejected as refusal:
        answer = json.loads(msgspec.json.encode(refusal.body()))
        return {"status": refusal.status, "answer": answer}
    return {"status": 200, "answer": msgspec.to_builtins(parsed.arguments)}


async def asked_of_fastapi(
    client: httpx.AsyncClient, body: bytes, content_type: str | None
) -> httpx.Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return await client.post("/", content=body, headers=headers)


def shown(body: bytes, content_type: str | None) -> dict[str, Any]:
    """The request as the golden file's readers see it."""
    start = body if len(body) < 1000 else body[:60] + b"..."
    return {"content_type": content_type, "body": start.decode(errors="backslashreplace")}


async def test_the_golden_file_is_what_fastapi_says_today(fastapi: httpx.AsyncClient) -> None:
    pages = {}
    for name, request in SAME.items():
        response = await asked_of_fastapi(fastapi, *request)
        answered = {"status": response.status_code, "answer": response.json()}
        pages[name] = {**shown(*request), **answered}
    for name, (body, content_type, status) in OUR_OWN.items():
        assert (await asked_of_fastapi(fastapi, body, content_type)).status_code == status
        ours = said_by_falgate(body, content_type)
        pages[name] = {**shown(body, content_type), "fastapi": status, **ours}

    if os.environ.get("GOLDEN") == "write":
        lines = (f"{json.dumps(name)}: {json.dumps(page)}" for name, page in pages.items())
        GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")
    assert json.loads(GOLDEN.read_bytes()) == pages


@pytest.mark.parametrize("name", [*SAME, *OUR_OWN])
def test_falgate_says_what_the_golden_file_says(name: str) -> None:
    body, content_type = SAME[name] if name in SAME else OUR_OWN[name][:2]
    page = json.loads(GOLDEN.read_bytes())[name]

    assert said_by_falgate(body, content_type) == {
        "status": page["status"],
        "answer": page["answer"],
    }


@pytest.mark.parametrize("name", OUR_OWN)
def test_where_fastapi_gives_no_reason_falgate_says_422(name: str) -> None:
    body, content_type, _ = OUR_OWN[name]

    assert said_by_falgate(body, content_type)["status"] == 422
