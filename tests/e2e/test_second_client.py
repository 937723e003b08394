"""docs/protocol.md suffices: a client written from it alone becomes a friend of a real node and talks with it."""

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import shake_256
from itertools import count
from pathlib import Path

import pytest

from tests.support.daemons import Node, nodes, wait_for
from tests.support.second_client.carriers import PING as WEBSOCKET_PING
from tests.support.second_client.carriers import Raw, WebSocket
from tests.support.second_client.friend import Friend
from tests.support.second_client.identity import Me, begin, id_text, read_card
from tests.support.second_client.link import PING, Initiator, Link, unit
from tests.support.second_client.primitives import pack

IDENTITIES = Path(__file__).parents[1] / "support" / "identities"


def someone(index: int, seed: str) -> Me:
    return Me.make(*primes(index), shake_256(seed.encode()).digest(224), time.time_ns() // 1_000_000)


def someone_lower_or_higher(than: bytes, *, lower: bool) -> Me:
    """The genesis holds random bytes, so some tries give an ID on either side, however near the edge ``than`` is."""
    p, q = primes(2)
    now_ms = time.time_ns() // 1_000_000
    tries = (shake_256(b"second client %d" % number).digest(224) for number in count())
    return Me.make(p, q, next(fresh for fresh in tries if (begin(p, q, fresh, now_ms)[1] < than) == lower), now_ms)


def primes(index: int) -> tuple[int, int]:
    p, q = (int(line, 16) for line in (IDENTITIES / f"{index}.hex").read_text().split())
    return p, q


def compare_keys_live(node: Node, friend: Friend) -> None:
    """The node's user begins; the pictures are those of the document's table."""
    document = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    table = {int(number): emoji for number, emoji in re.findall(r"\| (\d+) ([^\x00-\x7f]) (?=[a-z])", document)}
    named = {"peer": id_text(friend.me.shown.user)}
    named["session"] = node.json("rpc", "call", "compare.begin", json.dumps(named))["session"]
    friend.until(lambda f: f.comparison and f.comparison.peer_value)
    assert friend.comparison is not None
    state = json.dumps({**named, "state": "waiting", "wait_ms": 5000})
    view = node.json("rpc", "call", "compare.wait", state)
    assert [one["emoji"] for one in view["emoji"]] == [table[number] for number in friend.comparison.pictures]
    view = node.json("rpc", "call", "compare.answer", json.dumps({**named, "answer": "yes"}))
    assert (view["verified"], view["peer_answer"]) == (True, "yes")
    friend.until(lambda f: f.comparison and f.comparison.peer_verdict == 1)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with nodes(tmp_path_factory.mktemp("second"), 0) as (only,):
        only.ok("config", "set", "carriers", "ws,raw")
        only.start()
        yield only


@pytest.mark.slow
@pytest.mark.parametrize("lower", [True, False], ids=["it offers epochs", "it is offered epochs"])
def test_a_client_written_from_the_document_talks_with_a_node(node: Node, tmp_path: Path, lower: bool) -> None:
    node.ok("contact", "card", "--out", str(tmp_path / "card"))
    peer, _, places, nickname = read_card((tmp_path / "card").read_text())
    assert (id_text(peer.user), nickname) == (node.id, "person 0")
    assert [carrier for _, _, carrier in places] == ["ws", "raw"] and places[0][:2] == places[1][:2]
    address = (places[0][0], places[0][1])

    me = someone_lower_or_higher(peer.user, lower=lower)
    carrier = WebSocket(address, peer.user)
    friend = Friend(me, Link(me, peer.user, None, carrier, os.urandom(96)))
    carrier.frame(WEBSOCKET_PING, b"beneath it")
    friend.link.send(PING, pack(b"heart 01"))
    friend.link.receive()
    assert (friend.link.pongs, carrier.pongs) == ([pack(b"heart 01")], [b"beneath it"])

    friend.ask("we met in the document")
    wait_for(lambda: bool(node.lines("contact", "requests")), seconds=30, what="the request to arrive")
    (request,) = node.lines("contact", "requests")
    assert (request["id"], request["nickname"]) == (id_text(me.shown.user), "second")
    assert request["message"] == "we met in the document"
    node.ok("contact", "accept", request["id"])
    friend.until(lambda f: f.resumed)
    assert len(friend.ticket) == 32 and "text" in friend.capabilities
    friend.until(lambda f: f.profile)
    assert friend.profile == "person 0"

    sent = [friend.text("hello from another client"), friend.text("ж" * 20_000)]
    friend.until(lambda f: f.idle)
    events = node.lines("recv")
    assert [event["message"] for event in events] == [message.hex() for message in sent]
    assert [event["text"] for event in events] == ["hello from another client", "ж" * 20_000]

    back = node.json("send", request["id"], "and hello back")
    friend.until(lambda f: f.texts)
    assert friend.texts == ["and hello back"]
    compare_keys_live(node, friend)
    friend.renew()
    friend.until(lambda f: f.epoch and f.epoch.number == 2)
    friend.text("under the next epoch")
    friend.until(lambda f: f.idle)
    assert [event["text"] for event in node.lines("recv")] == ["under the next epoch"]
    friend.part()

    node.ok("send", request["id"], "while you were away")
    friend.text("written without a link")
    friend.relink(Link(me, peer.user, peer, Raw(address), os.urandom(96)))
    friend.until(lambda f: f.idle and len(f.texts) == 2)
    assert friend.texts[1] == "while you were away"
    assert [event["text"] for event in node.lines("recv")] == ["written without a link"]
    assert node.json("message", "show", back["message"])["state"] == "delivered"
    friend.part()


@pytest.mark.slow
def test_whoever_errs_in_a_single_byte_gets_none(node: Node, tmp_path: Path) -> None:
    """The same silence to noise, to who does not know the ID, and to who knows it but not the rest."""
    node.ok("contact", "card", "--out", str(tmp_path / "card"))
    peer, _, [[host, port, _], *_], _ = read_card((tmp_path / "card").read_text())
    me = someone(3, "a visitor")
    right, wrong = (Initiator(me, user, None, os.urandom(96)) for user in (peer.user, me.shown.user))
    good = unit(right.message1(), right.psk, 1)
    bad_tag = good[:-1] + bytes([good[-1] ^ 1])
    visits = [os.urandom(len(good)), unit(wrong.message1(), wrong.psk, 1), bad_tag, good[:-1], good + b"\0"]
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection((host, port), timeout=0.5)) for _ in visits]
        for visitor, visit in zip(sockets, visits, strict=True):
            visitor.sendall(visit)
        for visitor in sockets:
            with pytest.raises(TimeoutError):
                visitor.recv(1)
        sockets[3].sendall(good[-1:])  # the one that only lacked its last byte
        assert sockets[3].recv(1)
