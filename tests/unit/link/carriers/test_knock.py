"""The knock: what opens the door, once, and what does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from p2pchat.ids import UserId
from p2pchat.link.carriers.knock import HOUR_MS, WINDOW_HOURS, UsedKnocks, knock, knock_key, opens

KNOWN: list[dict[str, Any]] = json.loads((Path(__file__).parents[3] / "vectors" / "knock_v1.json").read_text())[
    "knocks"
]
KEY, NONCE, HOUR = knock_key(UserId(b"q" * 32)), b"12345678", 500_000


@pytest.mark.parametrize("known", KNOWN)
def test_a_knock_is_what_it_was(known: dict[str, Any]) -> None:
    key = knock_key(UserId(bytes.fromhex(known["user"])))
    assert key.hex() == known["key"]
    assert knock(key, bytes.fromhex(known["nonce"]), known["now_ms"] // HOUR_MS).hex() == known["knock"]
    assert opens(key, bytes.fromhex(known["knock"]), known["hour"])


@pytest.mark.parametrize(("apart", "fits"), [(0, True), (WINDOW_HOURS, True), (WINDOW_HOURS + 1, False)])
def test_it_counts_within_a_day_either_way(apart: int, fits: bool) -> None:
    shown = knock(KEY, NONCE, HOUR)
    assert opens(KEY, shown, HOUR + apart) is opens(KEY, shown, HOUR - apart) is fits


def test_clocks_near_the_beginning_of_time_are_no_trouble() -> None:
    assert opens(KEY, knock(KEY, NONCE, 0), 0)
    assert not opens(KEY, knock(KEY, NONCE, 100), 0)


def test_it_is_for_one_id() -> None:
    assert not opens(knock_key(UserId(b"r" * 32)), knock(KEY, NONCE, HOUR), HOUR)


@pytest.mark.parametrize("bit", range(0, 128, 7))
def test_no_bit_of_it_may_change(bit: int) -> None:
    shown = bytearray(knock(KEY, NONCE, HOUR))
    shown[bit // 8] ^= 1 << bit % 8
    assert not opens(KEY, bytes(shown), HOUR)


def test_each_counts_once() -> None:
    used = UsedKnocks()
    assert used.use(knock(KEY, NONCE, HOUR))
    assert not used.use(knock(KEY, NONCE, HOUR))
    assert not used.use(knock(KEY, NONCE, HOUR + 1)), "the same nonce under another hour"
    assert used.use(knock(KEY, b"another!", HOUR))


def test_the_oldest_is_forgotten_first() -> None:
    used = UsedKnocks([b"%08d" % n for n in range(3)], remembered=3)
    assert used.use(b"%08d" % 3)
    assert not used.use(b"%08d" % 1)
    assert used.use(b"%08d" % 0)


def test_what_could_not_be_written_is_handed_out_again_in_order() -> None:
    used = UsedKnocks(remembered=3)
    for n in range(3):
        used.use(b"%08d" % n)
    failed = used.take_changes()
    used.use(b"%08d" % 3)
    used.put_back(failed)
    assert used.take_changes() == [b"%08d" % n for n in (1, 2, 3)], "the latest three are enough"
    assert used.take_changes() == []
