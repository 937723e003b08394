"""One direction of a queue against a model: numbers, cursors, receipts, lives, over links that end anywhere."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from p2pchat.delivery.flow import LEAST, MOST, Flow
from p2pchat.delivery.incoming import Action, InQueue, Seen, adopt, decide
from p2pchat.delivery.outgoing import OutQueue, acknowledged, resumed
from p2pchat.delivery.receipts import Receipts, resume_of
from p2pchat.ids import Incarnation
from p2pchat.wire.structs import Receipt


class Queue(RuleBasedStateMachine):
    """A sender and a receiver whose stores commit at once; the model is the list of what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.lives = 0
        self.out = OutQueue(incarnation=self.life())
        self.rows: dict[int, bytes] = {}  # number -> message id
        self.written = 0
        self.incoming, self.shown = InQueue(), list[bytes]()
        self.last = b""
        self.flow, self.receipts = Flow(), Receipts()
        self.up = False
        self.wire: deque[tuple[int, bytes]] = deque()
        self.back: deque[Receipt] = deque()
        self.ended: set[Incarnation] = set()  # lives that the receiver knew and let go of
        self.old: tuple[OutQueue, dict[int, bytes]] | None = None

    def life(self) -> Incarnation:
        self.lives += 1
        return Incarnation(self.lives.to_bytes(8))

    @rule()
    def write(self) -> None:
        number, self.out = self.out.next_number()
        self.written += 1
        self.rows[number] = self.written.to_bytes(16)

    @precondition(lambda self: self.up)
    @rule(most=st.integers(1, 10))
    def send(self, most: int) -> None:
        numbers, self.flow = self.flow.take(self.out)
        self.wire.extend((number, self.rows[number]) for number in numbers)
        for _ in range(min(most, len(self.wire))):
            self.take(*self.wire.popleft())

    def take(self, number: int, message: bytes) -> None:
        seen = Seen.SAME if message in self.shown else Seen.NEVER
        action = decide(self.incoming, number, seen)
        assert action in {Action.SHOW, Action.SKIP}  # an ordered link never repeats or skips
        self.incoming = self.incoming.advanced()
        self.last = message
        if action is Action.SHOW:
            self.shown.append(message)
        receipt, self.receipts = self.receipts.due(self.incoming)
        assert receipt is not None
        self.back.append(receipt)

    @precondition(lambda self: self.back)
    @rule()
    def receipt_arrives(self) -> None:
        got = acknowledged(self.out, self.back.popleft())
        self.out = got.queue
        if got.delivered:
            self.flow = self.flow.acknowledged(got.count)

    @rule()
    def link_ends(self) -> None:
        self.wire.clear()
        self.back.clear()
        self.flow, self.receipts, self.up = self.flow.stopped(self.out), Receipts(), False

    @precondition(lambda self: not self.up)
    @rule()
    def link_begins(self) -> None:
        said = resume_of(OutQueue(incarnation=self.life()), self.incoming, self.last)
        mine = self.rows.get(said.have, b"")
        got = resumed(self.out, said, fresh=self.life(), mine_at_have=mine)
        if got.reset:
            held = range(self.out.first, self.out.tail + 1)
            self.rows = {number - got.renumber_by: self.rows[number] for number in held}
        self.out = got.queue
        adopted = adopt(self.incoming, resume_of(self.out, InQueue()))
        # The receiver loses nothing in this machine. Where a copy comes back of a life that had ended before, he cannot
        # know that any more, and is warned in vain.
        assert adopted.lost is None or self.out.incarnation in self.ended
        if adopted.queue.incarnation != self.incoming.incarnation:
            self.ended.add(self.incoming.incarnation)
            self.last = b""
        self.incoming = adopted.queue
        self.flow, self.up = self.flow.resumed(got.send_from), True

    @rule()
    def copy_the_senders_store(self) -> None:
        self.old = (self.out, dict(self.rows))

    @precondition(lambda self: self.old is not None and not self.up)
    @rule()
    def put_the_copy_back(self) -> None:
        assert self.old is not None
        self.out, self.rows = self.old[0], dict(self.old[1])

    @invariant()
    def nothing_is_shown_twice(self) -> None:
        assert len(set(self.shown)) == len(self.shown)

    @invariant()
    def what_counts_as_delivered_was_shown(self) -> None:
        assert all(self.rows[n] in self.shown for n in range(1, self.out.delivered + 1) if n in self.rows)

    @invariant()
    def the_window_keeps_its_bounds(self) -> None:
        assert LEAST <= self.flow.window <= MOST
        assert 0 <= self.out.read <= self.out.delivered <= self.out.tail

    def teardown(self) -> None:
        """Over one more link that stays, everything the sender holds arrives."""
        self.link_ends()
        self.link_begins()
        for _ in range(self.out.tail + 2):
            self.send(MOST)
            while self.back:
                self.receipt_arrives()
        assert self.out.delivered == self.out.tail
        assert all(message in self.shown for message in self.rows.values())


Queue.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_a_queue_loses_nothing = Queue.TestCase
