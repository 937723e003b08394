"""A key split in shares: any M of N bring it back, fewer do not, and each sheet carries the whole container."""

from hashlib import shake_256
from itertools import combinations

import pytest

from p2pchat.errors import Corrupt, Failed
from p2pchat.keys.backup.shares import KEY_BYTES, combine, holds_words, one_container, read, split, write

KEY = shake_256(b"split key").digest(KEY_BYTES)
CONTAINER = shake_256(b"container").digest(1304)
SHEETS = [f"# share {n} of 5\n\n{write(CONTAINER, words)}" for n, words in enumerate(split(KEY, 3, 5), 1)]


def test_any_three_of_five_open_it() -> None:
    for chosen in combinations(SHEETS, 3):
        shares = [read(sheet) for sheet in chosen]
        assert (combine(shares), one_container(shares)) == (KEY, CONTAINER)
        assert {share.need for share in shares} == {3}


def test_fewer_or_the_same_one_again_do_not() -> None:
    first, second = read(SHEETS[0]), read(SHEETS[1])
    with pytest.raises(Corrupt, match="3 shares open this backup, and there are 2"):
        combine([first, second])
    with pytest.raises(Corrupt, match="3 shares open this backup, and there is 1"):
        combine([first, first, first])


def test_shares_of_two_keys_or_two_backups_do_not_go_together() -> None:
    foreign = [read(write(CONTAINER, words)) for words in split(KEY[::-1], 3, 3)]
    with pytest.raises(Corrupt, match="do not belong together"):
        combine([read(SHEETS[0]), read(SHEETS[1]), foreign[0]])
    with pytest.raises(Corrupt, match="different backups"):
        one_container([read(SHEETS[0]), read(write(CONTAINER[1:], split(KEY, 3, 3)[0]))])


def test_words_may_stand_as_people_write_them_and_a_wrong_one_is_noticed() -> None:
    words = read(SHEETS[0]).words
    loose = SHEETS[0].replace(" ", "   ").upper().replace("\n", "\r\n\r\n")
    assert read(loose).words == words
    first, second, *rest = words.split()
    with pytest.raises(Corrupt, match="one is wrong or in another place"):
        read(write(CONTAINER, " ".join([second, first, *rest])))
    with pytest.raises(Corrupt, match="one is wrong or in another place"):
        read(write(CONTAINER, " ".join(["foobar", second, *rest])))
    with pytest.raises(Corrupt, match="no share"):
        read("\n".join(line for line in SHEETS[0].splitlines() if not line.startswith(first)))


def test_several_shares_in_one_text_are_told() -> None:
    assert holds_words(SHEETS[0]) and holds_words(SHEETS[0] + SHEETS[1]) and not holds_words("no words of a share")
    with pytest.raises(Corrupt, match="more than one share"):
        read(SHEETS[0] + SHEETS[1])


@pytest.mark.parametrize(("need", "of"), [(1, 3), (4, 3), (2, 17)])
def test_counts_that_split_nothing_are_refused(need: int, of: int) -> None:
    with pytest.raises(Failed):
        split(KEY, need, of)
