"""Comparing keys live: how it should go, and a peer who wants to choose after seeing."""

from dataclasses import replace

import pytest

from p2pchat.contacts import compare
from p2pchat.contacts.compare import Comparison, End, Ends, Fault, Verdict
from p2pchat.contacts.emoji import TABLE
from p2pchat.errors import BadFormat
from p2pchat.show import width
from p2pchat.wire.structs import Compare
from tests.support.identities import stored_identity

LINK = b"l" * 32


def end(index: int) -> End:
    identity = stored_identity(index)
    return End(identity.user, identity.chain.root.spki_hash)


def side(own: int, peer: int, value: bytes, link: bytes = LINK) -> Comparison:
    return Comparison(ends=Ends(end(own), end(peer), link), value=value * 32)


def told(listener: Comparison, speaker: Comparison) -> Comparison:
    """What the listener makes of the speaker's statement, as it comes over the wire."""
    return listener.heard(compare.read(speaker.statement().encode()))


def shown_pair() -> tuple[Comparison, Comparison]:
    ann, bob = side(0, 1, b"a"), side(1, 0, b"b")
    bob = told(bob, ann)
    ann = told(ann, bob)
    return ann, told(bob, ann)


def test_both_see_the_same_four_pictures() -> None:
    ann, bob = shown_pair()
    assert ann.shown and bob.shown
    assert ann.pictures() == bob.pictures()
    assert len(ann.pictures()) == 4 and all(0 <= number < len(TABLE) for number in ann.pictures())


def test_both_may_begin_at_once() -> None:
    ann, bob = side(0, 1, b"a"), side(1, 0, b"b")
    ann, bob = told(ann, bob), told(bob, ann)
    assert not ann.shown and not bob.shown
    ann, bob = told(ann, bob), told(bob, ann)
    assert ann.pictures() == bob.pictures()


def test_no_value_is_said_before_the_other_commitment_is_there() -> None:
    ann = side(0, 1, b"a")
    assert ann.statement() == Compare(commitment=ann.commitment, seen=b"", value=b"", verdict=0)
    assert b"a" * 32 not in ann.statement().encode()
    assert "a" * 32 not in repr(ann)


def test_repeated_statements_change_nothing() -> None:
    ann, bob = shown_pair()
    assert told(ann, bob) == ann and told(bob, ann) == bob
    assert told(ann, side(1, 0, b"b")) == ann, "nor an older one"


def test_verdicts_reach_the_other_side() -> None:
    ann, bob = shown_pair()
    ann = ann.answered(Verdict.YES)
    bob = told(bob, ann).answered(Verdict.NO)
    assert bob.peer_verdict is Verdict.YES
    ann = told(ann, bob)
    assert ann.peer_verdict is Verdict.NO
    assert told(ann, replace(bob, verdict=Verdict.YES)).peer_verdict is Verdict.NO, "a no is never taken back"


def test_breaking_off() -> None:
    ann, bob = side(0, 1, b"a"), side(1, 0, b"b")
    assert told(ann, bob.answered(Verdict.ENDED)) == ann, "it had not been heard of"
    waiting = told(ann, bob)
    gone = told(waiting, told(bob, ann).answered(Verdict.ENDED))
    assert gone.fault is Fault.ENDED and gone.statement().verdict == Verdict.ENDED
    ann, bob = shown_pair()
    ann = told(ann, bob.answered(Verdict.ENDED))
    assert (ann.shown, ann.peer_verdict) == (True, Verdict.ENDED), "there is something to answer all the same"


def test_a_side_that_broke_off_says_no_value() -> None:
    ann = told(side(0, 1, b"a"), side(1, 0, b"b"))
    assert ann.statement().value
    assert ann.answered(Verdict.ENDED).statement().value == b""


# --- a peer who cheats ------------------------------------------------------------------------------------------------


def test_another_value_than_was_committed_to() -> None:
    ann, bob = side(0, 1, b"a"), side(1, 0, b"b")
    honest = told(bob, ann).statement()
    cheated = ann.heard(replace(honest, value=b"x" * 32))
    assert cheated.fault is Fault.WRONG_VALUE
    assert not cheated.shown and not cheated.statement().value


def test_another_commitment_after_the_value_was_said() -> None:
    ann = told(side(0, 1, b"a"), side(1, 0, b"b"))
    assert ann.statement().value
    assert told(ann, side(1, 0, b"c")).fault is Fault.BEGAN_ANEW


def test_my_own_commitment_sent_back() -> None:
    ann = side(0, 1, b"a")
    assert told(ann, ann).fault is Fault.REFLECTED
    waiting = told(ann, side(1, 0, b"b"))
    assert told(waiting, ann).fault is Fault.REFLECTED


def test_a_commitment_has_a_direction() -> None:
    """What one side committed to cannot be said by the other, whoever carries it."""
    ends = side(0, 1, b"a").ends
    assert ends.commitment(b"v" * 32, own=True) != ends.commitment(b"v" * 32, own=False)


def test_what_answers_an_earlier_comparison_counts_for_nothing() -> None:
    ann, bob = side(0, 1, b"a"), side(1, 0, b"b")
    late = told(bob, ann).statement()
    anew = side(0, 1, b"n")
    assert anew.heard(late) == anew


@pytest.mark.parametrize(
    "other",
    [
        side(0, 1, b"a", link=b"m" * 32),
        side(0, 2, b"a"),
        side(2, 1, b"a"),
        Comparison(ends=Ends(replace(end(0), spki_hash=b"r" * 32), end(1), LINK), value=b"a" * 32),
        Comparison(ends=Ends(end(0), replace(end(1), spki_hash=b"r" * 32), LINK), value=b"a" * 32),
    ],
    ids=["link", "peer", "own", "own root", "peer's root"],
)
def test_a_commitment_is_bound_to_both_people_both_roots_and_the_link(other: Comparison) -> None:
    assert other.commitment != side(0, 1, b"a").commitment
    spoken = replace(told(side(1, 0, b"b"), side(0, 1, b"a")).statement(), seen=other.commitment)
    assert other.heard(spoken).fault is Fault.WRONG_VALUE


@pytest.mark.parametrize(
    "said",
    [
        Compare(commitment=b"c" * 32, seen=b"s" * 31, value=b"", verdict=0),
        Compare(commitment=b"c" * 32, seen=b"s" * 32, value=b"v", verdict=0),
        Compare(commitment=b"c" * 32, seen=b"", value=b"v" * 32, verdict=0),
        Compare(commitment=b"c" * 32, seen=b"s" * 32, value=b"", verdict=1),
        Compare(commitment=b"c" * 32, seen=b"s" * 32, value=b"", verdict=2),
        Compare(commitment=b"c" * 32, seen=b"s" * 32, value=b"v" * 32, verdict=4),
    ],
)
def test_a_statement_that_cannot_be_is_refused(said: Compare) -> None:
    with pytest.raises(BadFormat, match="comparison"):
        compare.read(said.encode())


def test_the_pictures_can_be_told_apart_on_any_terminal() -> None:
    emoji, names = zip(*TABLE, strict=True)
    assert len(set(emoji)) == len(set(names)) == 64
    assert all(len(one) == 1 and width(one) == 2 for one in emoji)
    assert all(name.isascii() and name == name.lower() for name in names)
    assert len({name[:4] for name in names}) == 64, "also by a bad line"
