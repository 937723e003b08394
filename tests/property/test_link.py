"""The link's cores against anything: garbage, cuts, and both sides of the session table."""

from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.errors import BadFormat, CryptoError, P2PChatError
from p2pchat.ids import UserId
from p2pchat.limits import FRAME_BODY_BYTES
from p2pchat.link.framing import UnitReader, wrap
from p2pchat.link.handshake import HANDSHAKE_BYTES
from p2pchat.link.reconnect import LONGEST_S, PROBE_S, SPREAD, Reconnect
from p2pchat.link.records import BUCKETS, Opener, Sealer
from p2pchat.link.session import Sessions
from p2pchat.wire.frames import Frame
from tests.support.identities import NOW_MS
from tests.support.links import initiator, responder

SECRET = bytes(32)
EPSILON = 1e-6
frames = st.builds(
    Frame, st.integers(0, 0x7FFF), st.binary(max_size=600) | st.just(bytes(FRAME_BODY_BYTES)), st.booleans()
)


@given(batches=st.lists(st.lists(frames, min_size=1, max_size=6), max_size=5), data=st.data())
@settings(max_examples=60, deadline=None)
def test_records_carry_any_frames_over_any_cuts(batches: list[list[Frame]], data: st.DataObject) -> None:
    sealer, opener = Sealer(SECRET, now_s=0.0), Opener(SECRET)
    sealed = [sealer.seal(batch, now_s=float(at * 4000)) for at, batch in enumerate(batches)]
    assert all(len(piece) >= BUCKETS[0] for piece in sealed)
    stream = b"".join(sealed)
    got: list[Frame] = []
    at = 0
    while at < len(stream):
        step = data.draw(st.integers(1, 40_000))
        got += opener.feed(stream[at : at + step])
        at += step
    assert got == [frame for batch in batches for frame in batch]


@given(raw=st.binary(min_size=1, max_size=2000))
def test_garbage_is_never_a_frame(raw: bytes) -> None:
    opener = Opener(SECRET)
    try:
        assert opener.feed(raw) == []
    except (CryptoError, BadFormat):
        return
    assert opener.incomplete


@given(raw=st.binary(max_size=1500))
@settings(max_examples=60, deadline=None)
def test_garbage_is_never_a_handshake_message(raw: bytes) -> None:
    one, other = initiator(0, 1), responder(1)
    try:
        other.open(raw)
        raise AssertionError("garbage was taken for message 1")
    except P2PChatError:
        one.start()
    try:
        one.finish(raw, now_ms=NOW_MS)
        raise AssertionError("garbage was taken for message 2")
    except P2PChatError:
        assert not hasattr(one, "keyed")


@given(
    message=st.binary(min_size=33, max_size=3000),
    psk=st.binary(min_size=32, max_size=32),
    number=st.integers(1, 3),
    rest=st.binary(max_size=50),
    step=st.integers(1, 3000),
)
def test_units_come_out_whole_over_any_cuts(message: bytes, psk: bytes, number: int, rest: bytes, step: int) -> None:
    stream = wrap(message, psk, number)
    reader = UnitReader(psk, number, limit=HANDSHAKE_BYTES)
    got = None
    for at in range(0, len(stream), step):
        assert got is None
        got = reader.feed(stream[at : at + step] + (rest if at + step >= len(stream) else b""))
    assert got == message
    assert reader.rest == rest


@given(
    dials=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), max_size=12),
)
def test_both_sides_of_a_pair_end_with_the_same_link(dials: list[tuple[bool, int, int]]) -> None:
    """Links authenticate at different moments on the two sides; where one side closes one, the other hears of it."""
    small, large = UserId(b"\x01" * 32), UserId(b"\x02" * 32)
    tables = {small: Sessions(small), large: Sessions(large)}
    arrivals: list[tuple[int, int, UserId, bool]] = []
    for number, (by_small, near_delay, far_delay) in enumerate(dials, 1):
        arrivals.append((number + near_delay, number, small, by_small))
        arrivals.append((number + far_delay, number, large, not by_small))
    closed: set[int] = set()
    for _, number, own, initiator_ in sorted(arrivals):
        if number in closed:
            continue
        admission = tables[own].admit(small if own == large else large, number, initiator=initiator_)
        lost = admission.replaces if admission.stays else number
        if lost is not None:
            closed.add(lost)
            for table, other in ((tables[small], large), (tables[large], small)):
                if table.link_of(other) == lost:
                    table.remove(other, lost)
    ends = {tables[small].link_of(large), tables[large].link_of(small)}
    assert len(ends) == 1


@given(draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=30))
def test_every_wait_is_within_its_bounds(draws: list[float]) -> None:
    policy, now_s = Reconnect(), 0.0
    for count, draw in enumerate(draws, 1):
        policy.failed(now_s, draw)
        wait_s = policy.wait_s(now_s)
        if count < 10:
            assert 0.75 - EPSILON <= wait_s <= LONGEST_S * (1 + SPREAD) + EPSILON
        else:
            assert PROBE_S[0] - EPSILON <= wait_s <= PROBE_S[1] + EPSILON
        now_s += wait_s
