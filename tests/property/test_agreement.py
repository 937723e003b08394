"""Two vaults that may crash between any two steps, over links that may end at any frame: they always meet again."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from p2pchat.channel.step import Became
from p2pchat.wire.frames import FrameType
from tests.support.channel_pair import End, Pair

HOUR_MS = 3_600_000
SIDES = st.sampled_from(["lo", "hi"])


class TwoVaults(RuleBasedStateMachine):
    """``Pair`` with rules for everything that the world may do to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair.new()
        self.connected = False
        self.sent: dict[str, list[bytes]] = {"lo": [], "hi": []}

    def end(self, side: str) -> End:
        return self.pair.lo if side == "lo" else self.pair.hi

    def other(self, side: str) -> End:
        return self.pair.hi if side == "lo" else self.pair.lo

    # --- links and processes ------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.connected)
    @rule()
    def connect(self) -> None:
        self.pair.connect()
        self.connected = True

    @rule()
    def disconnect(self) -> None:
        """The link dies, or a process does: what was stored is all that is left in both cases."""
        self.pair.disconnect()
        self.connected = False

    @rule(hours=st.sampled_from([0, 1, 25, -25, 24 * 3650]))
    def time_passes(self, hours: int) -> None:
        for end in (self.pair.lo, self.pair.hi):
            end.now_s += abs(hours) * 3600.0
            end.now_ms = max(0, end.now_ms + hours * HOUR_MS)

    # --- frames -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.connected)
    @rule(side=SIDES)
    def deliver(self, side: str) -> None:
        if self.end(side).outbox:
            self.pair.deliver(self.end(side))

    @precondition(lambda self: self.connected)
    @rule(side=SIDES, committed=st.booleans())
    def crash_while_taking_a_frame(self, side: str, committed: bool) -> None:
        """The receiver dies before its commit, or after it but before anything left the process."""
        receiver = self.other(side)
        stored = receiver.stored
        self.deliver(side)
        if not committed:
            receiver.stored = stored
        self.disconnect()

    @precondition(lambda self: self.connected)
    @rule(side=SIDES, committed=st.booleans())
    def crash_while_a_leg_opens(self, side: str, committed: bool) -> None:
        end = self.end(side)
        stored = end.stored
        if end.work:
            end.open_leg()
            if not committed:
                end.stored = stored
            self.disconnect()

    @precondition(lambda self: self.connected)
    @rule(side=SIDES)
    def leg_opens(self, side: str) -> None:
        if self.end(side).work:
            self.end(side).open_leg()

    @precondition(lambda self: self.connected)
    @rule(side=SIDES, bit=st.integers(0, 2**16))
    def damage_an_envelope(self, side: str, bit: int) -> None:
        outbox = self.end(side).outbox
        for at, (kind, body) in enumerate(outbox):
            if kind is FrameType.ENVELOPE:
                spoilt = bytearray(body)
                spoilt[bit // 8 % len(spoilt)] ^= 1 << bit % 8
                outbox[at] = (kind, bytes(spoilt))
                return

    # --- what vaults do -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.connected)
    @rule(side=SIDES)
    def send(self, side: str) -> None:
        if self.end(side).live.ready:
            body = f"{side} {len(self.sent[side])}".encode()
            self.sent[side].append(body)
            self.end(side).send(body)

    @precondition(lambda self: self.connected)
    @rule(side=SIDES)
    def tick(self, side: str) -> None:
        end = self.end(side)
        end.take(end.live.tick(end.moment()))

    @precondition(lambda self: self.connected)
    @rule(side=SIDES, reset=st.booleans())
    def renew(self, side: str, reset: bool) -> None:
        end = self.end(side)
        end.take(end.live.renew(end.moment(), reset=reset))

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_opens_twice_or_changed(self) -> None:
        for side in ("lo", "hi"):
            places = [self.sent[side].index(body) for body in self.other(side).bodies]
            assert places == sorted(set(places))

    @precondition(lambda self: self.connected)
    @rule()
    def come_to_rest(self) -> None:
        """On a quiet link both agree, or both know that they do not; then a message passes each way."""
        self.pair.settle()
        lo, hi = self.pair.lo, self.pair.hi
        if Became.ERROR in (*lo.became, *hi.became):
            return  # one side may be waiting for its next try
        assert lo.live.ready
        assert hi.live.ready
        self._both_ways()

    def teardown(self) -> None:
        """Whatever happened: once both are up again, and the longest pause is over, every message opens."""
        self.disconnect()
        for end in (self.pair.lo, self.pair.hi):
            end.now_ms += 2 * HOUR_MS
        self.connect()
        self.pair.settle()
        self._both_ways()

    def _both_ways(self) -> None:
        lo, hi = self.pair.lo, self.pair.hi
        assert lo.stored.epoch_id == hi.stored.epoch_id
        self.send("lo")
        self.send("hi")
        self.pair.settle()
        assert hi.bodies[-1:] == self.sent["lo"][-1:] != []
        assert lo.bodies[-1:] == self.sent["hi"][-1:] != []


TwoVaults.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_two_vaults_always_meet_again = TwoVaults.TestCase
