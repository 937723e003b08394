"""The safety number as the daemon compares it, and what a user is told who names nobody."""

from typing import Any

import pytest
from trio.testing import MockClock

from p2pchat.errors import Failed, NotFound, Untrusted
from p2pchat.ids import user_id_text
from p2pchat.keys.safety_number import safety_number
from tests.support.vaults import Peer, Vault, running


def number_as_the_peer_sees_it(peer: Peer) -> str:
    ends = [(person.user, person.chain.root.spki_hash) for person in (peer.identity, peer.own)]
    return safety_number(ends[0], ends[1]).replace(" ", "")


async def events_of(vault: Vault) -> list[dict[str, Any]]:
    return list((await vault.call("event.next", since=0, all=True))["events"])


async def test_the_number_that_the_peer_sees_verifies(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.add()
        who = user_id_text(peer.identity.user)
        told = number_as_the_peer_sees_it(peer)
        shown = await vault.call("contact.verify", peer=who)
        assert shown == {"id": who, "safety_number": told, "verified": False}
        assert (await vault.call("contact.verify", peer=who, number=told))["verified"]
        assert (await vault.call("contact.show", peer=who))["verified"]
        (event,) = await events_of(vault)
        assert (event["type"], event["from"]) == ("contact-verified", who)


async def test_another_number_changes_nothing_and_says_what_it_means(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.add()
        who = user_id_text(peer.identity.user)
        told = number_as_the_peer_sees_it(peer)
        slip = told[:-1] + str((int(told[-1]) + 1) % 10)
        with pytest.raises(Untrusted, match="group 12 of 12: mistyped"):
            await vault.call("contact.verify", peer=who, number=slip)
        strange = "".join(str((int(digit) + 5) % 10) for digit in told)
        with pytest.raises(Untrusted, match=r"12 of 12 groups.*somebody may stand between") as caught:
            await vault.call("contact.verify", peer=who, number=strange)
        assert caught.value.exit_status == 6
        assert caught.value.hint == f"p2pchat contact verify {who[:11]}"
        assert not (await vault.call("contact.show", peer=who))["verified"]
        assert await events_of(vault) == []


async def test_a_slip_takes_no_trust_away(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.add()
        who = user_id_text(peer.identity.user)
        await vault.call("contact.verify", peer=who, number=number_as_the_peer_sees_it(peer))
        with pytest.raises(Untrusted):
            await vault.call("contact.verify", peer=who, number="0" * 60)
        assert (await vault.call("contact.show", peer=who))["verified"]


@pytest.mark.parametrize("length", [61, 12])
async def test_nobody_writes_to_themselves(autojump_clock: MockClock, length: int) -> None:
    async with running() as vault:
        own = (await vault.call("whoami"))["id"][:length]
        for method, params in (("send", {"to": [own], "text": "hi"}), ("contact.verify", {"peer": own})):
            with pytest.raises(NotFound, match="your own ID"):
                await vault.call(method, **params)


async def test_a_refusal_names_the_contact_in_its_hint(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.add()
        who = user_id_text(peer.identity.user)
        with pytest.raises(Failed) as caught:
            await vault.call("contact.accept", id=who)
        assert caught.value.hint == f"p2pchat contact show {who[:11]}"
        await vault.call("contact.alias", peer=who, alias="ben")
        with pytest.raises(Failed) as caught:
            await vault.call("contact.accept", id=who)
        assert caught.value.hint == "p2pchat contact show ben"


async def test_newer_words_for_a_request_take_the_place_of_the_old(autojump_clock: MockClock) -> None:
    from base64 import b64encode

    async with running() as vault:
        peer = Peer(vault)
        card = b64encode(peer.card()).decode()
        await vault.call("contact.add", card=card, message="first")
        await vault.call("contact.add", card=card, message="second")
        await vault.call("contact.add", card=card)
        (request,) = (await vault.call("contact.requests"))["items"]
        assert request["message"] == "second"
