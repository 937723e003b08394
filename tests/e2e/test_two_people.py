"""The main job, as two people would do it: real daemons, the real command line, cards as files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemons import Follower, Node, befriend, nodes, wait_for


@pytest.fixture
def friends(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        yield a, b


def test_texts_of_every_kind_arrive_as_they_were(friends: tuple[Node, Node]) -> None:
    a, b = friends
    texts = ["hello", "Grüße, 世界 👋🏽", "two\nlines\n\nand more", "x" * 60_000, "  blanks kept  ", "-"]
    for text in texts:
        sent = a.json("send", b.id, "--wait", "delivered", "-", stdin=text)
        assert sent["state"] == "delivered"
    back = b.json("send", a.id, "--wait", "delivered", "and back")
    assert [e["text"] for e in b.lines("recv")] == texts
    (event,) = a.lines("recv")
    assert (event["message"], event["text"], event["from"]) == (back["message"], "and back", b.id)
    assert event["v"] == 1 and event["group"] is None and event["files"] == []
    assert b.lines("recv") == [], "shown once"
    assert [h["text"] for h in a.lines("history", b.id)] == [*texts, "and back"]
    assert [h["text"] for h in a.lines("history", b.id, "--search", "世界")] == [texts[1]]


def test_an_empty_message_is_refused(friends: tuple[Node, Node]) -> None:
    a, b = friends
    done = a.run("--json", "send", b.id, "-", stdin="\n")
    assert done.returncode == 2 and json.loads(done.stderr)["error"]["code"] == "USAGE"
    assert a.run("--json", "send", b.id, "x" * 65_001).returncode != 0
    assert b.lines("recv") == []


def test_messages_wait_for_an_offline_friend(friends: tuple[Node, Node]) -> None:
    a, b = friends
    identity = b.id
    b.stop()
    sent = [a.json("send", identity, f"while you were out {n}")["message"] for n in range(3)]
    waiting = a.lines("outbox", "list")
    assert [w["message"] for w in waiting] == sent
    assert {w["state"] for w in waiting} == {"queued"} and {w["to"] for w in waiting} == {identity}
    timed_out = a.run("--json", "send", identity, "--wait", "delivered", "--timeout", "1", "and a fourth")
    assert timed_out.returncode == 7
    a.stop()
    assert a.run("outbox", "list").returncode == 3
    a.start()
    assert [w["message"] for w in a.lines("outbox", "list")][:3] == sent
    b.start()
    wait_for(lambda: a.lines("outbox", "list") == [], seconds=30, what="the outbox to empty")
    shown = b.lines("recv")
    assert [e["message"] for e in shown][:3] == sent and len(shown) == 4
    states = {
        d["message"]: d["state"] for d in a.lines("recv", "--all", "--reader", "states") if d["type"] == "delivery"
    }
    assert all(states[m] == "delivered" for m in sent)


def test_a_follower_sees_messages_as_they_come(friends: tuple[Node, Node]) -> None:
    a, b = friends
    follower = Follower(b)
    try:
        sent = [a.json("send", b.id, f"line {n}")["message"] for n in range(5)]
        wait_for(lambda: len(follower.seen) == 5, seconds=20, what="five lines")
        assert [e["message"] for e in follower.seen] == sent
    finally:
        follower.close()
    assert b.lines("recv") == [], "the follower has moved the reader"


def test_the_same_idempotency_key_sends_once(friends: tuple[Node, Node]) -> None:
    a, b = friends
    first = a.json("send", b.id, "--idempotency-key", "k1", "once", "--wait", "delivered")
    again = a.json("send", b.id, "--idempotency-key", "k1", "once", "--wait", "delivered")
    assert first["message"] == again["message"]
    assert [e["text"] for e in b.lines("recv")] == ["once"]


def test_a_cancelled_message_never_arrives(friends: tuple[Node, Node]) -> None:
    a, b = friends
    identity = b.id
    b.stop()
    first, second = (a.json("send", identity, text)["message"] for text in ("never", "but this"))
    a.ok("outbox", "cancel", first)
    b.start()
    wait_for(lambda: a.lines("outbox", "list") == [], seconds=30, what="the outbox to empty")
    assert [e["message"] for e in b.lines("recv")] == [second]
    assert a.json("message", "show", first)["state"] == "failed"


def test_a_delivered_message_can_be_withdrawn(friends: tuple[Node, Node]) -> None:
    a, b = friends
    sent = a.json("send", b.id, "take this back", "--wait", "delivered")["message"]
    a.ok("message", "withdraw", sent)
    wait_for(
        lambda: any(
            e["type"] == "withdrawn" and e["message"] == sent for e in b.lines("recv", "--all", "--since", "0")
        ),
        seconds=20,
        what="the withdrawal to arrive",
    )
    assert [h["text"] for h in b.lines("history", a.id)] == [""]


def test_a_contact_that_was_removed_and_comes_back_raises_no_false_alarm(friends: tuple[Node, Node]) -> None:
    """What came before the removal is in the history; nothing of it is lost."""
    a, b = friends
    for text in ("one", "two"):
        a.ok("send", b.id, text, "--wait", "delivered")
    b.lines("recv", "--all")
    b.ok("contact", "remove", a.id)
    card = a.path.parent / "again.p2pcard"
    a.ok("contact", "card", "--out", str(card))
    b.ok("contact", "add", str(card))
    a.ok("send", b.id, "three", "--wait", "delivered")
    events = b.lines("recv", "--all")
    assert [event["text"] for event in events if event["type"] == "message"] == ["three"]
    assert [event for event in events if event["type"] == "warning"] == []
