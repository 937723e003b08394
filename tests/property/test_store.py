"""The store against a model of plain lists: batches in which some jobs fail, and crashes in the midst of a batch."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from p2pchat.store import batch, events, inbox, messages, outbox, readers, tails
from p2pchat.store.batch import Done, Job
from p2pchat.store.migrate import migrate
from p2pchat.store.tx import Reader, Tx
from tests.support.simdisk import SimDisk
from tests.support.stores import KEY, THEM, add_contact, digest, draft, incoming, life

PATH = Path("/vault.db")


@dataclass(frozen=True)
class Sent:
    message: bytes
    number: int
    text: str
    state: str = "queued"
    void: bool = False


@dataclass(frozen=True)
class Model:
    """One contact's rows as they should be. Changed by making a new one, so a job that fails is undone for free."""

    sent: tuple[Sent, ...] = ()
    tail: int = 0
    written: int = 0
    delivered: int = 0
    lives: int = 1
    received: tuple[tuple[int, str, bool], ...] = ()  # number, text, whether it was read
    tombstones: frozenset[int] = frozenset()
    events: tuple[tuple[str, bytes], ...] = ()
    cursor: int = 0


@dataclass
class Change:
    """What one job does, to the store and to the model."""

    act: Callable[[Tx], None]
    model: Callable[[Model], Model]


def send(number: int, expires: bool) -> Change:
    one = draft(f"text {number}", clock=number, expires_at_ms=1 if expires else 0)

    def model(m: Model) -> Model:
        return replace(m, sent=(*m.sent, Sent(one.message, m.tail + 1, f"text {number}")), tail=m.tail + 1)

    return Change(lambda tx: drop(tails.enqueue(tx, one, [1], digest)), model)


def receive(number: int) -> Change:
    one = incoming(f"text {number}", number)

    def model(m: Model) -> Model:
        if number in {known for known, _, _ in m.received}:
            return m
        return replace(
            m, received=(*m.received, (number, f"text {number}", False)), events=(*m.events, ("message", one.message))
        )

    return Change(lambda tx: drop(inbox.insert(tx, 1, one, 1)), model)


def withdrawn(number: int) -> Change:
    one = incoming("", number)

    def model(m: Model) -> Model:
        if number in m.tombstones or number not in {known for known, _, _ in m.received}:
            return m
        return replace(m, tombstones=m.tombstones | {number}, events=(*m.events, ("withdrawn", one.message)))

    return Change(lambda tx: drop(inbox.withdraw(tx, 1, THEM, one.message, 1)), model)


def mark_sent(upto: int) -> Change:
    def model(m: Model) -> Model:
        return replace(m, written=upto) if m.written < upto <= m.tail else m

    return Change(lambda tx: outbox.mark_sent(tx, 1, upto), model)


def mark_delivered(upto: int) -> Change:
    def model(m: Model) -> Model:
        if not m.delivered < upto <= m.tail:
            return m
        now = [one for one in m.sent if m.delivered < one.number <= upto and one.state == "queued"]
        moved = tuple(replace(one, state="delivered") if one in now else one for one in m.sent)
        told = tuple(("delivery", one.message) for one in now)
        return replace(m, sent=moved, delivered=upto, written=max(m.written, upto), events=m.events + told)

    return Change(lambda tx: drop(outbox.mark_delivered(tx, 1, upto, 1)), model)


def cancel(position: int) -> Change:
    """The message at a position of the history of sent ones, if there is one."""

    def act(tx: Tx) -> None:
        found = tx.all("SELECT message FROM messages WHERE outgoing = 1 ORDER BY id LIMIT 1 OFFSET ?", position)
        for (message,) in found:
            outbox.cancel(tx, message, 1)

    def model(m: Model) -> Model:
        if position >= len(m.sent) or m.sent[position].state != "queued":
            return m
        changed = list(m.sent)
        changed[position] = replace(changed[position], state="failed", void=True, text="")
        return replace(m, sent=tuple(changed), events=(*m.events, ("delivery", changed[position].message)))

    return Change(act, model)


def renumber() -> Change:
    def act(tx: Tx) -> None:
        found = outbox.queue(tx, 1)
        assert found is not None
        outbox.renumber(tx, 1, life(int.from_bytes(found.incarnation) + 1), digest)

    def model(m: Model) -> Model:
        again = tuple(replace(one, number=max(0, one.number - m.delivered)) for one in m.sent)
        return replace(m, sent=again, tail=m.tail - m.delivered, written=0, delivered=0, lives=m.lives + 1)

    return Change(act, model)


