"""The power goes while a vault writes to a friend or hears from one: what it had vouched for is there afterwards.

Vouched for: to its user by an answer of the control socket, to the friend by a receipt, to the gate by TOOK. A cut is
put before any operation of the disk, and leaves of the unconfirmed ones what the worst of disks would.
"""

import shutil
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import apsw
import pytest

from p2pchat.store import batch, disk, writer
from p2pchat.store.batch import Job
from p2pchat.store.tx import Reader, Tx
from p2pchat.vault.flows.turn import Turn
from tests.support.power.friend import Memory
from tests.support.power.judge import Vouched, skews, start_again
from tests.support.power.moments import cuts
from tests.support.power.recorder import Recorder
from tests.support.power.stories import Story, befriended, beginning, receiving, sending
from tests.support.power.trace import put_on_disk
from tests.support.sim_env import run_virtual

SEED = 20


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Memory]:
    """A home with a friend, and what the friend knows."""
    folder = tmp_path_factory.mktemp("base")
    return folder, run_virtual(SEED, partial(befriended, folder))


def recorded(story: Story, base: tuple[Path, Memory], folder: Path) -> Recorder:
    home, memory = base
    shutil.copytree(home, folder)
    recorder = Recorder(folder)
    run_virtual(SEED, partial(story, recorder, memory))
    return recorder


def problems(recorder: Recorder, folder: Path, cuts_made: int) -> Iterator[str]:
    trace = recorder.trace
    for (when, fate, seed), skew_ms in zip(cuts(trace, cuts_made), skews(), strict=False):
        target = folder / f"cut {seed}"
        target.mkdir()
        put_on_disk(trace.after_cut(when, fate, seed), trace.root, target)
        vouched, memory = Vouched.before(recorder, when), recorder.knew(when)
        for found in run_virtual(seed, partial(start_again, target, vouched, memory, skew_ms=skew_ms)):
            yield f"cut before operation {when} of {len(trace)}, {fate.value}, seed {seed}: {found}"
        shutil.rmtree(target)


@pytest.mark.parametrize("cuts_made", [24, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("story", [sending, receiving])
def test_what_was_vouched_for_outlives_a_power_cut(
    story: Story, cuts_made: int, base: tuple[Path, Memory], tmp_path: Path
) -> None:
    assert list(problems(recorded(story, base, tmp_path / "home"), tmp_path, cuts_made)) == []


@pytest.mark.parametrize("cuts_made", [24, pytest.param(200, marks=pytest.mark.slow)])
def test_a_store_is_not_there_or_whole_after_a_power_cut_while_it_is_made(cuts_made: int, tmp_path: Path) -> None:
    """And no start after that fails."""
    home, nothing = tmp_path / "home", Memory()
    home.mkdir()
    recorder = Recorder(home)
    run_virtual(SEED, partial(beginning, recorder, nothing))
    for when, fate, seed in cuts(recorder.trace, cuts_made):
        target = tmp_path / f"cut {seed}"
        target.mkdir()
        put_on_disk(recorder.trace.after_cut(when, fate, seed), home, target)

        async def aliases(folder: Path = target) -> list[str | None]:
            async with Recorder(folder, name="again").life(nothing) as (vault, _):
                return [contact["alias"] for contact in (await vault.call("contact.list"))["items"]]

        found = run_virtual(seed, aliases)
        answered = [told.value[0] for told in recorder.told if told.moment <= when]
        wrong = f"cut before operation {when} of {len(recorder.trace)}, {fate.value}, seed {seed}: {found}"
        assert len(found) == 1 or not answered, wrong
        assert found == ["ben"] or len(answered) < 2, wrong
        shutil.rmtree(target)


def lazy_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """``synchronous = NORMAL``: in WAL mode a commit does not wait for the disk."""
    settle = disk.settle

    def lazy(db: apsw.Connection) -> None:
        settle(db)
        db.pragma("synchronous", "NORMAL")

    monkeypatch.setattr(disk, "settle", lazy)


def answer_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects are let go while the transaction is still open; the next one, or the end, commits it."""
    ask_committed = writer._ask

    def run(db: apsw.Connection, queue: deque[Job], taken: list[Job], clock_s: Callable[[], float]) -> None:
        if db.in_transaction:
            db.execute("COMMIT")
        tx = Tx(db)
        batch._run_jobs(db, tx, queue, taken, clock_s)
        batch._run_last_acts(db, tx, taken)

    def ask(db: apsw.Connection, question: Callable[[Reader], object]) -> object:
        return question(Reader(db)) if db.in_transaction else ask_committed(db, question)

    monkeypatch.setattr(batch, "run", run)
    monkeypatch.setattr(writer, "_ask", ask)


def receipt_in_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a link is to be told leaves while the job runs, not after its commit."""
    close, depart = Turn.close, Turn.depart

    def at_once(turn: Turn) -> Turn:
        closed = close(turn)
        depart(closed)
        return closed

    monkeypatch.setattr(Turn, "close", at_once)
    monkeypatch.setattr(Turn, "depart", lambda _turn: None)


@pytest.mark.parametrize(
    ("bug", "story"),
    [
        (lazy_commits, sending),
        (lazy_commits, receiving),
        (answer_before_commit, sending),
        (receipt_in_the_job, receiving),
    ],
)
def test_a_planted_bug_is_noticed(
    bug: Callable[[pytest.MonkeyPatch], None],
    story: Story,
    base: tuple[Path, Memory],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        bug(patch)
        recorder = recorded(story, base, tmp_path / "home")
    assert next(problems(recorder, tmp_path, 100), "") != "", "it went unnoticed"
