"""Somebody between two people, with keys of his own towards each: he never gets to choose after he has seen."""

from dataclasses import dataclass, field
from hashlib import sha256

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from p2pchat.contacts.compare import Comparison, End, Ends, Fault, Verdict
from p2pchat.ids import UserId
from p2pchat.wire.structs import Compare

values = st.binary(min_size=32, max_size=32)
ANN, BOB = End(UserId(b"A" * 32), b"a" * 32), End(UserId(b"B" * 32), b"b" * 32)
EVE_AS_BOB, EVE_AS_ANN = End(UserId(b"E" * 32), b"e" * 32), End(UserId(b"F" * 32), b"f" * 32)
LINKS = (b"1" * 32, b"2" * 32)


@dataclass
class Leg:
    """One victim and what Eve has said to it and learnt from it."""

    victim: Comparison
    committed: bytes = b""  # the value that Eve bound herself to
    learnt: bytes = b""  # the victim's value, once it was said
    said: list[Compare] = field(default_factory=list)

    def tell(self, said: Compare) -> None:
        before = self.victim
        self.victim = before.heard(said)
        self.said.append(said)
        if self.victim.statement().value and not self.learnt:
            self.learnt = self.victim.statement().value

    def eves(self, value: bytes) -> bytes:
        return self.victim.ends.commitment(value, own=False)


class ManInTheMiddle(RuleBasedStateMachine):
    """Eve speaks with Ann as Bob and with Bob as Ann, in any order, saying anything."""

    @initialize(ann=values, bob=values)
    def begin(self, ann: bytes, bob: bytes) -> None:
        self.legs = (
            Leg(Comparison(ends=Ends(ANN, EVE_AS_BOB, LINKS[0]), value=ann)),
            Leg(Comparison(ends=Ends(BOB, EVE_AS_ANN, LINKS[1]), value=bob)),
        )

    @rule(at=st.integers(0, 1), value=values)
    def commit(self, at: int, value: bytes) -> None:
        leg = self.legs[at]
        if not leg.victim.held:
            leg.committed = value
        leg.tell(Compare(commitment=leg.eves(value), seen=b"", value=b"", verdict=0))

    @rule(at=st.integers(0, 1), value=st.none() | values)
    def reveal(self, at: int, value: bytes | None) -> None:
        """What she committed to, or anything else; the other victim's value too, where she knows it."""
        leg = self.legs[at]
        spoken = value or leg.committed or bytes(32)
        leg.tell(Compare(commitment=leg.victim.held, seen=leg.victim.commitment, value=spoken, verdict=0))

    @precondition(lambda self: any(leg.learnt for leg in self.legs))
    @rule(at=st.integers(0, 1))
    def repeat_what_she_learnt(self, at: int) -> None:
        leg, other = self.legs[at], self.legs[1 - at]
        leg.tell(Compare(commitment=leg.victim.held, seen=leg.victim.commitment, value=other.learnt, verdict=0))

    @rule(at=st.integers(0, 1), of=st.integers(0, 1))
    def pass_on(self, at: int, of: int) -> None:
        """A victim's own statement, to itself or to the other."""
        self.legs[at].tell(self.legs[of].victim.statement())

    @rule(
        at=st.integers(0, 1),
        garbage=st.builds(Compare, commitment=values, seen=values, value=values, verdict=st.just(0)),
    )
    def say_anything(self, at: int, garbage: Compare) -> None:
        self.legs[at].tell(garbage)

    @rule(at=st.integers(0, 1))
    def break_off(self, at: int) -> None:
        leg = self.legs[at]
        leg.tell(Compare(commitment=leg.victim.held or bytes(32), seen=b"", value=b"", verdict=Verdict.ENDED))

    @invariant()
    def she_was_bound_before_she_learnt(self) -> None:
        for leg in getattr(self, "legs", ()):
            assert not leg.learnt or leg.victim.held
            if leg.victim.shown:
                assert leg.eves(leg.victim.peer_value) == leg.victim.held
                assert leg.victim.peer_value == leg.committed, "nothing but what she fixed before"

    @invariant()
    def the_binding_never_changes(self) -> None:
        for leg in getattr(self, "legs", ()):
            first = next((said.commitment for said in leg.said if leg.victim.held == said.commitment), None)
            assert leg.victim.held in {b"", first}


TestManInTheMiddle = ManInTheMiddle.TestCase
TestManInTheMiddle.settings = settings(max_examples=150, stateful_step_count=12, deadline=None)


def together(ann: bytes, bob: bytes, eve: tuple[bytes, bytes]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What Ann and Bob see with Eve between them, who plays by the rules with each."""
    seen = []
    for own, peer, link, value, eves in ((ANN, EVE_AS_BOB, 0, ann, eve[0]), (BOB, EVE_AS_ANN, 1, bob, eve[1])):
        victim = Comparison(ends=Ends(own, peer, LINKS[link]), value=value)
        commitment = victim.ends.commitment(eves, own=False)
        seen.append(
            victim.heard(Compare(commitment=commitment, seen=victim.commitment, value=eves, verdict=0)).pictures()
        )
    return seen[0], seen[1]


def test_the_same_value_on_both_sides_does_not_make_the_pictures_the_same() -> None:
    """A chance of one in 16,777,216 each; these 300 are fixed, and none of them has it."""
    for number in range(300):
        ann, bob, eve = (sha256(f"{who} {number}".encode()).digest() for who in ("ann", "bob", "eve"))
        for one, other in (together(ann, bob, (eve, eve)), together(ann, ann, (eve, eve))):
            assert one != other, "IDs, roots and links tell them apart"


def test_every_picture_comes_up_about_as_often_as_any_other() -> None:
    """20,000 pictures over 64: 312.5 of each, standard deviation 17.5; six of those either way."""
    counts = [0] * 64
    for number in range(2500):
        for pictures in together(number.to_bytes(32), b"b" * 32, (b"e" * 32, number.to_bytes(32))):
            for picture in pictures:
                counts[picture] += 1
    assert sum(counts) == 20_000
    assert min(counts) > 207 and max(counts) < 418


def test_a_wrong_value_is_a_fault_and_no_picture() -> None:
    victim = Comparison(ends=Ends(ANN, EVE_AS_BOB, LINKS[0]), value=b"v" * 32)
    commitment = victim.ends.commitment(b"e" * 32, own=False)
    said = Compare(commitment=commitment, seen=victim.commitment, value=b"f" * 32, verdict=0)
    assert victim.heard(said).fault is Fault.WRONG_VALUE
