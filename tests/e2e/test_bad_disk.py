"""Real daemons on a disk that fails or loses its power: what a command printed is true afterwards."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from p2pchat.launch.opening import Opening
from p2pchat.vault.spare_time import PAUSE_S
from tests.support import faulty_daemon
from tests.support.complaints import refused
from tests.support.daemons import PASSWORD, Node, befriend, nodes, wait_for

pytestmark = pytest.mark.slow
LEISURE_S = 2 * PAUSE_S  # what the vault writes behind a message, the search index say, would meet the fault first


def start_faulty(node: Node, plan: Path) -> None:
    """The daemon of ``node`` with its vault on a disk that obeys ``plan``."""
    launch = [sys.executable, faulty_daemon.__file__, str(plan), "p2pchat.launch", "--detach"]
    with (node.path.parent / "faulty.log").open("ab") as log:
        subprocess.run(
            [*launch, "--listen", "127.0.0.1:0"],
            env={**node.environ, "PYTHONPATH": str(faulty_daemon.TOP)},
            input=Opening(PASSWORD.encode()).encode(),
            stdout=log,
            stderr=log,
            timeout=60,
            check=True,
        )
    wait_for(lambda: answers(node), seconds=30, what="the daemon")


def answers(node: Node) -> bool:
    return node.run("status").returncode == 0


def test_an_error_of_the_disk_is_told_and_the_daemon_recovers(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    with nodes(tmp_path, 0, 1) as (a, b):
        start_faulty(a, plan)
        b.start()
        befriend(a, b)
        ben = b.id
        sent = [a.json("send", ben, "before", "--wait", "delivered")["message"]]
        b.stop()  # so that nothing but what is sent here reaches the disk
        wait_for(lambda: a.json("status")["online"] == 0, seconds=20, what="the link to end")
        for fault in ("sync 1 EIO", "write 1 EIO", "write 3 EIO"):
            vault = a.processes()["vault"]
            time.sleep(LEISURE_S)
            plan.write_text(fault)
            refused(a, "FAILED", "send", ben, f"during {fault}", says="the store failed")
            wait_for(lambda old=vault: answers(a) and a.processes().get("vault") != old, seconds=30, what="a")  # type: ignore[misc]
            sent.append(a.json("send", ben, f"after {fault}")["message"])
        b.start()
        wait_for(lambda: not a.lines("outbox", "list"), seconds=60, what="the outbox")
        plan.write_text("sync 1 EIO")
        back = [b.json("send", a.id, "to a disk that fails", "--wait", "delivered", timeout=90)["message"]]
        assert not plan.exists(), "it did fail"
        back.append(b.json("send", a.id, "and again", "--wait", "delivered")["message"])
        assert [event["message"] for event in a.lines("recv")] == back
        shown = [event["message"] for event in b.lines("recv")]
        assert len(set(shown)) == len(shown)
        assert [message for message in shown if message in sent] == sent


def test_what_was_printed_outlives_a_power_cut(tmp_path: Path) -> None:
    plan, after = tmp_path / "plan", tmp_path / "after"
    with nodes(tmp_path, 0, 1) as (a, b):
        start_faulty(a, plan)
        b.start()
        befriend(a, b)
        sent = [a.json("send", b.id, "before", "--wait", "delivered")["message"]]
        after.mkdir(mode=0o700)
        plan.write_text(f"cut 23 {after}")
        for number in range(20):
            done = a.run("--json", "send", b.id, f"text {number}")
            if done.returncode != 0:
                break
            sent.append(json.loads(done.stdout)["message"])
        assert not plan.exists(), "the power went"
        a.kill()  # its gate, which the power would have taken, too
        shutil.rmtree(a.path)
        after.rename(a.path)
        a.start()
        wait_for(lambda: not a.lines("outbox", "list"), seconds=60, what="the outbox")
        sent.append(a.json("send", b.id, "after", "--wait", "delivered")["message"])
        shown = [event["message"] for event in b.lines("recv")]
        assert [message for message in shown if message in sent] == sent
        assert len(set(shown)) == len(shown)
        assert len(a.lines("history", b.id)) == len(shown)
