"""The pair channel between real daemons: epochs that end, an RSA key in each message, and damage that does not."""

import os
from pathlib import Path

import pytest

from p2pchat.rpc.client import Client
from tests.e2e.test_second_client import someone_lower_or_higher
from tests.support.daemons import Node, befriend, nodes, wait_for
from tests.support.second_client.carriers import Raw
from tests.support.second_client.friend import Friend
from tests.support.second_client.identity import id_text, read_card
from tests.support.second_client.link import Link

pytestmark = pytest.mark.slow


def epoch(node: Node, peer: str) -> int:
    return int(node.json("contact", "show", peer)["epoch"])


def texts(node: Node) -> list[str]:
    return [event["text"] for event in node.lines("recv")]


def meet(node: Node, folder: Path, *, lower: bool) -> Friend:
    """A second client whose ID is lower or higher, as a contact of the node."""
    node.ok("contact", "card", "--out", str(folder / "card"))
    peer, _, addresses, _ = read_card((folder / "card").read_text())
    ((host, port, _),) = addresses
    me = someone_lower_or_higher(peer.user, lower=lower)
    friend = Friend(me, Link(me, peer.user, None, Raw((host, port)), os.urandom(96)))
    friend.ask("hello")
    wait_for(lambda: bool(node.lines("contact", "requests")), seconds=30, what="the request to arrive")
    node.ok("contact", "accept", id_text(me.shown.user))
    friend.until(lambda f: f.resumed)
    return friend


def test_a_thousand_messages_end_an_epoch_and_none_is_lost(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (anna, bert):
        for node in (anna, bert):
            node.start()
        befriend(anna, bert)
        anna_id, bert_id = anna.id, bert.id
        assert (epoch(anna, bert_id), epoch(bert, anna_id)) == (1, 1)
        lines = [f"text {number}" for number in range(1050)]
        with Client(anna.path / "rpc.sock") as client:
            for line in lines:
                client.call("send", to=[bert_id], text=line)
        wait_for(lambda: not anna.lines("outbox", "list"), seconds=60, what="the outbox to empty")
        assert texts(bert) == lines
        wait_for(lambda: epoch(anna, bert_id) == epoch(bert, anna_id) >= 2, seconds=20, what="the next epoch")
        bert.ok("send", anna_id, "under the next one", "--wait", "delivered")
        assert texts(anna) == ["under the next one"]
        for node in (anna, bert):
            assert [row["channel"] for row in node.lines("contact", "list")] == ["ok"]


def test_one_side_gives_each_message_an_rsa_key_of_its_own(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (anna, bert):
        anna.ok("config", "set", "rsa", "every")
        for node in (anna, bert):
            node.start()
        befriend(anna, bert)
        anna_id, bert_id = anna.id, bert.id
        sent = [f"with a key of its own {number}" for number in range(8)]
        for text in sent:
            anna.ok("send", bert_id, text)
        bert.ok("send", anna_id, "without", "--wait", "delivered")
        anna.ok("send", bert_id, "ж" * 32_000, "--wait", "delivered")
        assert texts(bert) == [*sent, "ж" * 32_000]
        assert texts(anna) == ["without"]
        refused = anna.run("config", "set", "rsa", "sometimes")
        assert (refused.returncode, "epoch, every" in refused.stderr) == (1, True)


@pytest.mark.parametrize("lower", [True, False], ids=["it offers epochs", "it is offered epochs"])
def test_a_second_client_opens_and_makes_messages_with_a_key_of_their_own(tmp_path: Path, lower: bool) -> None:
    with nodes(tmp_path, 0) as (node,):
        node.ok("config", "set", "rsa", "every")
        node.ok("config", "set", "carriers", "raw")
        node.start()
        friend = meet(node, tmp_path, lower=lower)
        node.ok("send", id_text(friend.me.shown.user), "open me with your root")
        friend.until(lambda f: f.texts)
        assert (friend.texts, friend.legs) == (["open me with your root"], 1)
        friend.text("and mine with yours", rsa_key=True)
        friend.until(lambda f: f.idle)
        assert texts(node) == ["and mine with yours"]
        friend.part()


@pytest.mark.parametrize("lower", [True, False], ids=["it offers epochs", "it is offered epochs"])
def test_messages_that_stay_damaged_are_kept_until_somebody_mends_the_line(tmp_path: Path, lower: bool) -> None:
    with nodes(tmp_path, 0) as (node,):
        node.ok("config", "set", "carriers", "raw")
        node.start()
        friend = meet(node, tmp_path, lower=lower)
        peer = id_text(friend.me.shown.user)
        friend.damages = True
        friend.text("spoilt again and again")
        friend.until(lambda f: f.stopped)

        (contact,) = node.lines("contact", "list")
        assert contact["channel"] == "error"
        events = node.lines("recv", "--all", "--reader", "all")
        assert [event["text"] for event in events if event["type"] == "warning"] == ["Serious connection error"]
        waited = node.run("send", peer, "mine waits, too", "--wait", "delivered", "--timeout", "1")
        assert waited.returncode == 7
        assert "Serious connection error" in waited.stdout and "Serious connection error" in waited.stderr
        (row,) = node.lines("outbox", "list")
        assert (row["state"], row["reason"]) == ("queued", "Serious connection error")
        assert texts(node) == []

        friend.damages = False
        assert node.json("contact", "retry", peer)["channel"] == "healing"
        friend.until(lambda f: f.idle and f.texts)
        assert texts(node) == ["spoilt again and again"]
        assert friend.texts == ["mine waits, too"]
        wait_for(lambda: node.lines("contact", "list")[0]["channel"] == "ok", seconds=30, what="the channel to be well")
        assert node.lines("outbox", "list") == []
        assert epoch(node, peer) == 2
        friend.part()
