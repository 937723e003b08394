"""A copy of a home that runs beside it is found out by the addresses that it signs, and everybody hears of it."""

from typing import Any

from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.keys.signed import sign, verify_address_record
from p2pchat.wire.structs import (
    CTL_ADDRESSES,
    CTL_COPIED,
    CTL_HELD_ADDRESSES,
    Address,
    AddressRecord,
    Ctl,
    CtlItem,
)
from tests.support.identities import stored_identity
from tests.support.vaults import Peer, Vault, address_record, running

AHEAD_MS = 3600 * 1000


async def warnings(vault: Vault) -> list[dict[str, Any]]:
    found = await vault.call("event.next", wait_ms=0, all=True, since=0)
    return [event for event in found["events"] if event["type"] == "warning"]


def record_of_a_copy(peer: Peer, ahead_ms: int) -> bytes:
    """What a copy of the vault's home would sign."""
    shown = verify_address_record(address_record(peer.own), peer.own.devices)
    record = AddressRecord(
        user=shown.user,
        device=shown.device,
        sequence=shown.sequence + ahead_ms,
        not_after_ms=shown.not_after_ms,
        addresses=(Address(host="10.9.9.9", port=4001, carrier="raw"),),
    )
    return sign(record, peer.own.device)


def statement(kind: int, body: bytes = b"") -> Ctl:
    return Ctl(items=(CtlItem(kind=kind, body=body),))


async def heard(peer: Peer, kind: int) -> CtlItem:
    """The vault's next statement of that kind."""
    while True:
        step = await peer.hear()
        for item in step.ctl.items if step is not None and step.ctl is not None else ():
            if item.kind == kind:
                return item


async def test_a_record_that_i_never_signed_is_told_to_me_and_to_all_contacts(autojump_clock: MockClock) -> None:
    async with running() as vault:
        ben, cyn = Peer(vault), Peer(vault, identity=stored_identity(2))
        for peer in (ben, cyn):
            await peer.befriend()
            await heard(peer, CTL_ADDRESSES)
        copied = record_of_a_copy(ben, AHEAD_MS)
        await ben.say(statement(CTL_HELD_ADDRESSES, copied))
        for peer in (ben, cyn):
            said = await heard(peer, CTL_ADDRESSES)
            mine = verify_address_record(said.body, peer.own.devices)
            assert mine.sequence > verify_address_record(copied, peer.own.devices).sequence
        await cyn.down()
        await cyn.up()
        await cyn.begin()
        await cyn.converse()
        await heard(cyn, CTL_COPIED)  # also who comes later
        (warning,) = await warnings(vault)
        assert "a copy of this home is in use at 10.9.9.9:4001" in warning["text"]
        assert "from" not in warning


async def test_what_i_signed_myself_is_no_alarm(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        told = await heard(peer, CTL_ADDRESSES)
        await peer.say(statement(CTL_HELD_ADDRESSES, told.body))
        assert await vault.lives()
        assert await warnings(vault) == []


async def test_a_record_from_a_far_future_starts_no_endless_talk(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await heard(peer, CTL_ADDRESSES)
        for _ in range(5):
            await peer.say(statement(CTL_HELD_ADDRESSES, record_of_a_copy(peer, 100 * 365 * 24 * AHEAD_MS)))
        assert await vault.lives()
        before = len(peer.sends())
        await peer.say(statement(CTL_HELD_ADDRESSES, record_of_a_copy(peer, 100 * 365 * 24 * AHEAD_MS)))
        assert await vault.lives()
        assert len(peer.sends()) == before
        assert len(await warnings(vault)) == 1


async def test_a_peer_that_shows_an_older_record_gets_the_newer_one_back(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        newer = address_record(peer.identity, sequence=10**13)
        await peer.say(statement(CTL_ADDRESSES, newer))
        await peer.say(statement(CTL_ADDRESSES, address_record(peer.identity)))
        assert (await heard(peer, CTL_HELD_ADDRESSES)).body == newer


async def test_a_contact_that_was_copied_says_so_once_a_day(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        for _ in range(3):
            await peer.say(statement(CTL_COPIED))
        assert await vault.lives()
        (warning,) = await warnings(vault)
        assert warning["from"] == user_id_text(peer.identity.user)
        assert "a copy of its identity is in use" in warning["text"]
