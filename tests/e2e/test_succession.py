"""Somebody's key is stolen: another ID in the same home, and a friend who is asked. The new keys are stored ones."""

from pathlib import Path

import pytest

from p2pchat.commands.factors import Factors
from p2pchat.commands.new_home import kek_of, make_home, read_primes, renew_home
from p2pchat.home import Home
from tests.support.daemons import PASSWORD, Node, befriend, nodes, wait_for

pytestmark = pytest.mark.slow
IDENTITIES = Path(__file__).parents[1] / "support" / "identities"


def test_a_friend_goes_on_with_the_new_id(tmp_path: Path) -> None:
    with nodes(tmp_path, 1) as (friend,):
        owner = Node(tmp_path / "owner")
        home = Home(owner.path, owner.path)
        make_home(home, read_primes(IDENTITIES / "0.hex"), PASSWORD.encode(), light=True)
        try:
            for node in (friend, owner):
                node.start()
            befriend(friend, owner)
            friend.ok("contact", "alias", owner.id, "ada")
            friend.ok("send", "ada", "one", "--wait", "delivered")
            before, listen = owner.id, owner.json("whoami")["listen"][0]
            busy = owner.run("key", "rotate", "--compromised")
            assert (busy.returncode, "p2pchat daemon stop" in busy.stderr) == (1, True)
            owner.stop()
            wrong = owner.run("key", "rotate", "--compromised", "--password-file", "-", stdin="no")
            assert wrong.returncode == 4, wrong.stderr
            friend.ok("send", "ada", "written meanwhile")

            made, given_up = renew_home(
                home, kek_of(home, Factors(PASSWORD.encode())), read_primes(IDENTITIES / "2.hex")
            )
            assert given_up == before != made.id
            owner.start(listen=listen)
            assert owner.json("whoami")["id"] == made.id
            owner.ok("send", friend.id, "from the new one")
            wait_for(lambda: bool(friend.lines("contact", "requests")), seconds=60, what="the new ID to ask")
            (asked,) = friend.lines("contact", "requests")
            assert (asked["id"], asked["predecessor"]) == (made.id, before)
            (waiting,) = friend.lines("outbox", "list")
            assert "its key was stolen" in waiting["reason"]

            accepted = friend.json("contact", "accept", made.id[:12])
            assert (accepted["id"], accepted["alias"], accepted["verified"]) == (made.id, "ada", False)
            friend.ok("send", "ada", "two", "--wait", "delivered", "--timeout", "60")
            assert [e["text"] for e in owner.lines("recv")] == ["one", "written meanwhile", "two"]
            wait_for(
                lambda: "from the new one" in [e["text"] for e in friend.lines("history", "ada")],
                seconds=60,
                what="what waited on the other side",
            )
            assert [e["text"] for e in friend.lines("history", "ada")].count("one") == 1
            assert friend.run("send", before, "to the thief").returncode == 10
            assert friend.lines("outbox", "list") == owner.lines("outbox", "list") == []
        finally:
            owner.stop()
