"""Slow and idle strangers in numbers at the port of a running daemon: its friends notice nothing (H031, H032)."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from p2pchat.home import Home
from p2pchat.limits import DECOY_S, HALF_OPEN_LINKS, HALF_OPEN_PER_PREFIX, HTTP_S, PREAUTH_S
from p2pchat.rpc.client import Client
from tests.support.daemons import Node, befriend, nodes, wait_for
from tests.support.outside.crowd import Crowd

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SLOW, IDLE = 256, 2000
PRESSURE_S = PREAUTH_S + 3  # those who are let in first are thrown out meanwhile, and others take their places
SLACK_S = 5.0  # of a busy machine
PASSING = 8  # connections that are just being turned away, and files of the book
P99_MS = 250.0
GROWTH_KIB = 32 * 1024
LONGEST_S = {  # how long a visitor of each kind may keep his place
    "idle": HTTP_S,
    "head": HTTP_S,
    "frame": HTTP_S + DECOY_S,
    "noise": HTTP_S + PREAUTH_S + DECOY_S,
}


@pytest.mark.parametrize("spread", [True, False], ids=["from everywhere", "from one neighbourhood"])
def test_h031_h032_friends_do_not_notice_slow_and_idle_strangers_in_numbers(tmp_path: Path, spread: bool) -> None:
    """Another two friends, whom nobody visits, show meanwhile what this machine gives at present."""
    with nodes(tmp_path, 0, 1, 2, 3) as (a, b, c, d):
        listen = [node.start()["listen"][0] for node in (a, b, c, d)]
        befriend(a, b)
        befriend(c, d)
        gate = a.processes()["gate"]
        files, memory = open_files(gate), peak_kib(gate)
        with crowd(listen[0], a.id, spread) as report:
            wait_for(lambda: open_files(gate) >= files + HALF_OPEN_PER_PREFIX, seconds=20, what="the crowd")
            visited_ms, quiet_ms = talk((a, b), (c, d), seconds=PRESSURE_S)
            most = open_files(gate) - files
            told = report()
        places = HALF_OPEN_LINKS if spread else HALF_OPEN_PER_PREFIX
        grown = peak_kib(gate) - memory
        print(f"p99 {p99(visited_ms):.0f} ms, unvisited {p99(quiet_ms):.0f} ms; {most} files, {grown} KiB more; {told}")
        assert p99(visited_ms) < max(P99_MS, 2 * p99(quiet_ms))
        assert most <= places + PASSING
        assert grown < GROWTH_KIB
        assert sum(told["visits"].values()) >= SLOW + IDLE
        assert sum(told["stayed"].values()) >= places
        for kind, longest_s in told["longest_s"].items():
            assert longest_s < LONGEST_S[kind] + SLACK_S, kind
        wait_for(lambda: open_files(gate) <= files, seconds=30, what="every place to be given back")
        assert a.processes()["gate"] == gate
        b.stop()
        b.start()
        assert b.json("send", a.id, "over a new link", "--wait", "delivered", "--timeout", "60")
        log = (a.path / "logs" / "daemon.log").read_text()
        assert "Traceback" not in log and len(log) < 10_000


@contextmanager
def crowd(listen: str, user: str, spread: bool) -> Iterator[Callable[[], Any]]:
    """The crowd while it is there; gives a function that waits for its end and reports."""
    host, port = listen.rsplit(":", 1)
    third = SLOW // 3
    slow = {"head": third + 1, "frame": third, "noise": third} if spread else {"head": SLOW}
    spec = Crowd(host=host, port=int(port), user=user, kinds={**slow, "idle": IDLE}, spread=spread, for_s=PRESSURE_S)
    command = [sys.executable, "-m", "tests.support.outside.crowd", json.dumps(asdict(spec))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield lambda: json.loads(process.communicate(timeout=120)[0])
        finally:
            process.kill()


def talk(*pairs: tuple[Node, Node], seconds: float) -> list[list[float]]:
    """Each pair writes to each other, one message after the other; of each pair the ms from send to delivered."""
    took_ms: list[list[float]] = [[] for _ in pairs]

    def write(sender: Node, to: str, took: list[float]) -> None:
        client = Client(Home(sender.path, sender.path).rpc_sock)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            message = client.call("send", to=[to], text="still there?")["message"]
            told = client.call("message.wait", wait_s=20, message=message, state="delivered", wait_ms=20_000)
            assert told["state"] == "delivered"
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(0.03)
        client.close()

    with ThreadPoolExecutor(2 * len(pairs)) as pool:
        writers = [
            pool.submit(write, sender, receiver.id, took)
            for took, (one, other) in zip(took_ms, pairs, strict=True)
            for sender, receiver in ((one, other), (other, one))
        ]
        for writer in writers:
            writer.result()
    assert all(len(took) > 50 for took in took_ms)
    return took_ms


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
