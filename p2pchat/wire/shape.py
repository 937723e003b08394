"""Structures on the wire: a frozen dataclass whose annotations say exactly what each position may hold.

A ``Struct`` is a msgpack array. Elements beyond the known ones are ignored (a later version added them); anything that
is signed or hashed is therefore carried as the received bytes, never encoded again (walls 4.4: H049).
"""

import types
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Final, Self, Union, cast, get_args, get_origin, get_type_hints

from p2pchat.errors import BadFormat
from p2pchat.wire import codec

_PLAIN: Final = frozenset({bool, int, bytes, str, type(None)})

Check = Callable[[Any], Any]  # takes the decoded value, gives the field's value, raises ValueError


@dataclass(frozen=True, slots=True)
class Size:
    """Bounds on a length: bytes of ``bytes``, UTF-8 bytes of ``str``, elements of ``list``."""

    least: int
    most: int

    def holds(self, length: int) -> None:
        if not self.least <= length <= self.most:
            raise ValueError(f"length {length} outside {self.least}..{self.most}")


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds on an integer, both inclusive."""

    least: int
    most: int


def exactly(length: int) -> Size:
    return Size(length, length)


def up_to(length: int) -> Size:
    return Size(0, length)


U8 = Annotated[int, Range(0, 2**8 - 1)]
U16 = Annotated[int, Range(0, 2**16 - 1)]
U32 = Annotated[int, Range(0, 2**32 - 1)]
U64 = Annotated[int, Range(0, 2**63 - 1)]  # one bit short, so that SQLite holds it too


class Struct:
    """Base of every wire structure. Subclasses are frozen dataclasses; field order is wire order.

    ``LABEL``, where set, is the first element on the wire: it keeps one structure's signature from ever being taken
    for another's. Supported annotations: bool, int, bytes, str, tuple[X, ...], nested Struct, ``X | None``,
    each with ``Annotated[..., Size | Range]``.
    """

    LABEL: ClassVar[str] = ""
    ADDED: ClassVar[int] = 0  # so many fields at the end came later: where they are absent their default counts
    __slots__ = ()

    def as_list(self) -> list[Any]:
        head: list[Any] = [self.LABEL] if self.LABEL else []
        checks = _CHECKS.get(type(self)) or _compile(type(self))
        values = [getattr(self, name) for name, _ in checks]
        return head + [value if type(value) in _PLAIN else _plain(value) for value in values]

    def encode(self) -> bytes:
        return codec.pack(self.as_list())

    @classmethod
    def from_value(cls, value: object) -> Self:
        """Build from a decoded msgpack value. Raises BadFormat naming the structure and the field."""
        checks = _CHECKS.get(cls) or _compile(cls)
        if not isinstance(value, list):
            raise BadFormat(f"{cls.__name__} is no array")
        if cls.LABEL:
            if not value or value[0] != cls.LABEL:
                raise BadFormat(f"this is no {cls.__name__}")
            value = value[1:]
        needed = len(checks) - cls.ADDED
        if len(value) < needed:
            raise BadFormat(f"{cls.__name__} has {len(value)} fields, {needed} are needed")
        got = {}
        for (name, check), item in zip(checks, value, strict=False):
            try:
                got[name] = check(item)
            except ValueError as error:
                raise BadFormat(f"{cls.__name__}.{name}: {error}") from error
        return cls(**got)

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        return cls.from_value(codec.unpack(raw))


def _plain(value: object) -> object:
    if isinstance(value, Struct):
        return value.as_list()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


_CHECKS: dict[type[Struct], tuple[tuple[str, Check], ...]] = {}


def _compile(cls: type[Struct]) -> tuple[tuple[str, Check], ...]:
    """Turn the annotations into checks, once a class."""
    hints = get_type_hints(cls, include_extras=True)
    _CHECKS[cls] = tuple((f.name, _check_for(hints[f.name])) for f in fields(cast(Any, cls)))
    return _CHECKS[cls]


def _check_for(hint: Any) -> Check:
    limits: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        limits = tuple(rest)
    while hasattr(hint, "__supertype__"):  # NewType: UserId is bytes on the wire
        hint = hint.__supertype__
        if get_origin(hint) is Annotated:
            hint, *rest = get_args(hint)
            limits += tuple(rest)
    if get_origin(hint) in (Union, types.UnionType):
        inner = _check_for(next(arm for arm in get_args(hint) if arm is not type(None)))
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        return _tuple_check(_check_for(get_args(hint)[0]), limits)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint.from_value
    return _scalar_check(hint, limits)


def _tuple_check(inner: Check, limits: tuple[Any, ...]) -> Check:
    size = next((limit for limit in limits if isinstance(limit, Size)), None)

    def check(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("is no array")
        if size is not None:
            size.holds(len(value))
        return tuple(inner(item) for item in value)

    return check


def _scalar_check(kind: Any, limits: tuple[Any, ...]) -> Check:
    size = next((limit for limit in limits if isinstance(limit, Size)), None)
    span = next((limit for limit in limits if isinstance(limit, Range)), None)

    def check(value: Any) -> Any:
        if type(value) is not kind:  # exact: a bool is no integer here
            raise ValueError(f"is no {kind.__name__}")
        if size is not None:
            size.holds(len(value.encode()) if kind is str else len(value))
        if span is not None and not span.least <= value <= span.most:
            raise ValueError(f"outside {span.least}..{span.most}")
        return value

    return check
