"""Whatever comes in: what was sealed opens, what was not gives one of our errors and changes nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.channel import ctl, envelope, padding
from p2pchat.channel.envelope import Header
from p2pchat.channel.phases import Phase
from p2pchat.channel.ratchet import Chain
from p2pchat.channel.state import ChannelState
from p2pchat.errors import BadFormat, P2PChatError
from p2pchat.ids import EpochId
from p2pchat.limits import FRAME_BODY_BYTES
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Ctl, CtlItem
from tests.support.channel_pair import Pair

KEY, ROUTE, LINK, NONCE = bytes(range(32)), bytes(range(96)), bytes(32), bytes(24)
AGREEING = st.sampled_from([FrameType.HELLO, FrameType.REKEY, FrameType.OFFER, FrameType.ACCEPT, FrameType.CONFIRM])


@given(body=st.binary(max_size=9000), index=st.integers(0, 2**32 - 1), nonce=st.binary(min_size=24, max_size=24))
def test_an_envelope_opens_to_what_was_sealed(body: bytes, index: int, nonce: bytes) -> None:
    header = Header(EpochId(b"epoch id"), index)
    frame = envelope.seal(header, KEY, ROUTE, body, nonce)
    envelope.check_damage(frame)
    assert envelope.parse_header(frame) == header
    assert envelope.open_with(KEY, ROUTE, frame) == body
    assert len(frame) == padding.frame_room(len(frame))


@settings(deadline=None)
@given(raw=st.binary(max_size=600))
def test_garbage_never_opens(raw: bytes) -> None:
    pair = Pair.ready()
    before = pair.hi.live
    for read in (before.envelope_received, before.ctl_received):
        try:
            step = read(raw, pair.hi.moment())
        except BadFormat:
            continue
        assert step.body is None
        assert step.ctl is None
        assert step.agreement.state.current == before.state.current


@given(items=st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=3000)), min_size=1, max_size=16))
def test_a_control_frame_opens_to_what_was_sealed(items: list[tuple[int, bytes]]) -> None:
    content = Ctl(items=tuple(CtlItem(kind=kind, body=body) for kind, body in items))
    frame = ctl.seal(EpochId(b"epoch id"), KEY, LINK, content, NONCE)
    assert ctl.open_with(KEY, LINK, frame) == content


@given(jumps=st.lists(st.integers(0, 50), max_size=20))
def test_a_chain_gives_the_same_keys_however_one_gets_there(jumps: list[int]) -> None:
    step, jump = Chain(KEY), Chain(KEY)
    for skipped in jumps:
        for _ in range(skipped):
            _, step = step.advance()
        expected, step = step.advance()
        got, jump = jump.advance_to(step.index - 1)
        assert (got, jump) == (expected, step)


@given(least=st.integers(1, FRAME_BODY_BYTES - 4096))
def test_room_is_never_less_than_asked_and_sizes_are_few(least: int) -> None:
    room = padding.frame_room(least)
    assert room >= least
    assert padding.frame_room(room) == room
    assert room <= 2 * least + 212 or room - least <= 4096


@settings(deadline=None)
@given(kind=AGREEING, raw=st.binary(max_size=200), connected=st.booleans())
def test_garbage_for_the_agreement_is_a_protocol_error_or_a_frame(kind: FrameType, raw: bytes, connected: bool) -> None:
    pair = Pair.ready() if connected else Pair.new()
    if not connected:
        pair.connect()
    for end in (pair.lo, pair.hi):
        stored = end.stored
        try:
            step = end.live.frame_received(kind, raw, end.moment())
        except P2PChatError:
            continue
        assert step.agreement.phase in Phase
        assert step.store is None or step.store.current == stored.current


@given(raw=st.binary(max_size=400))
def test_a_stored_state_is_what_was_stored_or_an_error(raw: bytes) -> None:
    try:
        state = ChannelState.decode(raw)
    except BadFormat:
        return
    assert ChannelState.decode(state.encode()) == state
