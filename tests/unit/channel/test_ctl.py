import pytest

from p2pchat.channel import ctl
from p2pchat.channel.ctl import UnopenableCtl
from p2pchat.errors import BadFormat
from p2pchat.ids import EpochId, Incarnation
from p2pchat.limits import FRAME_BODY_BYTES
from p2pchat.wire.structs import CTL_PROFILE, CTL_RECEIPT, CTL_RESUME, Ctl, CtlItem, Receipt, Resume

EPOCH, KEY, LINK, NONCE = EpochId(b"epoch id"), b"k" * 32, b"l" * 32, b"n" * 24
RECEIPT = Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=b"receipt"),))


def sealed(content: Ctl = RECEIPT) -> bytes:
    return ctl.seal(EPOCH, KEY, LINK, content, NONCE)


def test_a_control_frame_comes_back() -> None:
    assert ctl.parse_epoch(sealed()) == EPOCH
    assert ctl.open_with(KEY, LINK, sealed()) == RECEIPT


def test_all_small_signals_have_the_size_of_the_smallest_record() -> None:
    receipt = Receipt(incarnation=Incarnation(b"8 bytes!"), delivered=2**62, read=2**62)
    resume = Resume(
        incarnation=Incarnation(b"8 bytes!"),
        first=2**62,
        tail=2**62,
        have_incarnation=Incarnation(b"8 bytes!"),
        have=2**62,
        have_message=b"16 bytes 16 byte",
    )
    for kind, body in ((CTL_RECEIPT, receipt.encode()), (CTL_RESUME, resume.encode())):
        assert len(sealed(Ctl(items=(CtlItem(kind=kind, body=body),)))) == 212
    assert len(sealed(Ctl(items=(CtlItem(kind=CTL_PROFILE, body=bytes(6200)),)))) > 6200


def test_another_key_or_link_does_not_open() -> None:
    with pytest.raises(UnopenableCtl):
        ctl.open_with(b"K" * 32, LINK, sealed())
    with pytest.raises(UnopenableCtl):
        ctl.open_with(KEY, b"L" * 32, sealed())


def test_no_changed_byte_opens() -> None:
    frame = sealed()
    for at in range(8, len(frame)):
        with pytest.raises(UnopenableCtl):
            ctl.open_with(KEY, LINK, frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :])


@pytest.mark.parametrize("size", [0, 51, FRAME_BODY_BYTES + 1])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(BadFormat, match="bytes"):
        ctl.parse_epoch(bytes(size))
