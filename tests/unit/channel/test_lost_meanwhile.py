"""lo loses the channel while its offer in mode next is out. hi lost nothing and would say no Resume of its own."""

from p2pchat.channel.step import Became
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from tests.support.channel_pair import Pair


def test_both_say_resume_where_only_lo_lost_the_channel() -> None:
    pair = Pair.ready()
    for number in range(1000):
        pair.lo.send(b"body %d" % number)
    pair.settle()
    pair.hi.send(b"spoilt")
    _, frame = pair.hi.outbox.pop()
    spoilt = frame[:60] + bytes([frame[60] ^ 1]) + frame[61:-16]
    pair.lo.take(pair.lo.live.tick(pair.lo.moment()))
    pair.lo.became.clear()
    pair.hi.became.clear()

    pair.lo.receive(FrameType.ENVELOPE, spoilt + md5(spoilt))
    pair.settle()

    assert pair.lo.became[-1] is Became.READY
    assert pair.hi.became[-1] is Became.READY
    assert pair.lo.live.ready
    assert pair.hi.live.ready
