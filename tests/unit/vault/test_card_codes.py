"""A contact added by the QR code of a card: the first link must show the keys that it names."""

from dataclasses import replace

import pytest
from trio.testing import MockClock

from p2pchat.errors import Corrupt, Failed, Untrusted, Usage
from p2pchat.ids import user_id_text
from p2pchat.keys.identity import Identity
from p2pchat.wire import boundary
from p2pchat.wire.card_code import read_card_code, write_card_code
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CardCode
from tests.support.identities import NOW_MS, stored_identity
from tests.support.vaults import Peer, Vault, running

YOU = stored_identity(1)


def code_of(identity: Identity) -> CardCode:
    return CardCode(
        user=identity.user,
        head16=identity.chain.head[:16],
        set_sequence=identity.devices.sequence,
        set_hash16=identity.devices.set_hash[:16],
        not_after_ms=NOW_MS + 10**9,
        addresses=(),
    )


GOOD = code_of(YOU)


async def add(vault: Vault, code: CardCode) -> None:
    await vault.call("contact.add", code=write_card_code(code))


async def test_the_card_that_is_printed_as_a_code_is_the_one_in_the_file(autojump_clock: MockClock) -> None:
    async with running() as vault:
        made = await vault.call("contact.card")
        code = read_card_code(made["code"])
        me = stored_identity(0)
        assert replace(code, addresses=(), not_after_ms=0) == replace(code_of(me), not_after_ms=0)
        assert {f"{address.host}:{address.port}" for address in code.addresses} == set(made["addresses"])
        assert code.not_after_ms == made["expires_ms"]


async def test_keys_that_fit_are_taken_and_pinned(autojump_clock: MockClock) -> None:
    async with running() as vault:
        await add(vault, GOOD)
        await vault.gate.wait(boundary.Want, lambda want: want.user == YOU.user)
        peer = Peer(vault)
        await peer.up()
        await peer.send(FrameType.ANSWER, peer.answer())
        assert await vault.lives()
        (contact,) = (await vault.call("contact.list"))["items"]
        assert (contact["state"], contact["nickname"]) == ("accepted", "peer")
        await add(vault, GOOD)  # with pinned keys it brings addresses alone
        with pytest.raises(Untrusted, match="other keys than those pinned"):
            await add(vault, replace(GOOD, head16=bytes(16)))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(GOOD, head16=bytes(16)),
        replace(GOOD, set_hash16=bytes(16)),
        replace(GOOD, set_sequence=GOOD.set_sequence + 1),
    ],
    ids=["head", "set", "an older set"],
)
async def test_keys_that_do_not_fit_are_refused_in_words(autojump_clock: MockClock, wrong: CardCode) -> None:
    async with running() as vault:
        await add(vault, wrong)
        peer = Peer(vault)
        await peer.up()
        await vault.gate.wait(boundary.Cut)
        assert await vault.lives()
        found = await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0)
        assert "do not fit those that you took" in found["events"][-1]["text"]


async def test_what_cannot_be_added_is_refused_in_words(autojump_clock: MockClock) -> None:
    async with running() as vault:
        with pytest.raises(Failed, match="your own"):
            await add(vault, code_of(stored_identity(0)))
        with pytest.raises(Untrusted, match="was good until"):
            await add(vault, replace(GOOD, not_after_ms=1))
        with pytest.raises(Corrupt):
            await vault.call("contact.add", code="P2PCAAAA")
        for params in ({}, {"code": write_card_code(GOOD), "card": "eA=="}):
            with pytest.raises(Usage):
                await vault.call("contact.add", **params)


@pytest.mark.parametrize("asked", [True, False], ids=["after a request", "over a link that stands"])
async def test_who_came_before_the_code_has_to_fit_it_too(autojump_clock: MockClock, asked: bool) -> None:
    """A thief of the ID's old root links as a stranger before the user scans the real code."""
    async with running() as vault:
        peer = Peer(vault, role=boundary.Role.STRANGER)
        await peer.up()
        if asked:
            await peer.send(FrameType.REQUEST, peer.request())
        assert await vault.lives()
        wrong = replace(GOOD, head16=bytes(16))
        if asked:
            with pytest.raises(Untrusted, match="other keys than those pinned"):
                await add(vault, wrong)
        else:
            await add(vault, wrong)
            await peer.send(FrameType.ANSWER, peer.answer())
            await vault.gate.wait(boundary.Cut, lambda cut: cut.link == peer.link)
        assert await vault.lives()
        (contact,) = (await vault.call("contact.list"))["items"]
        assert contact["state"] in {"incoming", "requested"}


async def test_a_contact_that_was_not_met_yet_has_nothing_to_compare(autojump_clock: MockClock) -> None:
    async with running() as vault:
        await add(vault, GOOD)
        with pytest.raises(Failed, match="not known yet"):
            await vault.call("contact.verify", peer=user_id_text(YOU.user))
