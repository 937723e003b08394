"""The threat model speaks of every adversary, and names tests that are there."""

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
TEXT: Final = (TESTS.parent / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED: Final = sorted(set(re.findall(r"`(\w+/[\w/]+\.py)::(\w+)`", TEXT)))
ADVERSARIES: Final = 19


@cache
def names_in(path: str) -> frozenset[str]:
    source = (TESTS / path).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", source, re.MULTILINE))


def parts() -> dict[str, str]:
    """Text by heading."""
    found = re.split(r"^## (.+)\n", TEXT, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in names_in(path)


def test_every_adversary_is_spoken_of() -> None:
    numbers = {int(number) for number in re.findall(r"\bA(\d+)\b", TEXT)}
    assert numbers == set(range(1, ADVERSARIES + 1))


def test_every_part_shows_a_test_and_says_what_is_left_or_is_not_yet() -> None:
    lacking = [
        heading
        for heading, text in parts().items()
        if not heading.startswith("Not yet") and ("::test_" not in text or "**Left**" not in text)
    ]
    assert not lacking


def test_every_name_of_a_test_is_written_whole() -> None:
    """One that is cut by the end of a line would be compared with nothing."""
    assert TEXT.count("::test_") == len(re.findall(r"`\w+/[\w/]+\.py::\w+`", TEXT))
