"""A key is replaced, by its owner and by a thief, with real daemons. The new keys are stored ones."""

import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.commands.new_home import make_home, read_primes
from p2pchat.home import Home
from p2pchat.ids import recovery_text
from p2pchat.rpc.jsonlines import encode
from tests.support.daemons import PASSWORD, Node, befriend, nodes, wait_for

pytestmark = pytest.mark.slow
SEED = bytes(range(32))
IDENTITIES = Path(__file__).parents[1] / "support" / "identities"


def rotate(node: Node, index: int, **more: str) -> None:
    """What ``key rotate`` asks for, with a stored key in place of one that takes ten seconds."""
    p, q = (b64encode(prime).decode() for prime in read_primes(IDENTITIES / f"{index}.hex"))
    params = {"password": b64encode(PASSWORD.encode()).decode(), "p": p, "q": q, **more}
    node.ok("rpc", "call", "key.rotate", "-", stdin=encode(params).decode())


@pytest.fixture
def friend_and_owner(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    with nodes(tmp_path, 1) as (friend,):
        owner = Node(tmp_path / "owner")
        primes = read_primes(IDENTITIES / "0.hex")
        make_home(Home(owner.path, owner.path), primes, PASSWORD.encode(), light=True, recovery_seed=SEED)
        try:
            for node in (friend, owner):
                node.start()
            befriend(friend, owner)
            friend.ok("send", owner.id, "one", "--wait", "delivered")
            number = friend.json("contact", "verify", owner.id)["safety_number"]
            friend.ok("contact", "verify", owner.id, "--number", number)
            yield friend, owner
        finally:
            owner.stop()


def talk(friend: Node, owner: Node, text: str) -> None:
    friend.ok("send", owner.id, f"{text}, there", "--wait", "delivered", "--timeout", "40")
    owner.ok("send", friend.id, f"{text}, back", "--wait", "delivered", "--timeout", "40")


def warnings(node: Node) -> str:
    return " ".join(e.get("text", "") for e in node.lines("recv", "--all", "--since", "0") if e["type"] == "warning")


def test_contacts_take_a_replaced_key_and_refuse_copies_from_before(
    friend_and_owner: tuple[Node, Node], tmp_path: Path
) -> None:
    friend, owner = friend_and_owner
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    before = owner.json("key", "show")
    owner.ok("key", "export", "file", "--out", old, "--kdf", "light")
    owner.ok("key", "verify", old)
    rotate(owner, 2)
    after = owner.json("key", "show")
    assert (after["id"], after["key_log"], after["backup_verified_ms"]) == (before["id"], 2, None)
    assert after["fingerprint"] != before["fingerprint"]
    wait_for(
        lambda: not friend.json("contact", "show", owner.id)["verified"], seconds=30, what="the friend to hear of it"
    )
    (changed,) = [e for e in friend.lines("recv", "--all", "--since", "0") if e["type"] == "key-changed"]
    assert changed["fingerprint"] == after["fingerprint"]
    talk(friend, owner, "two")
    stale = owner.run("key", "verify", old)
    assert (stale.returncode, "replaced since" in stale.stderr) == (6, True)
    owner.ok("key", "export", "file", "--out", new, "--kdf", "light")
    owner.ok("key", "verify", new)
    id_, listen = owner.id, owner.json("whoami")["listen"][0]
    owner.stop()

    outdated, back = Node(tmp_path / "outdated"), Node(tmp_path / "back")
    for node, copy in ((outdated, old), (back, new)):
        node.ok("login", "--file", copy, "--expect", id_, "--kdf", "light")
        node.start(listen=listen)
        try:
            if node is outdated:
                wait_for(lambda: outdated.json("status")["replaced"], seconds=60, what="the old copy to be refused")
                assert "Log in with a backup that was made since" in warnings(node)
            else:
                wait_for(lambda: bool(back.lines("contact", "requests")), seconds=60, what="the friend to come back")
                talk(friend, back, "three")
        finally:
            node.stop()


def test_a_string_of_a_replaced_key_brings_it_back_and_a_contact_its_log(
    friend_and_owner: tuple[Node, Node], tmp_path: Path
) -> None:
    friend, owner = friend_and_owner
    rotate(owner, 2)
    talk(friend, owner, "two")
    string = str(tmp_path / "string")
    owner.ok("key", "export", "string", "--out", string, "--kdf", "light")
    owner.ok("key", "verify", string)
    id_, listen = owner.id, owner.json("whoami")["listen"][0]
    owner.stop()
    back = Node(tmp_path / "back")
    done = back.run("login", "--string", string, "--expect", id_, "--kdf", "light")
    assert (done.returncode, "sends it" in done.stderr) == (0, True), done.stderr
    friend.stop()
    back.start(listen=listen)
    try:
        refused = back.run("contact", "card")
        assert (refused.returncode, "none has answered" in refused.stderr) == (6, True), refused.stderr
        assert back.json("key", "show")["key_log_held"] is False
        friend.start()
        wait_for(lambda: bool(back.json("key", "show")["key_log_held"]), seconds=60, what="the friend to send the log")
        talk(friend, back, "three")
        back.ok("contact", "card")
        back.stop()
        back.start(listen=listen)
        assert back.json("key", "show")["key_log_held"]
    finally:
        back.stop()


def test_the_recovery_key_outranks_a_thief(friend_and_owner: tuple[Node, Node], tmp_path: Path) -> None:
    friend, owner = friend_and_owner
    id_, listen = owner.id, owner.json("whoami")["listen"][0]
    owner.stop()
    thief = Node(tmp_path / "thief")
    shutil.copytree(owner.path, thief.path, ignore=shutil.ignore_patterns("*.sock", "lock"))
    thief.start(listen=listen)
    try:
        rotate(thief, 2)
        wait_for(
            lambda: not friend.json("contact", "show", id_)["verified"], seconds=30, what="the friend to believe it"
        )
        talk(friend, thief, "stolen")
    finally:
        thief.stop()

    owner.start(listen=listen)
    wait_for(lambda: owner.json("status")["replaced"], seconds=60, what="the owner to hear of it")
    assert "a thief did" in warnings(owner)
    wrong = owner.run("key", "rotate", "--recovery-file", "-", stdin="pcr1" + "q" * 58)
    assert (wrong.returncode, "typing error" in wrong.stderr) == (6, True), wrong.stderr
    rotate(owner, 3, recovery=recovery_text(SEED))
    owner.stop()
    owner.start(listen=listen)
    wait_for(
        lambda: owner.lines("contact", "list")[0]["presence"] == "online", seconds=60, what="the friend to take it"
    )
    owner.ok("send", friend.id, "it is me", "--wait", "delivered", "--timeout", "40")
    owner.stop()

    thief.start(listen=listen)
    try:
        wait_for(lambda: thief.json("status")["replaced"], seconds=60, what="the thief to be switched off")
    finally:
        thief.stop()
