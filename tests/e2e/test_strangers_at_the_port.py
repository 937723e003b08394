"""Garbage, other protocols, silence and crowds at the port of a running daemon; its friends notice nothing."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random

import pytest

from p2pchat.ids import parse_user_id
from p2pchat.limits import HALF_OPEN_PER_PREFIX, PREAUTH_S
from p2pchat.link.framing import wrap
from p2pchat.link.handshake import INITIATOR_FRESH_BYTES, Initiator
from tests.support.daemons import Node, befriend, nodes, wait_for
from tests.support.links import local

pytestmark = pytest.mark.slow
RANDOM = Random(2)
VISITS = {
    "nothing": b"",
    "a few random bytes": RANDOM.randbytes(200),
    "more than is read before a proof": RANDOM.randbytes(100_000),
    "HTTP": b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + RANDOM.randbytes(500),
    "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
    "half of a first message, by its size": RANDOM.randbytes(632),
}


@pytest.fixture
def friends(tmp_path: Path) -> Iterator[tuple[Node, Node, tuple[str, int]]]:
    with nodes(tmp_path, 0, 1) as (a, b):
        for node in (a, b):
            node.ok("config", "set", "carriers", "raw")
        listen = a.start()["listen"]
        b.start()
        befriend(a, b)
        host, port = str(listen[0]).rsplit(":", 1)
        yield a, b, (host, int(port))


def visit(
    address: tuple[str, int], data: bytes, pause_s: float = 0.0, answered: threading.Event | None = None
) -> tuple[bytes, float]:
    """What the node answers, and seconds until it closes. ``answered`` is set at its first byte."""
    started = time.monotonic()
    got = bytearray()
    with socket.create_connection(address) as stream:
        stream.settimeout(2 * PREAUTH_S)
        threading.Thread(target=_say, args=(stream, data, pause_s), daemon=True).start()
        with suppress(ConnectionResetError):  # bytes that were never read make a close a reset
            while piece := stream.recv(4096):
                got += piece
                if answered is not None:
                    answered.set()
    return bytes(got), time.monotonic() - started


def _say(stream: socket.socket, data: bytes, pause_s: float) -> None:
    with suppress(OSError):
        if not pause_s:
            stream.sendall(data)
        for byte in data if pause_s else b"":
            stream.send(bytes([byte]))
            time.sleep(pause_s)


def test_no_stranger_gets_a_byte_and_all_are_closed_alike(friends: tuple[Node, Node, tuple[str, int]]) -> None:
    a, b, address = friends
    assert len(VISITS) < HALF_OPEN_PER_PREFIX, "all of them fit at the door at once"
    with ThreadPoolExecutor(HALF_OPEN_PER_PREFIX) as crowd:
        visits = {name: crowd.submit(visit, address, data) for name, data in VISITS.items()}
        visits["slow bytes"] = crowd.submit(visit, address, RANDOM.randbytes(60), 0.3)
        assert a.json("send", b.id, "meanwhile", "--wait", "delivered")["state"] == "delivered"
        ends = {name: future.result() for name, future in visits.items()}
    for name, (answer, after_s) in ends.items():
        assert answer == b"", name
        assert PREAUTH_S - 0.5 < after_s < PREAUTH_S + 5, (name, after_s)
    assert b.json("send", a.id, "and after", "--wait", "delivered")["state"] == "delivered"
    log = (a.path / "logs" / "daemon.log").read_text()
    assert "Traceback" not in log and len(log) < 10_000


def test_half_a_handshake_by_somebody_who_knows_the_id_ends_alike(
    friends: tuple[Node, Node, tuple[str, int]],
) -> None:
    a, b, address = friends
    stranger = Initiator(local(3), parse_user_id(a.id), None, fresh=RANDOM.randbytes(INITIATOR_FRESH_BYTES))
    first = wrap(stranger.start(), stranger.psk, 1)
    with ThreadPoolExecutor(4) as crowd:
        half = crowd.submit(visit, address, first[:-1])
        answered = threading.Event()
        whole = crowd.submit(visit, address, first, 0.0, answered)
        assert answered.wait(PREAUTH_S)
        again = crowd.submit(visit, address, first)  # seen before: a replay
        assert len(whole.result()[0]) > 1000, "message 2, and then no more"
        for visitor in (half, again):
            assert visitor.result()[0] == b""
        for visitor in (half, whole, again):
            assert PREAUTH_S - 0.5 < visitor.result()[1] < PREAUTH_S + 5
    assert b.json("send", a.id, "and after", "--wait", "delivered")["state"] == "delivered"
    assert [contact["id"] for contact in a.lines("contact", "list")] == [b.id]


def test_three_hundred_idle_visitors_keep_no_friend_out(friends: tuple[Node, Node, tuple[str, int]]) -> None:
    a, b, address = friends
    gate = a.processes()["gate"]
    with ExitStack() as crowd:
        idle = [crowd.enter_context(socket.create_connection(address)) for _ in range(300)]
        wait_for(lambda: _open_files(gate) < 60, seconds=30, what="all but a few to be turned away")
        assert a.json("send", b.id, "over the link that is up", "--wait", "delivered")["state"] == "delivered"
        b.stop()
        b.start()  # the crowd holds b's prefix at a's door; a finds b
        assert b.json("send", a.id, "over a new link", "--wait", "delivered", "--timeout", "60")
        assert len(idle) == 300
    wait_for(lambda: _open_files(gate) < 30, seconds=2 * PREAUTH_S, what="the rest to be let go")
    assert a.processes()["gate"] == gate


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
