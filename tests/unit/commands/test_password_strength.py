"""The estimate flatters nobody, and generated phrases hold the bits that they claim."""

import pytest

from p2pchat.commands.password_strength import describe, generated_phrase, strength_bits


@pytest.mark.parametrize(
    ("password", "low", "high"),
    [
        ("", 0, 0),
        ("a", 1, 6),
        ("password", 5, 12),
        ("P@ssw0rd1", 5, 20),
        ("s3cr3t!", 5, 20),
        ("qwertyuiop", 1, 12),
        ("aaaaaaaaaaaaaaaa", 1, 12),
        ("12345678", 1, 12),
        ("summer2024", 10, 20),
        ("Tr0ub4dor&3", 30, 55),
        ("jf8#Kd02!xPq", 50, 80),
        ("correct horse battery staple", 40, 60),
        ("lusab-babad-gutih-tugad-vonis", 64, 100),
    ],
)
def test_the_estimate_is_between_sane_bounds(password: str, low: float, high: float) -> None:
    assert low <= strength_bits(password) <= high


def test_more_is_never_weaker() -> None:
    password = ""
    bits = 0.0
    for char in "k9#vTq2!mZ":
        password += char
        assert strength_bits(password) >= bits - 1e-9 or len(password) < 4
        bits = strength_bits(password)


def test_it_is_said_in_words() -> None:
    assert describe("password") == "strength: about 10 bits, weak: seconds for a thief"
    assert "strong" in describe("lusab-babad-gutih-tugad-vonis")


def test_phrases_are_proquints() -> None:
    assert generated_phrase(bytes([127, 0, 0, 1])) == "lusab-babad"  # the published example, arXiv:0901.4016
    assert generated_phrase(bytes([63, 84, 220, 193])) == "gutih-tugad"


def test_different_bytes_make_different_phrases() -> None:
    assert len({generated_phrase(value.to_bytes(2)) for value in range(2**16)}) == 2**16
