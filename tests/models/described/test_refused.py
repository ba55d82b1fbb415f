"""What cannot be sold safely is refused at the start: the file, the place, and what to do."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from easel import easel, files, inputs, outputs, ref

from falgate.models.described.loader import load
from falgate.models.described.wrong import DescriptionWrong

Parts = dict[str, Any]
Change = Callable[[Parts], object]


def term(**fields: Any) -> Change:
    """Replaces the first term of the price."""
    return lambda it: it["price"]["terms"].__setitem__(0, {"of": "picture", "usd": "1", **fields})


def puts(part: str, **fields: Any) -> Change:
    """Changes a table of the declaration."""
    return lambda it: it[part].update(fields)


def drops(part: str, name: str) -> Change:
    """Leaves a line out."""
    return lambda it: it[part].pop(name)


DECLARED: dict[str, tuple[Change, str]] = {
    "an unknown line": (lambda it: it.update(colour=1), "unknown field `colour`"),
    "an unknown line in a table": (puts("fields", sead="seed"), "fields: .* unknown field `sead`"),
    "no endpoint": (lambda it: it.pop("endpoint"), "missing required field `endpoint`"),
    "an endpoint that is no path": (lambda it: it.update(endpoint="../x"), "endpoint: "),
    "a path of falgate's own": (lambda it: it.update(endpoint="admin/v1"), "paths"),
    "another model's document": (lambda it: it.update(endpoint="acme/other"), "not fal's document"),
    "a hash of another file": (puts("openapi", sha256="0" * 64), "openapi.sha256: easel.json"),
    "a document elsewhere": (puts("openapi", file="../easel.json"), "openapi.file"),
    "something to decide": (puts("size", pixels="?"), r"size.pixels: \"\?\" is for you to decide"),
    "no prompt": (puts("fields", prompt="text"), "fields.prompt: .* no 'text'; there are: prompt"),
    "a prompt that may be left out": (puts("fields", prompt="note"), "fields.prompt"),
    "a seed that is no number": (puts("fields", seed="quality"), "fields.seed: .* int"),
    "a count that is no argument": (puts("fields", count="n"), "fields.count"),
    "a quality of any text": (puts("fields", quality="note"), "fields.quality: .* does not list"),
    "a picture that is keyed by its delivery": (
        lambda it: it.update(unkeyed=["num_images"]),
        "unkeyed: ",
    ),
    "an argument that is not keyed": (
        lambda it: it.update(unkeyed=["num_images", "sync_mode", "steps"]),
        "unkeyed: ",
    ),
    "a refusal of nothing": (lambda it: it.update(refuse=[{}]), r"refuse\[0\]"),
    "a misspelt value": (lambda it: it.update(refuse=[{"quality": "hi"}]), r"refuse\[0\].quality"),
    "a value of another type": (lambda it: it.update(unpooled=[{"steps": "x"}]), r"unpooled\[0\]"),
    "closing what is required": (lambda it: it.update(closed=["prompt"]), "closed: prompt"),
    "closing what is not there": (lambda it: it.update(closed=["loras"]), "closed: .* 'loras'"),
    "files of another field": (
        puts("outputs", files="pictures[*]"),
        "outputs.files: .* 'pictures'",
    ),
    "files that are none": (puts("outputs", files="scores[*]"), "outputs.files: "),
    "a single picture with a count": (
        puts("outputs", files="images"),
        "outputs.files: with a single picture there is no count",
    ),
    "a scalar that is not there": (puts("outputs", scalars=["x"]), "outputs.scalars"),
    "flags that are no list": (puts("outputs", flags=["seed"]), "outputs: seed is no list"),
    "a size that is not declared": (puts("size", unknown=["wide"]), "size: auto: say in fold"),
    "a size that is not there": (puts("size", unknown=["wide", "auto", "tall"]), "'tall' is no"),
    "no bound on the pixels": (drops("size", "pixels"), "missing required field `pixels`"),
    "pixels the wrong way round": (puts("size", pixels=[9, 4]), "size.pixels"),
    "no price": (puts("price", terms=[]), "price.terms"),
    "a negative price": (term(usd="-0.1"), r"price.terms\[0\].usd: '-0.1' is not an amount"),
    "a price that is a float": (term(usd=0.1), r"price.terms\[0\].usd: Expected `str`"),
    "a price of nothing": (term(usd="0"), r"price.terms\[0\].usd: nothing is free"),
    "a value that is free": (
        term(times={"quality": {"low": "0", "high": "1"}}),
        "times.quality: nothing is free",
    ),
    "a size with more tokens than the largest": (
        term(of="grid", unknown_size=[2048, 1024], grid={"low": 16, "high": 96}),
        "unknown_size: 2048x2048 has more tokens",
    ),
    "too many sizes to look at": (
        lambda it: (
            term(of="grid", unknown_size=[64, 64], grid={"low": 1, "high": 2})(it),
            it["size"].update(multiple_of=1),
        ),
        "size: more than 300 sides",
    ),
    "an input that is not there": (
        lambda it: it.update(files=[{"path": "image_urls[*]"}]),
        r"files\[0\].path: fal's document has no list of texts 'image_urls'",
    ),
    "an input of another type": (
        lambda it: it.update(files=[{"path": "steps"}]),
        r"files\[0\].path: fal's document has no text 'steps'",
    ),
    "a number of inputs that there cannot be": (
        lambda it: it.update(files=[{"path": "note", "max": 2}]),
        r"files\[0\].max",
    ),
    "a mask of nothing": (
        lambda it: it.update(files=[{"path": "note", "masks": "image_url"}]),
        r"files\[0\].masks",
    ),
    "a price in words": (term(usd="a cent"), r"price.terms\[0\].usd"),
    "a price by an argument that is not there": (
        term(times={"resolution": {"1K": "1"}}),
        r"price.terms\[0\].times: .* 'resolution'",
    ),
    "a value without a price": (
        term(times={"quality": {"low": "1"}}),
        r"times.quality: 'high' has no price",
    ),
    "a price of no value": (
        term(times={"quality": {"low": "1", "high": "2", "best": "3"}}),
        "'best' is no value",
    ),
    "a factor of any number": (term(times={"steps": {"1": "1"}}), "does not list all values of"),
    "a condition on nothing": (term(when={"x": 1}), r"price.terms\[0\].when"),
    "pictures without a price": (term(when={"quality": "low"}), "no term counts for every picture"),
    "more booked than held": (
        lambda it: it["price"]["terms"].append({"of": "picture", "usd": "1", "usual": "2"}),
        r"price.terms\[4\].usual",
    ),
    "no bound on a size": (term(of="megapixel"), r"price.terms\[0\].unknown_size"),
    "a bound that is too small": (
        term(of="megapixel", unknown_size=[64, 64]),
        "pictures may have 4,194,304 pixels",
    ),
    "a quality without a price": (
        term(of="grid", unknown_size=[2048, 2048], grid={"low": 1}),
        r"price.terms\[0\].grid: 'high' has no price",
    ),
    "files that are not there": (term(of="file"), "no input files"),
    "rounding to nothing": (puts("price", round_up_to="0"), "price.round_up_to"),
    "a unit price in words": (puts("price", unit_usd="cheap"), "price.unit_usd"),
}


def field(name: str, **said: Any) -> Change:
    """Adds an argument to the document."""
    return lambda it: inputs(it).update({name: said})


PUBLISHED: dict[str, tuple[Change, str]] = {
    "a cycle": (
        lambda it: it["components"]["schemas"]["Tip"]["properties"].update(brush=ref("Brush")),
        "Brush: it refers to itself",
    ),
    "a reference elsewhere": (field("x", **{"$ref": "https://a.b/c"}), "https://a.b/c: only"),
    "a reference to nothing": (field("x", **ref("Nobody")), "components.schemas.Nobody"),
    "a type that nobody knows": (field("x", type="decimal"), "EaselPaintInput.x: type 'decimal'"),
    "a rule that nobody knows": (
        field("x", type="string", contentEncoding="base64"),
        "contentEncoding is not understood",
    ),
    "a limit that is none": (field("x", type="integer", minimum="a"), "EaselPaintInput.x: "),
    "a limit of an older dialect": (
        field("x", type="integer", minimum=1, exclusiveMinimum=True),
        "EaselPaintInput.x: its limits are bools",
    ),
    "an enum of objects": (field("x", enum=[{"a": 1}]), "EaselPaintInput.x: values of an enum"),
    "a default that does not fit": (field("x", type="integer", default="a"), "its default"),
    "a name that is no word": (field("font-size", type="integer"), "EaselPaintInput.font-size"),
    "two kinds of objects": (field("x", anyOf=[ref("Tip"), ref("Brush")]), "cannot be told apart"),
    "a file to read": (field("image_url", type="string"), "closed: image_url leads to a file"),
    "a file to read, deeper": (
        lambda it: it["components"]["schemas"]["Tip"]["properties"].update(path={"type": "string"}),
        "closed: brushes: path leads to a file",
    ),
    "a format that is not kept": (
        lambda it: inputs(it)["output_format"].update(enum=["jpeg", "png", "gif"]),
        "fields.format: .*gif",
    ),
    "a file beside the pictures": (
        lambda it: outputs(it).update(video=ref("File")),
        "outputs.files: video has files too",
    ),
    "a number of pictures without a limit": (
        lambda it: inputs(it)["num_images"].pop("maximum"),
        "fields.count_max: num_images has no maximum",
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_declaration_is_refused(name: str) -> None:
    change, words = DECLARED[name]

    with pytest.raises(DescriptionWrong, match=f"^easel.toml: .*{words}"):
        easel(change)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_document_is_refused(name: str) -> None:
    change, words = PUBLISHED[name]
    # The declared maximum is one too.
    declare = drops("fields", "count_max") if "limit" in name else None

    with pytest.raises(DescriptionWrong, match=f"^easel.toml: .*{words}"):
        easel(declare, change)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"[" * 10_000, b'{"a":"' + b"x" * 2**21])
def test_a_document_that_is_none_is_refused(data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    text, _ = files(puts("openapi", sha256=digest))

    with pytest.raises(DescriptionWrong, match=r"^easel.toml: easel.json: it is"):
        load("easel.toml", text, lambda _: data)


@pytest.mark.parametrize("text", ["endpoint =", "a = 1\n" * 50_000, "[[[["])
def test_a_declaration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DescriptionWrong, match=r"^easel.toml: (this is not TOML|it is larger)"):
        load("easel.toml", text, lambda _: b"{}")
