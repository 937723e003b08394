"""What a value on the control socket may be: kinds that check a value and describe themselves as JSON Schema.

The same kinds serve the server (which refuses what does not fit) and ``rpc schema``.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from p2pchat.errors import BadFormat
from p2pchat.rpc.jsonlines import SAFE_INTEGER, Json

Value: TypeAlias = "bool | int | str | bytes | list[Value] | dict[str, Value] | None"
"""A checked value: as ``Json``, with base64 decoded to bytes."""


class Kind(Protocol):
    def check(self, value: Json, where: str) -> Value:
        """The value, decoded. Raises BadFormat, naming ``where``."""

    def schema(self) -> dict[str, Json]:
        """JSON Schema 2020-12."""


@dataclass(frozen=True, slots=True)
class Boolean:
    def check(self, value: Json, where: str) -> Value:
        if not isinstance(value, bool):
            raise _wrong(where, "is true or false")
        return value

    def schema(self) -> dict[str, Json]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number between ``low`` and ``high``, both included."""

    low: int = 0
    high: int = SAFE_INTEGER

    def check(self, value: Json, where: str) -> Value:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise _wrong(where, f"is a whole number from {self.low} to {self.high}")
        return value

    def schema(self) -> dict[str, Json]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Text:
    """Unicode text of ``low`` to ``high`` UTF-8 bytes; ``pattern``, if any, fits the whole of it."""

    high: int
    low: int = 1
    pattern: str = ""

    def check(self, value: Json, where: str) -> Value:
        if not isinstance(value, str):
            raise _wrong(where, "is a text")
        if not self.low <= len(value.encode("utf-8", "surrogatepass")) <= self.high:
            raise _wrong(where, f"is {self.low} to {self.high} bytes of UTF-8")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise _wrong(where, f"does not have the form {self.pattern}")
        return value

    def schema(self) -> dict[str, Json]:
        shape: dict[str, Json] = {"type": "string", "minLength": min(self.low, 1), "maxLength": self.high}
        return shape | ({"pattern": f"^(?:{self.pattern})$"} if self.pattern else {})


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a closed set of words."""

    words: tuple[str, ...]

    def check(self, value: Json, where: str) -> Value:
        if value not in self.words:
            raise _wrong(where, f"is one of {', '.join(self.words)}")
        return value

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Base64:
    """Bytes, at most ``high`` of them, as standard padded base64 in the JSON and as ``bytes`` once checked."""

    high: int

    def check(self, value: Json, where: str) -> Value:
        if not isinstance(value, str) or len(value) > self._chars():
            raise _wrong(where, f"is base64 of at most {self.high} bytes")
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise _wrong(where, "is not base64") from None

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "contentEncoding": "base64", "maxLength": self._chars()}

    def _chars(self) -> int:
        return (self.high + 2) // 3 * 4


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Kind
    high: int
    low: int = 0

    def check(self, value: Json, where: str) -> Value:
        if not isinstance(value, list) or not self.low <= len(value) <= self.high:
            raise _wrong(where, f"is a list of {self.low} to {self.high} items")
        return [self.item.check(item, f"{where}[{n}]") for n, item in enumerate(value)]

    def schema(self) -> dict[str, Json]:
        return {"type": "array", "items": self.item.schema(), "minItems": self.low, "maxItems": self.high}


@dataclass(frozen=True, slots=True)
class Number:
    """A number that need not be whole; only in what the command line prints, never on the socket."""

    def check(self, value: Json, where: str) -> Value:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong(where, "is a number")
        return value

    def schema(self) -> dict[str, Json]:
        return {"type": "number"}


@dataclass(frozen=True, slots=True)
class Words:
    """An object of at most ``high`` fields whose names and values are words of the given forms."""

    name: str
    value: str
    high: int

    def check(self, value: Json, where: str) -> Value:
        if not isinstance(value, dict) or len(value) > self.high:
            raise _wrong(where, f"is an object of at most {self.high} words")
        for name, word in value.items():
            if not re.fullmatch(self.name, name) or not isinstance(word, str) or not re.fullmatch(self.value, word):
                raise _wrong(where, f"does not hold words of the form {self.value}")
        return {**value}  # type: ignore[dict-item] # texts, as has just been seen

    def schema(self) -> dict[str, Json]:
        word: dict[str, Json] = {"type": "string", "pattern": f"^(?:{self.value})$"}
        names: dict[str, Json] = {"pattern": f"^(?:{self.name})$"}
        return {"type": "object", "additionalProperties": word, "propertyNames": names, "maxProperties": self.high}


@dataclass(frozen=True, slots=True)
class Nullable:
    inner: Kind

    def check(self, value: Json, where: str) -> Value:
        return None if value is None else self.inner.check(value, where)

    def schema(self) -> dict[str, Json]:
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class Field:
    """One named value of an object. An optional one that is left out is absent, or ``default`` where that is set."""

    name: str
    kind: Kind
    doc: str
    required: bool = True
    default: bool | int | str | None = None

    def schema(self) -> dict[str, Json]:
        shape = self.kind.schema() | {"description": self.doc}
        return shape if self.default is None else shape | {"default": self.default}


@dataclass(frozen=True, slots=True)
class Record:
    """An object with exactly these fields."""

    fields: tuple[Field, ...]

    def check(self, value: Json, where: str) -> dict[str, Value]:
        if not isinstance(value, dict):
            raise _wrong(where, "is an object")
        known = {field.name: field for field in self.fields}
        strange = [name for name in value if name not in known]
        if strange:
            raise _wrong(where, f"has no field {strange[0][:64]!r}")
        checked: dict[str, Value] = {}
        for name, field in known.items():
            if name in value:
                checked[name] = field.kind.check(value[name], f"{where}.{name}")
            elif field.required:
                raise _wrong(where, f"lacks the field {name!r}")
            elif field.default is not None:
                checked[name] = field.default
        return checked

    def schema(self) -> dict[str, Json]:
        properties: Mapping[str, Json] = {field.name: field.schema() for field in self.fields}
        required: list[Json] = [field.name for field in self.fields if field.required]
        return {
            "type": "object",
            "properties": dict(properties),
            "required": required,
            "additionalProperties": False,
        }


def _wrong(where: str, what: str) -> BadFormat:
    return BadFormat(f"{where} {what}", hint="p2pchat rpc schema")
