"""Three bugs, each planted in the running vaults of world (ii), are noticed within a few seeds."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

import apsw
import pytest

from p2pchat.delivery.incoming import Seen
from p2pchat.store import batch, inbox, migrate, writer
from p2pchat.store.batch import Job
from p2pchat.store.tx import Reader, Tx
from p2pchat.vault.flows import intake, signals
from p2pchat.wire.structs import Resume
from tests.support import fake_root
from tests.support.node_world import NodeWorld, Plan

SEEDS: Final = range(1, 33)  # about one in four notices the rarest of them
R = TypeVar("R")


def acknowledge_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects are let go while the transaction is still open; the next one commits it."""
    ask_committed = writer._ask

    def run(db: apsw.Connection, queue: deque[Job], taken: list[Job], clock_s: Callable[[], float]) -> None:
        if db.in_transaction:
            db.execute("COMMIT")
        batch._run_jobs(db, Tx(db), queue, taken, clock_s)

    def ask(db: apsw.Connection, question: Callable[[Reader], R]) -> R:
        return question(Reader(db)) if db.in_transaction else ask_committed(db, question)

    monkeypatch.setattr(batch, "run", run)
    monkeypatch.setattr(writer, "_ask", ask)


def forget_what_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message is known by its id: neither to the flow, nor to the store, nor to the schema."""
    script = migrate.script
    index = "INDEX message_ids"

    def without_the_index(version: int) -> str:
        assert f"CREATE UNIQUE {index}" in script(1)
        return script(version).replace(f"CREATE UNIQUE {index}", f"CREATE {index}")

    monkeypatch.setattr(intake, "_seen", lambda _turn, _body: Seen.NEVER)
    monkeypatch.setattr(inbox, "seen", lambda _reader, _contact, _incoming: inbox.Seen.NEVER)
    monkeypatch.setattr(migrate, "script", without_the_index)


def count_one_too_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor that a peer is told stands one message too high."""
    resume_of = signals.resume_of

    def too_far(*queues: Any) -> Resume:
        resume = resume_of(*queues)
        return replace(resume, have=resume.have + 1)

    monkeypatch.setattr(signals, "resume_of", too_far)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "sign", "rollback"),
    [
        pytest.param(acknowledge_before_commit, "lost", False, id="acknowledge-before-commit"),
        pytest.param(forget_what_was_shown, "shown twice", True, id="no-dedupe"),  # only old stores send twice
        pytest.param(count_one_too_far, "lost", False, id="cursor-off-by-one"),
    ],
)
def test_a_planted_bug_is_noticed(
    plant: Callable[[pytest.MonkeyPatch], None], sign: str, rollback: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    crypto = fake_root.plant(monkeypatch)
    plant(monkeypatch)
    for seed in SEEDS:
        world = NodeWorld(seed, Plan(rollback=rollback), crypto)
        world.run()
        if any(sign in problem for problem in world.problems):
            return
    pytest.fail("it went unnoticed")
