from dataclasses import dataclass
from typing import Annotated

import pytest

from p2pchat.errors import BadFormat
from p2pchat.wire.shape import U8, Range, Size, Struct, exactly, up_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Struct):
    number: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer(Struct):
    LABEL = "test/outer"
    key: Annotated[bytes, exactly(4)]
    text: Annotated[str, Size(1, 5)]
    flag: bool
    span: Annotated[int, Range(-3, 3)]
    inner: Inner
    many: Annotated[tuple[Inner, ...], up_to(2)]
    maybe: Annotated[bytes, up_to(2)] | None


GOOD = Outer(key=b"1234", text="hé", flag=True, span=-3, inner=Inner(number=255), many=(Inner(number=0),), maybe=None)


def test_a_structure_survives() -> None:
    assert Outer.decode(GOOD.encode()) == GOOD


def test_fields_of_a_later_version_are_ignored() -> None:
    assert Outer.from_value([*GOOD.as_list(), "new"]) == GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown(Struct):
    """As a later version has it: the last field was added, the one before was not, though it has a default, too."""

    LABEL = "test/grown"
    ADDED = 1
    first: U8
    second: U8 = 2
    third: U8 = 3


def test_only_a_field_that_was_added_may_be_absent() -> None:
    assert Grown.from_value(["test/grown", 7, 8]) == Grown(first=7, second=8)
    assert Grown.from_value(["test/grown", 7, 8, 9]) == Grown(first=7, second=8, third=9)
    for fields in ([], [7]):
        with pytest.raises(BadFormat, match=f"has {len(fields)} fields, 2 are needed"):
            Grown.from_value(["test/grown", *fields])


@pytest.mark.parametrize(
    ("position", "value", "said"),
    [
        (0, "other/label", "no Outer"),
        (1, b"123", "key"),
        (1, "1234", "key"),
        (2, "", "text"),
        (2, "ééé", "text"),  # six bytes
        (3, 1, "flag"),
        (4, 4, "span"),
        (4, True, "span"),
        (5, [256], "number"),
        (5, 7, "Inner"),
        (6, [[1], [2], [3]], "many"),
        (6, b"", "many"),
        (7, b"123", "maybe"),
    ],
)
def test_a_wrong_field_is_named(position: int, value: object, said: str) -> None:
    values = GOOD.as_list()
    values[position] = value
    with pytest.raises(BadFormat, match=said):
        Outer.from_value(values)


def test_missing_fields_and_foreign_values_are_refused() -> None:
    with pytest.raises(BadFormat, match="fields"):
        Outer.from_value(GOOD.as_list()[:-1])
    for value in (None, 5, [], "test/outer"):
        with pytest.raises(BadFormat):
            Outer.from_value(value)
