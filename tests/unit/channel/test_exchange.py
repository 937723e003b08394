"""One exchange: what must make it fail, does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from p2pchat.channel import exchange
from p2pchat.channel.epoch import NO_SALT, Mode
from p2pchat.channel.exchange import Channel, Offering
from p2pchat.channel.parties import Parties
from p2pchat.channel.state import Epoch, Pending
from p2pchat.errors import BadFormat
from p2pchat.wire.structs import Accept, AcceptCore, Offer
from tests.support.channel_pair import FakeRsa, fake_open, sorted_parties

LO, HI = sorted_parties("anna", "bert")
LINK = b"l" * 32
AT_LO, AT_HI = Channel(Parties(own=LO, peer=HI), LINK), Channel(Parties(own=HI, peer=LO), LINK)
FRESH_LO, FRESH_HI = bytes(range(128)), bytes(range(128, 256))


def offered(mode: Mode = Mode.NEXT) -> Offering:
    return exchange.offer(AT_LO, mode, 5, FRESH_LO, FakeRsa())


def answered(
    offering: Offering, at: Channel = AT_HI, *, salt: bytes = b"k" * 32, r_lo: bytes = FRESH_LO[96:]
) -> tuple[Pending, Accept]:
    pending, frame = exchange.accept(at, offering.frame, salt=salt, r_lo=r_lo, fresh=FRESH_HI, draws=FakeRsa())
    return pending, Accept.decode(frame)


def verified(
    offering: Offering, accept: Accept, at: Channel = AT_LO, *, salt: bytes = b"k" * 32, r_hi: bytes = FRESH_HI[96:]
) -> tuple[Epoch, bytes] | None:
    return exchange.verify(at, offering, accept, salt=salt, r_hi=r_hi)


def test_both_sides_come_to_the_same_epoch() -> None:
    offering = offered()
    pending, accept = answered(offering)
    got = verified(offering, accept)
    assert got is not None
    lo, hi = got[0], pending.epoch
    assert (lo.id, lo.number, lo.next_salt) == (hi.id, 5, hi.next_salt)
    assert (lo.send, lo.receive, lo.ctl_send, lo.ctl_receive) == (hi.receive, hi.send, hi.ctl_receive, hi.ctl_send)
    assert lo.send != lo.receive
    assert got[1] == pending.mac_offer != accept.mac


def test_each_leg_opens_with_its_label_alone() -> None:
    offering = offered()
    offer = Offer.decode(offering.frame)
    leg = exchange.leg_of_offer(AT_HI, offer)
    assert fake_open(HI.modulus, leg) == FRESH_LO[96:]
    _, accept = answered(offering)
    core = AcceptCore.decode(accept.core)
    assert fake_open(LO.modulus, exchange.leg_of_accept(AT_LO, offering, core)) == FRESH_HI[96:]
    for changed in (
        replace(offer, mode=Mode.RESET),
        replace(offer, number=6),
        replace(offer, x25519=b"x" * 32),
        replace(offer, mlkem=b"m" * 1184),
    ):
        assert fake_open(HI.modulus, exchange.leg_of_offer(AT_HI, changed)) is None
    for core_changed in (replace(core, x25519=b"x" * 32), replace(core, mlkem=b"m" * 1088)):
        assert fake_open(LO.modulus, exchange.leg_of_accept(AT_LO, offering, core_changed)) is None


OTHER_LINK = replace(AT_HI, link_hash=b"L" * 32)
OTHER_HEAD = replace(AT_HI, parties=Parties(own=HI, peer=replace(LO, head=b"h" * 32)))
OTHER_SET = replace(AT_HI, parties=Parties(own=replace(HI, set_hash=b"h" * 32), peer=LO))


@pytest.mark.parametrize(
    "answer",
    [
        lambda offering: answered(offering, salt=NO_SALT),
        lambda offering: answered(offering, r_lo=b"r" * 32),
        lambda offering: answered(offering, OTHER_LINK),
        lambda offering: answered(offering, OTHER_HEAD),
        lambda offering: answered(offering, OTHER_SET),
        lambda _: answered(offered(Mode.RESET)),
    ],
)
def test_what_the_sides_see_differently_shows_as_a_wrong_mac(
    answer: Callable[[Offering], tuple[Pending, Accept]],
) -> None:
    offering = offered()
    assert verified(offering, answer(offering)[1]) is None


def test_a_wrong_secret_of_the_accepter_shows_as_a_wrong_mac() -> None:
    offering = offered()
    _, accept = answered(offering)
    assert verified(offering, accept, r_hi=b"r" * 32) is None
    assert verified(offering, replace(accept, mac=b"m" * 32)) is None
    core = AcceptCore.decode(accept.core)
    swapped = replace(accept, core=replace(core, mlkem=b"c" * 1088).encode())
    assert verified(offering, swapped) is None


def test_keys_that_cannot_be_are_refused() -> None:
    offering = offered()
    offer = Offer.decode(offering.frame)
    bad_point = replace(offering, frame=replace(offer, x25519=bytes(32)).encode())
    with pytest.raises(BadFormat, match="X25519"):
        answered(bad_point)
    bad_kem = replace(offering, frame=replace(offer, mlkem=b"\xff" * 1184).encode())
    with pytest.raises(BadFormat, match="ML-KEM"):
        answered(bad_kem)
    _, accept = answered(offering)
    core = AcceptCore.decode(accept.core)
    with pytest.raises(BadFormat, match="X25519"):
        verified(offering, replace(accept, core=replace(core, x25519=bytes(32)).encode()))


def test_a_leg_of_another_size_is_a_parse_error() -> None:
    offer = Offer.decode(offered().frame)
    with pytest.raises(BadFormat, match="leg"):
        Offer.decode(replace(offer, leg=bytes(1023)).encode())


def test_the_ephemerals_are_not_printed() -> None:
    assert repr(FRESH_LO[:32])[2:-1] not in repr(offered())
