"""Three codes of a backup: any order, twice, foreign ones among them; what is missing or does not fit is named."""

import base64
import zlib
from hashlib import shake_256
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import Corrupt, Failed, P2PChatError
from p2pchat.keys.backup.parts import PREFIX, join, split
from p2pchat.limits import QR_CHARS

CONTAINER = shake_256(b"container").digest(1304)
ONE, TWO, THREE = PARTS = split(CONTAINER)
OTHER = split(CONTAINER[::-1])
WIFI = "WIFI:S:home;T:WPA;P:secret;;"
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_each_part_is_what_every_reader_gives_back_as_it_is() -> None:
    assert all(set(part) <= ALPHANUMERIC and len(part) < 800 for part in PARTS)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 1303, 1304, 3494])
def test_containers_of_all_lengths_come_back(length: int) -> None:
    container = shake_256(b"x").digest(length)
    assert join(split(container)) == container
    for two in combinations(split(container, parity=True), 2):
        assert join(two) == container


def test_H065_order_and_repetition_do_not_matter() -> None:
    for order in permutations(PARTS):
        assert join([*order, ONE, WIFI, TWO]) == CONTAINER


def test_H065_missing_parts_are_named() -> None:
    for given_, words in (
        ([ONE, THREE], "part 2 of 3 is missing"),
        ([THREE], "parts 1 and 2 of 3 are missing"),
        (split(CONTAINER, parity=True)[:1], "any two of the three parts will do"),
        ([ONE, TWO, THREE[:-1] + ("A" if THREE[-1] != "A" else "B")], "part 3 of 3 is missing .one code was read"),
    ):
        with pytest.raises(Corrupt, match=words):
            join(given_)


def test_H065_parts_of_two_backups_are_told_apart() -> None:
    with pytest.raises(Corrupt, match=r"parts of different backups: 1, 3 of set [0-9a-f]{8} and 2 of set [0-9a-f]{8}"):
        join([ONE, OTHER[1], THREE])
    with pytest.raises(Corrupt, match="different backups"):
        join([ONE, TWO, split(CONTAINER, parity=True)[2]])


def test_H066_other_people_s_codes_are_no_p2pchat_codes() -> None:
    for codes in ([], [WIFI], ["https://example.org/"], [""]):
        with pytest.raises(Corrupt, match="no p2pchat code"):
            join(codes)


def test_a_part_that_lies_about_its_set_is_found() -> None:
    raw = bytearray(base64.b32decode(TWO[len(PREFIX) :] + "=" * (-len(TWO[len(PREFIX) :]) % 8)))
    raw[40] ^= 1
    raw[-4:] = zlib.crc32(raw[:-4]).to_bytes(4)
    with pytest.raises(Corrupt, match="do not make up the backup"):
        join([ONE, PREFIX + base64.b32encode(raw).decode().rstrip("="), THREE])


def test_a_newer_version_asks_for_an_update() -> None:
    raw = bytearray(base64.b32decode(TWO[len(PREFIX) :] + "=" * (-len(TWO[len(PREFIX) :]) % 8)))
    raw[0] = 2
    raw[-4:] = zlib.crc32(raw[:-4]).to_bytes(4)
    with pytest.raises(Failed, match="newer p2pchat"):
        join([PREFIX + base64.b32encode(raw).decode().rstrip("=")])


@given(
    st.lists(
        st.text(max_size=200)
        | st.sampled_from(PARTS)
        | st.binary(max_size=900).map(
            lambda raw: PREFIX + base64.b32encode(raw + zlib.crc32(raw).to_bytes(4)).decode().rstrip("=")
        ),
        max_size=6,
    )
)
def test_anything_is_refused_in_a_sentence_or_is_the_backup(codes: list[str]) -> None:
    try:
        assert join([*codes, "P2PB" + "A" * QR_CHARS]) == CONTAINER
    except P2PChatError as error:
        assert 0 < len(error.message) < 300