def confirm(upto: int) -> Change:
    def model(m: Model) -> Model:
        to = min(upto, len(m.events))
        if to <= m.cursor:
            return m
        passed = {message for kind, message in m.events[m.cursor : to] if kind == "message"}
        read = tuple((number, text, was or incoming("", number).message in passed) for number, text, was in m.received)
        return replace(m, received=read, cursor=to)

    return Change(lambda tx: drop(readers.confirm(tx, "cli", upto, 1)), model)


def drop(_: object) -> None:
    """A job's result, of no use here."""


small = st.integers(1, 12)
changes = st.one_of(
    st.builds(send, small, st.booleans()),
    st.builds(receive, small),
    st.builds(withdrawn, small),
    st.builds(mark_sent, small),
    st.builds(mark_delivered, small),
    st.builds(cancel, st.integers(0, 8)),
    st.builds(renumber),
    st.builds(confirm, small),
)


class JobError(Exception):
    pass


@dataclass
class Failing:
    change: Change
    fails: bool = field(default=False)

    def job(self, tx: Tx) -> None:
        self.change.act(tx)
        if self.fails:
            raise JobError


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.disk = SimDisk()
        self.db = self.disk.open_db(PATH, KEY)
        migrate(self.db)
        with self.db:
            add_contact(Tx(self.db), "b")
        self.model = Model()

    def teardown(self) -> None:
        self.disk.close()

    @rule(jobs=st.lists(st.builds(Failing, changes, st.sampled_from([False, False, False, True])), max_size=6))
    def commit(self, jobs: list[Failing]) -> None:
        queue = deque(Job(one.job, None, lambda: None) for one in jobs)
        taken: list[Job] = []
        batch.run(self.db, queue, taken, lambda: 0.0)
        assert [isinstance(job.outcome, Done) for job in taken] == [not one.fails for one in jobs]
        for one in jobs:
            if not one.fails:
                self.model = one.change.model(self.model)

    @rule(lost=st.lists(changes, max_size=3))
    def crash(self, lost: list[Change]) -> None:
        self.db.execute("BEGIN")
        for change in lost:
            change.act(Tx(self.db))
        self.disk.crash()
        self.disk.thaw()
        self.db = self.disk.open_db(PATH, KEY)

    @invariant()
    def the_queue_is_as_it_should_be(self) -> None:
        reader, m = Reader(self.db), self.model
        found = outbox.queue(reader, 1)
        assert found is not None
        assert (found.tail, found.sent, found.delivered) == (m.tail, m.written, m.delivered)
        assert found.incarnation == life(m.lives)
        held = [one for one in m.sent if one.number > m.delivered]
        assert [
            (one.number, one.message, one.content.decode(), one.void)
            for one in outbox.after(reader, 1, m.delivered, 99)
        ] == [(one.number, one.message, one.text, one.void) for one in held]
        assert outbox.count(reader) == sum(one.state == "queued" for one in held)

    @invariant()
    def the_history_is_as_it_should_be(self) -> None:
        m = self.model
        shown = messages.history(Reader(self.db), 1, limit=99)
        sent = {one.message: (one.text, one.state) for one in shown if one.outgoing}
        assert sent == {
            one.message: (one.text, "sent" if one.state == "queued" and one.number <= m.written else one.state)
            for one in m.sent
        }
        received = {one.message: (one.text, one.state) for one in shown if not one.outgoing}
        assert received == {
            incoming("", number).message: ("" if number in m.tombstones else text, "read" if read else "delivered")
            for number, text, read in m.received
        }

    @invariant()
    def the_events_are_as_they_should_be(self) -> None:
        reader, m = Reader(self.db), self.model
        gone = {incoming("", number).message for number in m.tombstones}
        shown = [
            (cursor, kind, message)
            for cursor, (kind, message) in enumerate(m.events, 1)
            if not (kind == "message" and message in gone)
        ]
        found = events.after(reader, 0, limit=99, messages_only=False)
        assert [(one.cursor, one.type, one.message) for one in found] == shown
        assert readers.get(reader, "cli").cursor == m.cursor
        assert events.last_cursor(reader) == len(m.events)

    @invariant()
    def nothing_that_nobody_needs_is_kept(self) -> None:
        kept = Reader(self.db).value("SELECT count(*) FROM contents")
        assert kept == sum(bool(one.text) for one in self.model.sent) + len(self.model.received) - len(
            self.model.tombstones
        )


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
