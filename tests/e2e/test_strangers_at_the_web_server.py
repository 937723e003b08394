"""A running daemon as strangers see it: a small web server; its friends talk over WebSocket meanwhile."""

import http.client
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from p2pchat.ids import parse_user_id
from p2pchat.limits import DECOY_S, HTTP_S
from p2pchat.link.carriers import frames
from p2pchat.link.carriers.frames import BINARY, encode
from p2pchat.link.carriers.http import Client
from p2pchat.link.carriers.knock import HOUR_MS, knock, knock_key
from p2pchat.link.carriers.websocket import REFUSAL_S
from tests.support.daemons import Node, befriend, nodes

pytestmark = pytest.mark.slow
Address = tuple[str, int]


@pytest.fixture(scope="module")
def friends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node, Address]]:
    with nodes(tmp_path_factory.mktemp("web"), 0, 1) as (a, b):
        host, port = str(a.start()["listen"][0]).rsplit(":", 1)
        b.start()
        befriend(a, b)
        yield a, b, (host, int(port))


def session(address: Address, key: bytes, first: bytes) -> list[tuple[float, frames.Event]]:
    """What an upgraded visitor is told, with the seconds since the 101."""
    reader, told = frames.FrameReader(masked=False), []
    with socket.create_connection(address, timeout=2 * DECOY_S) as stream:
        stream.sendall(Client(*address, key).request())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        began_s = time.monotonic()
        stream.sendall(encode(BINARY, first, os.urandom(4)))
        while data := stream.recv(4096):
            told += [(time.monotonic() - began_s, event) for event in reader.feed(data)]
            if isinstance(told[-1][1], frames.Closed):
                stream.sendall(encode(frames.CLOSE, frames.close_payload(1000), os.urandom(4)))
    return told


def test_friends_talk_over_websocket(friends: tuple[Node, Node, Address]) -> None:
    a, b, _ = friends
    assert a.json("send", b.id, "through HTTP", "--wait", "delivered")["state"] == "delivered"
    assert a.json("contact", "show", b.id)["carrier"] == b.json("contact", "show", a.id)["carrier"] == "ws"


def test_a_browser_finds_a_dull_page(friends: tuple[Node, Node, Address]) -> None:
    _, _, address = friends
    browser = http.client.HTTPConnection(*address, timeout=HTTP_S)
    pages = []
    for path, status in (("/", 200), ("/", 200), ("/admin", 404)):
        browser.request("GET", path)
        answer = browser.getresponse()
        assert answer.status == status
        assert answer.headers["Server"] is None and answer.headers["Date"] and answer.headers["Content-Type"]
        pages.append(answer.read())
    browser.close()
    assert pages[0] == pages[1] != pages[2] and b"<h" in pages[0]
    assert b"p2pchat" not in b"".join(pages).lower()


def test_installations_do_not_share_a_page_and_keep_their_own(friends: tuple[Node, Node, Address]) -> None:
    a, b, _ = friends
    before = page(b)
    assert page(a) != before
    b.stop()
    b.start()
    assert page(b) == before


def page(node: Node) -> bytes:
    host, port = str(node.json("status")["listen"][0]).rsplit(":", 1)
    browser = http.client.HTTPConnection(host, int(port), timeout=HTTP_S)
    browser.request("GET", "/")
    body = browser.getresponse().read()
    browser.close()
    return body


def test_strangers_behind_the_upgrade_cannot_tell_what_was_wrong(friends: tuple[Node, Node, Address]) -> None:
    a, b, address = friends
    key, hour = knock_key(parse_user_id(a.id)), time.time_ns() // 1_000_000 // HOUR_MS
    visits = [
        (os.urandom(16), os.urandom(1262)),
        (os.urandom(16), b"hello"),
        (knock(key, os.urandom(8), hour), os.urandom(1262)),
        (knock(key, os.urandom(8), hour), b"hello"),
        (knock(key, os.urandom(8), hour - 48), os.urandom(1262)),
    ]
    with ThreadPoolExecutor(len(visits)) as crowd:
        futures = [crowd.submit(session, address, *each) for each in visits]
        assert a.json("send", b.id, "meanwhile", "--wait", "delivered")["state"] == "delivered"
        ends = [future.result() for future in futures]
    assert len({tuple(event for _, event in told) for told in ends}) == 1
    for (refused_s, refusal), (closed_s, closed) in ends:
        assert isinstance(refusal, frames.Data) and refusal.text
        assert REFUSAL_S <= refused_s + 0.01 < REFUSAL_S + 2
        assert closed == frames.Closed(frames.POLICY) and DECOY_S - 0.1 < closed_s < DECOY_S + 3
    log = (a.path / "logs" / "daemon.log").read_text()
    assert "Traceback" not in log


def test_garbage_gets_an_honest_no(friends: tuple[Node, Node, Address]) -> None:
    _, _, address = friends
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", os.urandom(64) + b"\r\n\r\n", b"SSH-2.0-x\r\n\r\n"):
        with socket.create_connection(address, timeout=HTTP_S + 5) as stream:
            stream.sendall(garbage)
            answer = b""
            with suppress(ConnectionResetError):
                while data := stream.recv(4096):
                    answer += data
            assert answer.startswith(b"HTTP/1.1 400 "), garbage
            assert b"\r\nConnection: close\r\n" in answer
