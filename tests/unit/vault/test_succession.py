"""A stolen key's owner goes by another ID: as the node that did so sees it, and as its contacts do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from trio.testing import MockClock

from p2pchat.contacts.request import Between, open_request, seal_body
from p2pchat.env_system import SystemCrypto
from p2pchat.errors import P2PChatError
from p2pchat.ids import user_id_text
from p2pchat.keys.identity import Identity, load_identity
from p2pchat.vault.flows.succession import REASON
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import ContactRequest, Signed, Succession, Successor
from tests.support.identities import NOW_MS, stored_identity
from tests.support.peer_messages import say_resume
from tests.support.simdisk import SimDisk
from tests.support.vaults import Peer, Vault, running
from tests.unit.keys.test_succession import succeeded

OLD, THIEF = stored_identity(0), stored_identity(3)
FRIEND = stored_identity(1)


@cache
def successor() -> Identity:
    return load_identity(succeeded()[0])


def text(identity: Identity) -> str:
    return user_id_text(identity.user)


def claim(by: Identity, old: Identity = OLD) -> bytes:
    """That ``old`` goes by the ID of ``by``, signed by whoever has the old key."""
    body = Successor(user=old.user, successor=by.user, day=20_000).encode()
    statement = Signed(body=body, signature=old.root.sign(body)).encode()
    return Succession(statement=statement, key_log=b"", earlier=b"").encode()


async def events(vault: Vault, kind: str) -> list[dict[str, Any]]:
    found = await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0)
    return [event for event in found["events"] if event["type"] == kind]


# --- as a contact sees it: the vault under test is the stored identity ME = 0, so its friend is 1 ---------------------


class Claimant(Peer):
    """Asks for contact, saying whom it was before."""

    def asking(self, succession: bytes) -> bytes:
        request = ContactRequest(nickname="peer", note="", addresses=b"", sent_ms=NOW_MS, succession=succession)
        between = Between(self.identity.user, self.own.user, self.link_hash)
        return seal_body(
            request, between, sender=self.identity.device, to=self.own.record, hpke_seal=SystemCrypto().hpke_seal
        )


@asynccontextmanager
async def with_a_friend(**settings: Any) -> AsyncIterator[tuple[Vault, Peer]]:
    async with running(**settings) as vault:
        friend = Peer(vault)
        await friend.befriend()
        number = (await vault.call("contact.verify", peer=text(FRIEND)))["safety_number"]
        await vault.call("contact.verify", peer=text(FRIEND), number=number)
        await vault.call("contact.alias", peer=text(FRIEND), alias="bob")
        yield vault, friend
        assert await vault.lives()


async def claimed(vault: Vault, by: int = 4, succession: bytes | None = None) -> Claimant:
    one = Claimant(vault, identity=stored_identity(by), role=boundary.Role.STRANGER)
    await one.up()
    await one.send(FrameType.REQUEST, one.asking(succession or claim(one.identity, FRIEND)))
    assert await vault.lives()
    return one


async def test_a_claim_stops_what_is_sent_to_the_old_id_and_asks_the_user(autojump_clock: MockClock) -> None:
    async with with_a_friend() as (vault, friend):
        one = await claimed(vault)
        (asked,) = (await vault.call("contact.requests"))["items"]
        assert (asked["id"], asked["predecessor"]) == (text(one.identity), text(FRIEND))
        assert (await vault.call("contact.show", peer="bob"))["successor"] == text(one.identity)
        assert not (await vault.call("contact.show", peer="bob"))["verified"]
        assert f"p2pchat contact accept {text(one.identity)[:11]}" in (await events(vault, "warning"))[-1]["text"]
        assert [cut.link for cut in vault.gate.all(boundary.Cut)] == [friend.link]
        await vault.call("send", to=["bob"], text="wait")
        (waiting,) = (await vault.call("outbox.list"))["items"]
        assert waiting["reason"] == REASON
        await friend.down()
        await friend.up()
        await friend.send(FrameType.ANSWER, friend.answer())
        await friend.begin()
        assert await vault.lives()
        assert friend.sends() == []  # silence


async def test_accepting_makes_one_contact_of_both(autojump_clock: MockClock) -> None:
    async with with_a_friend() as (vault, friend):
        await vault.call("send", to=["bob"], text="one")
        one = await claimed(vault)
        shown = await vault.call("contact.accept", id=text(one.identity))
        assert (shown["id"], shown["alias"], shown["state"], shown["verified"]) == (
            text(one.identity),
            "bob",
            "accepted",
            False,
        )
        assert [(c["id"], c["state"]) for c in (await vault.call("contact.list"))["items"]] == [
            (text(one.identity), "accepted"),
            (text(FRIEND), "blocked"),
        ]
        assert (await vault.call("contact.requests"))["items"] == []
        assert [row["text"] for row in (await vault.call("history", peer="bob"))["items"]] == ["one"]
        assert vault.gate.all(boundary.Peer)[-1].role in {boundary.Role.CONTACT, boundary.Role.GONE}
        await one.begin()
        await one.converse()
        await say_resume(one)
        assert await vault.lives()
        envelopes = [sent for sent in one.sends() if sent.kind == FrameType.ENVELOPE]
        assert len(envelopes) == 1  # what waited for the old ID goes to the new one
        await friend.down()
        await friend.up()
        await friend.cut()


async def test_rejecting_lets_the_old_id_go_on(autojump_clock: MockClock) -> None:
    for verb, word in (("contact.reject", "id"), ("contact.block", "peer"), ("contact.remove", "peer")):
        async with with_a_friend() as (vault, friend):
            one = await claimed(vault)
            await vault.call("send", to=["bob"], text="wait")
            await vault.call(verb, **{word: text(one.identity)})
            assert (await vault.call("contact.show", peer="bob"))["successor"] is None
            assert [w["reason"] for w in (await vault.call("outbox.list"))["items"]] == [""]
            await friend.down()
            await friend.up()
            await friend.begin()
            await friend.converse()
            await say_resume(friend)
            assert await vault.lives()
            assert any(sent.kind == FrameType.ENVELOPE for sent in friend.sends())


async def test_the_first_claim_counts_and_others_wait(autojump_clock: MockClock) -> None:
    async with with_a_friend() as (vault, _friend):
        first, second = await claimed(vault, 4), await claimed(vault, 5)
        assert (await vault.call("contact.show", peer="bob"))["successor"] == text(first.identity)
        await vault.call("contact.accept", id=text(second.identity))  # somebody who says so, and no more
        assert (await vault.call("contact.show", peer="bob"))["id"] == text(FRIEND)
        await vault.call("contact.accept", id=text(first.identity))
        assert (await vault.call("contact.show", peer="bob"))["id"] == text(first.identity)


async def test_a_later_claim_of_the_same_person_takes_the_place_of_the_first(autojump_clock: MockClock) -> None:
    async with with_a_friend() as (vault, _friend):
        await vault.call("send", to=["bob"], text="waits")
        mid, last = stored_identity(4), stored_identity(5)
        await claimed(vault, 4)
        newest = Succession.decode(claim(last, mid))
        chain = replace(newest, key_log=mid.chain.raw, earlier=claim(mid, FRIEND)).encode()
        one = await claimed(vault, 5, chain)
        assert (await vault.call("contact.show", peer="bob"))["successor"] == text(last)
        await vault.call("contact.accept", id=text(last))
        assert (await vault.call("contact.show", peer="bob"))["id"] == text(last)
        await one.begin()
        await one.converse()
        await say_resume(one)
        assert await vault.lives()
        assert [sent.kind for sent in one.sends()].count(FrameType.ENVELOPE) == 1
        await vault.call("contact.reject", id=text(mid))
        assert (await vault.call("contact.show", peer="bob"))["state"] == "accepted"


async def test_claims_that_cannot_be_cut_the_link_and_one_about_strangers_says_nothing(
    autojump_clock: MockClock,
) -> None:
    async with with_a_friend() as (vault, _friend):
        other = replace(Succession.decode(claim(stored_identity(4), FRIEND)), key_log=b"x")
        forged = Signed(
            body=Successor(user=FRIEND.user, successor=stored_identity(4).user, day=1).encode(), signature=bytes(1024)
        )
        for said in (
            claim(stored_identity(5), FRIEND),
            other.encode(),
            Succession(statement=forged.encode(), key_log=b"", earlier=b"").encode(),
            b"nothing",
        ):
            one = await claimed(vault, 4, said)
            await one.cut()
            await one.down()
        assert (await vault.call("contact.requests"))["items"] == []
        await claimed(vault, 4, claim(stored_identity(4), stored_identity(2)))
        (asked,) = (await vault.call("contact.requests"))["items"]
        assert asked["predecessor"] is None
        assert (await vault.call("contact.show", peer="bob"))["successor"] is None


async def test_one_who_was_a_friend_already_keeps_two_histories(autojump_clock: MockClock) -> None:
    async with with_a_friend() as (vault, _friend):
        await vault.call("send", to=["bob"], text="old")
        one = Claimant(vault, identity=stored_identity(4))
        await one.befriend()
        await vault.call("send", to=[text(one.identity)], text="new")
        await one.send(FrameType.REQUEST, one.asking(claim(one.identity, FRIEND)))
        assert await vault.lives()
        assert (await vault.call("contact.show", peer="bob"))["successor"] == text(one.identity)
        await vault.call("contact.accept", id=text(one.identity))
        assert (await vault.call("contact.show", peer="bob"))["state"] == "blocked"
        assert [row["text"] for row in (await vault.call("history", peer=text(one.identity)))["items"]] == ["new"]
        assert [row["text"] for row in (await vault.call("history", peer="bob"))["items"]] == ["old"]


async def test_one_whose_new_card_was_taken_first_becomes_one_contact(autojump_clock: MockClock) -> None:
    async with with_a_friend() as (vault, _friend):
        await vault.call("send", to=["bob"], text="waits")
        one = Claimant(vault, identity=stored_identity(4))
        await one.befriend()
        await one.send(FrameType.REQUEST, one.asking(claim(one.identity, FRIEND)))
        assert await vault.lives()
        await vault.call("contact.accept", id=text(one.identity))
        await one.cut()
        await one.down()
        assert (await vault.call("contact.show", peer="bob"))["id"] == text(one.identity)
        await one.up()
        await one.begin()
        await one.converse_again()
        await say_resume(one)
        assert await vault.lives()
        assert [sent.kind for sent in one.sends()].count(FrameType.ENVELOPE) == 1


# --- as the node sees it that gave up its ID --------------------------------------------------------------------------


class Witness(Peer):
    """A contact of the node before and after."""

    who: Identity = OLD

    @property
    def own(self) -> Identity:
        return self.who


async def test_a_store_goes_on_under_the_new_id_and_friends_hear_of_it(autojump_clock: MockClock) -> None:
    disk = SimDisk()
    async with running(disk=disk) as vault:
        friend = Peer(vault)
        await friend.befriend()
        await vault.call("contact.alias", peer=text(FRIEND), alias="bob")
        asked = Peer(vault, identity=stored_identity(2), role=boundary.Role.STRANGER)
        await asked.up()
        await asked.send(FrameType.REQUEST, asked.request())
        assert await vault.lives()
        await friend.down()
        await vault.call("send", to=["bob"], text="waits")
    secrets, _ = succeeded()
    async with running(disk=disk, secrets=secrets) as vault:
        assert (await vault.call("whoami"))["id"] == text(successor())
        (bob,) = (await vault.call("contact.list"))["items"]  # who had only asked asks the new ID, if at all
        assert (bob["alias"], bob["state"]) == ("bob", "requested")
        assert [row["text"] for row in (await vault.call("history", peer="bob"))["items"]] == ["waits"]
        friend = Witness(vault)
        friend.who = successor()
        await friend.up()
        assert await vault.lives()
        (sent,) = friend.sends()
        assert sent.kind == FrameType.REQUEST
        between = Between(successor().user, FRIEND.user, friend.link_hash)
        request = open_request(sent.body, between, recipient=FRIEND.device, sender=successor().record)
        assert request.succession == secrets.succession
        await friend.send(FrameType.ANSWER, friend.answer())
        await friend.begin()
        await friend.converse()
        await say_resume(friend)
        assert await vault.lives()
        assert [sent.kind for sent in friend.sends()].count(FrameType.ENVELOPE) == 1
        assert (await vault.call("contact.show", peer="bob"))["state"] == "accepted"
    async with running(disk=disk, secrets=secrets) as vault:  # once, and not at every start
        assert (await vault.call("contact.show", peer="bob"))["state"] == "accepted"


async def test_somebody_new_is_not_told_of_the_id_before(autojump_clock: MockClock) -> None:
    async with running(secrets=succeeded()[0]) as vault:
        other = Witness(vault, identity=stored_identity(2))
        other.who = successor()
        await other.add()
        await other.up()
        assert await vault.lives()
        (sent,) = other.sends()
        between = Between(successor().user, other.identity.user, other.link_hash)
        request = open_request(sent.body, between, recipient=other.identity.device, sender=successor().record)
        assert request.succession == b""


async def refusal(vault: Vault, method: str, **params: object) -> str:
    try:
        await vault.call(method, **params)
    except P2PChatError as error:
        return error.code
    return ""


async def test_the_old_id_cannot_be_spoken_to_under_the_new_one(autojump_clock: MockClock) -> None:
    async with with_a_friend() as (vault, _friend):
        one = await claimed(vault)
        await vault.call("contact.accept", id=text(one.identity))
        assert await refusal(vault, "send", to=[text(FRIEND)], text="x") == "FORBIDDEN"
        await vault.call("contact.remove", peer=text(FRIEND))
        assert (await vault.call("contact.show", peer="bob"))["id"] == text(one.identity)
