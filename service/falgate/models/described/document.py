"""fal's OpenAPI document of one endpoint: its input and output schemas, found by reference."""

from collections.abc import Mapping
from typing import Any

import msgspec

from falgate.models.described.wrong import DescriptionWrong

BYTES_MAX = 2 * 1024 * 1024
_REF = "#/components/schemas/"


class _Schema(
    msgspec.Struct, rename={"ref": "$ref", "order": "x-fal-order-properties"}, kw_only=True
):
    """What of a schema is read, as OpenAPI has it; null is taken for what is not there."""

    ref: str | None = None
    type: str | None = None
    title: str | None = None
    description: str | None = None
    properties: dict[str, Any] | None = None
    required: list[str] | None = None
    order: list[str] | None = None
    enum: list[Any] | None = None
    anyOf: list[Any] | None = None  # noqa: N815 - OpenAPI's word
    oneOf: list[Any] | None = None  # noqa: N815 - OpenAPI's word
    allOf: list[Any] | None = None  # noqa: N815 - OpenAPI's word
    nullable: bool | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None


def schema_in(value: Any, where: str) -> dict[str, Any]:
    """Return a value of a document if it is a schema.

    Raises:
        DescriptionWrong: It is none.
    """
    try:
        msgspec.convert(value, _Schema)
    except msgspec.ValidationError as error:
        raise DescriptionWrong(where, f"it is no schema: {error}") from None
    return {key: each for key, each in value.items() if each is not None}


def parsed(data: bytes) -> dict[str, Any]:
    """Parse a document.

    Raises:
        DescriptionWrong: It is too large, or not a JSON object.
    """
    if len(data) > BYTES_MAX:
        raise DescriptionWrong("", f"it is larger than {BYTES_MAX:,} bytes")
    try:
        found: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise DescriptionWrong("", "it is not a JSON object; fetch fal's document again") from None
    return found


class Document:
    """A document, and the schemas of its endpoint.

    Attributes:
        endpoint: fal's id.
        input_name: Name of the schema of arguments, such as "Flux2ProInput".
        output_name: Likewise, of results.
    """

    def __init__(self, document: Mapping[str, Any], endpoint: str) -> None:
        """Find the schemas by the paths: names and titles of schemas follow no rule.

        Raises:
            DescriptionWrong: It is the document of another endpoint, or has another form.
        """
        self.endpoint = endpoint
        self._document = document
        paths = (f"/{endpoint}", f"/{endpoint}/requests/{{request_id}}")
        self.input_name = self._named(paths[0], "post", "requestBody")
        self.output_name = self._named(paths[1], "get", "responses", "200")

    @property
    def category(self) -> str:
        """fal's category of the model, such as "text-to-image"."""
        found = _at(self._document, "info", "x-fal-metadata", "category")
        return found if isinstance(found, str) else "text-to-image"

    def schema(self, name: str) -> dict[str, Any]:
        """Return a schema by its name.

        Raises:
            DescriptionWrong: There is none.
        """
        found = _at(self._document, "components", "schemas", name)
        if found is None:
            raise DescriptionWrong(f"components.schemas.{name}", "the document has no such schema")
        return schema_in(found, f"components.schemas.{name}")

    def _named(self, path: str, *steps: str) -> str:
        where = ("paths", path, *steps, "content", "application/json", "schema", "$ref")
        found = _at(self._document, *where)
        if not isinstance(found, str):
            raise DescriptionWrong(
                ".".join(where),
                f"this is not fal's document of {self.endpoint}: it has no such path",
            )
        return reference(found)


def reference(ref: str) -> str:
    """Return the name of the schema that a reference means.

    Raises:
        DescriptionWrong: It leads elsewhere.
    """
    if not ref.startswith(_REF):
        raise DescriptionWrong(ref[:100], f"only references to {_REF} are understood")
    return ref.removeprefix(_REF)


def _at(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value
