import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import BadFormat
from p2pchat.ids import TEXT_CHARS, UserId, parse_user_id, user_id_text

USER = UserId(bytes(range(32)))
TEXT = user_id_text(USER)


@given(st.binary(min_size=32, max_size=32))
def test_an_id_survives_its_text(raw: bytes) -> None:
    text = user_id_text(UserId(raw))
    assert len(text) == TEXT_CHARS and text.startswith("pc1")
    assert parse_user_id(text) == parse_user_id(text.upper()) == raw


def test_blanks_and_dashes_are_ignored() -> None:
    assert parse_user_id(" ".join(TEXT[i : i + 5] for i in range(0, 61, 5)) + "\n") == USER
    assert parse_user_id("-".join(TEXT[i : i + 5] for i in range(0, 61, 5))) == USER


@given(st.integers(3, 60), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_character_is_noticed(at: int, other: str) -> None:
    wrong = TEXT[:at] + other + TEXT[at + 1 :]
    if wrong != TEXT:
        with pytest.raises(BadFormat, match="checksum"):
            parse_user_id(wrong)


@given(st.integers(3, 59))
def test_two_swapped_characters_are_noticed(at: int) -> None:
    wrong = TEXT[:at] + TEXT[at + 1] + TEXT[at] + TEXT[at + 2 :]
    if wrong != TEXT:
        with pytest.raises(BadFormat):
            parse_user_id(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pc1",
        TEXT + "q",
        TEXT[:-1],
        TEXT.replace("pc1", "bc1"),
        TEXT[:-1] + "b",
        "x" * 10**6,
        TEXT[:30] + TEXT[30:].upper(),
    ],
)
def test_what_is_no_id_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(BadFormat) as caught:
        parse_user_id(text)
    assert caught.value.hint


def test_bip350_vector() -> None:
    """The checksum is Bech32m: a valid string of BIP-350's list, taken apart with our constants."""
    from p2pchat import ids

    text = "a1lqfn3a"
    values = [ord("a") >> 5, 0, ord("a") & 31, *[ids._ALPHABET.index(c) for c in text[2:]]]
    assert ids._polymod(values) == ids._BECH32M
