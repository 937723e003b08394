"""A whole home put back from an older copy (`cp -a`), real daemons: nothing twice, and every gap is told to both."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.daemons import Node, befriend, nodes, wait_for
from tests.support.shifted import start_shifted

pytestmark = pytest.mark.slow
OLD_COPY = "this home is an older copy"
LOST_HERE = "no longer held by the sender"
LOST_THERE = "lost there after delivery"


def keep_copy(node: Node, name: str = "copy") -> None:
    """Stop the daemon and copy its home."""
    node.stop()
    shutil.copytree(node.path, node.path.parent / f"{node.path.name}.{name}")


def put_back(node: Node, name: str = "copy") -> None:
    node.stop()
    shutil.rmtree(node.path)
    shutil.copytree(node.path.parent / f"{node.path.name}.{name}", node.path)


def texts(node: Node) -> list[str]:
    """All messages that were ever shown here, by this store."""
    return [event["text"] for event in node.lines("recv", "--since", "0")]


def warnings(node: Node) -> list[str]:
    return [event["text"] for event in node.lines("recv", "--all", "--since", "0") if event["type"] == "warning"]


def told(node: Node, words: str) -> Callable[[], bool]:
    return lambda: any(words in text for text in warnings(node))


def talk(a: Node, b: Node, *rounds: int) -> None:
    for number in rounds:
        a.ok("send", b.id, f"a{number}", "--wait", "delivered", timeout=90)
        b.ok("send", a.id, f"b{number}", "--wait", "delivered", timeout=90)


@pytest.mark.parametrize("who", [0, 1], ids=["lo-or-hi", "the-other"])
def test_what_came_after_the_copy_is_told_as_lost(tmp_path: Path, who: int) -> None:
    with nodes(tmp_path, 0, 1) as both:
        a, b = both[who], both[1 - who]
        a.start()
        b.start()
        befriend(a, b)
        talk(a, b, 1, 2)
        identity = b.id
        b.stop()
        waiting = [a.json("send", identity, f"waited {number}")["message"] for number in (1, 2)]
        keep_copy(a)  # with two messages that are not delivered yet
        a.start()
        b.start()
        talk(a, b, 3, 4)
        put_back(a)
        a.start()
        talk(a, b, 5, 6)

        wait_for(lambda: a.lines("outbox", "list") == [], seconds=30, what="what waited to be delivered")
        assert texts(b) == ["a1", "a2", "waited 1", "waited 2", "a3", "a4", "a5", "a6"]
        assert [row["state"] for row in (a.json("message", "show", one) for one in waiting)] == ["delivered"] * 2
        assert texts(a) == ["b1", "b2", "b5", "b6"]
        assert any(f"messages 3-4 from this contact, {LOST_HERE}" in text for text in warnings(a))
        assert any(f"{LOST_THERE}: messages 3-4 to this contact" in text for text in warnings(b))
        assert any(OLD_COPY in text and "lacks 2 to 4 messages" in text for text in warnings(a))
        assert not told(b, "a copy of its identity")(), "a copy that was put back is no copy in use"
        assert a.lines("contact", "list")[0]["channel"] == b.lines("contact", "list")[0]["channel"] == "ok"


def test_what_waited_only_in_the_copy_arrives_once(tmp_path: Path) -> None:
    """The copy holds messages that the peer got from the original under other numbers."""
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        identity = b.id
        b.stop()
        a.ok("send", identity, "both have it")
        keep_copy(a)
        a.start()
        cancelled = a.json("send", identity, "cancelled in time")["message"]
        a.ok("outbox", "cancel", cancelled)
        a.ok("send", identity, "only from the original")
        b.start()
        wait_for(lambda: a.lines("outbox", "list") == [], seconds=30, what="the original's outbox")
        a.stop()
        put_back(a)
        a.start()
        a.ok("send", identity, "from the copy", "--wait", "delivered", timeout=90)
        assert texts(b) == ["both have it", "only from the original", "from the copy"]


def test_both_put_back_copies_of_different_epochs(tmp_path: Path) -> None:
    """Each put-back agrees a new epoch; the second copy is older than that."""
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        talk(a, b, 1)
        keep_copy(a)
        keep_copy(b)
        a.start()
        b.start()
        talk(a, b, 2)
        put_back(b)
        b.start()
        talk(a, b, 3)  # a new epoch, and a new life of b's queue
        put_back(a)  # older than both
        a.start()
        talk(a, b, 4)
        for node in (a, b):
            put_back(node)
        a.start()
        b.start()
        talk(a, b, 5)
        assert texts(a) == ["b1", "b5"]
        assert texts(b) == ["a1", "a5"]
        assert {contact["channel"] for node in (a, b) for contact in node.lines("contact", "list")} == {"ok"}


@pytest.mark.parametrize("who", [0, 1], ids=["asker", "asked"])
def test_a_copy_older_than_the_acceptance(tmp_path: Path, who: int) -> None:
    with nodes(tmp_path, 0, 1) as both:
        a, b = both
        a.start()
        b.start()
        card = tmp_path / "b.card"
        b.ok("contact", "card", "--out", str(card))
        a.ok("contact", "add", str(card))
        wait_for(lambda: bool(b.lines("contact", "requests")), seconds=20, what="the request")
        keep_copy(both[who])
        both[who].start()
        b.ok("contact", "accept", a.id)
        talk(a, b, 1)
        put_back(both[who])
        both[who].start()
        if both[who] is b:  # its user has not accepted, as far as this home knows
            assert [row["id"] for row in b.lines("contact", "requests")] == [a.id]
            b.ok("contact", "accept", a.id)
        talk(a, b, 2)
        restored, other = both[who], both[1 - who]
        assert len(texts(restored)) == 1, "the first message is gone with the home"
        assert len(texts(other)) == 2
        wait_for(told(other, "perhaps missing there"), seconds=30, what="the other side to hear of the gap")
        wait_for(told(restored, LOST_HERE), seconds=30, what="the restored side to hear of the gap")


def test_a_copy_older_than_the_friendship_adds_the_card_again(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        keep_copy(a)
        a.start()
        befriend(a, b)
        talk(a, b, 1)
        card = tmp_path / "b.card"
        b.ok("contact", "card", "--out", str(card))
        put_back(a)
        a.start()
        a.ok("contact", "add", str(card))
        talk(a, b, 2)
        assert texts(a) == ["b2"]
        assert texts(b) == ["a1", "a2"]


def test_two_copies_at_once_alarm_everybody(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1, 2) as (a, b, c):
        for node in (a, b, c):
            node.start()
        befriend(a, b)
        card = tmp_path / "c.card"
        c.ok("contact", "card", "--out", str(card))
        a.ok("contact", "add", str(card))
        wait_for(lambda: bool(c.lines("contact", "requests")), seconds=20, what="the request")
        c.ok("contact", "accept", a.id)
        talk(a, b, 1)
        a.stop()
        clone = Node(tmp_path / "clone")
        shutil.copytree(a.path, clone.path)
        (clone.path / "port").unlink()
        try:
            a.start()
            wait_for(lambda: a.json("status")["online"] == 2, seconds=30, what="the original to be linked")
            clone.start()
            for node, words in (
                (a, "a copy of this home is in use at 127.0.0.1:"),
                (clone, "a copy of this home is in use at 127.0.0.1:"),
                (b, "a copy of its identity is in use"),
                (c, "a copy of its identity is in use"),
            ):
                wait_for(told(node, words), seconds=60, what=f"the alarm at {node.path.name}")
            for node in (a, clone):
                node.ok("send", b.id, f"from {node.path.name}", "--wait", "delivered", "--timeout", "100", timeout=120)
        finally:
            clone.kill()
        wait_for(lambda: b.json("status")["online"] == 1, seconds=60, what="the one that stays")
        talk(a, b, 2)
        assert sorted(texts(b)) == ["a1", "a2", "from clone", f"from {a.path.name}"]


def test_a_copy_with_old_keys_signs_new_ones_and_contacts_see_it(tmp_path: Path) -> None:
    """The original renewed its keys (its clock is fifty days ahead), then an older copy takes its place: STALE_SET."""
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        keep_copy(a)
        start_shifted(a, 50)
        talk(a, b, 1)
        assert b.lines("contact", "list")[0]["state"] == "accepted"
        put_back(a)
        a.start()
        for node, words in ((a, "a contact holds newer keys of yours"), (b, "shows older keys than before")):
            wait_for(told(node, words), seconds=30, what=f"the warning at {node.path.name}")
        talk(a, b, 2)  # once a has signed number 3
        assert texts(b) == ["a1", "a2"]
        changes = [event for event in b.lines("recv", "--all", "--since", "0") if event["type"] == "key-changed"]
        assert [event["from"] for event in changes] == [a.id]
