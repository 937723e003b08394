"""A vault that was restored without its key log asks contacts for it, and gives theirs back to others."""

import trio
from trio.testing import MockClock

from p2pchat.errors import Failed, P2PChatError
from p2pchat.keys.own_log import whole
from p2pchat.keys.rotation import rotate
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.own_files import VaultSecrets
from tests.support.identities import stored_identity, stored_root
from tests.support.rotated import rotated, rotated_secrets
from tests.support.vaults import ME, Peer, Vault, running

LOG = whole(rotated(ME, 3).chain)
SECRETS = rotated_secrets(ME, 3, lost=True)


async def refusal(vault: Vault, method: str, **params: object) -> str:
    try:
        await vault.call(method, **params)
    except P2PChatError as error:
        return error.code
    return ""


async def test_it_asks_on_every_link_and_keeps_the_answer(autojump_clock: MockClock) -> None:
    saved: list[VaultSecrets] = []
    async with running(secrets=SECRETS, save=saved.append) as vault:
        assert vault.gate.all(boundary.VaultHello)[0].key_log == SECRETS.key_log
        shown = await vault.call("key.show")
        assert (shown["key_log"], shown["key_log_held"]) == (2, False)
        assert await refusal(vault, "contact.card") == "UNTRUSTED"
        peer = Peer(vault, role=boundary.Role.STRANGER)  # whom this vault does not know again yet
        for _ in range(2):
            await peer.up()
            assert await vault.lives()
            assert [(sent.kind, sent.body) for sent in peer.sends()] == [(FrameType.LOG_WANTED, LOG.head)]
            await peer.down()
        await peer.up()
        await peer.send(FrameType.STALE_LOG, LOG.raw)
        assert await vault.lives()
        assert (await vault.call("key.show"))["key_log_held"]
        assert await refusal(vault, "contact.card") == ""
        assert [secrets.key_log for secrets in saved] == [LOG.raw]
        assert vault.gate.all(boundary.VaultHello)[-1].key_log == LOG.raw
        assert not vault.gate.all(boundary.Cut)  # the link names the same head as before
        await peer.down()
        await peer.up()
        assert await vault.lives()
        assert peer.sends() == []


async def test_a_full_disk_leaves_it_asking(autojump_clock: MockClock) -> None:
    def full(_: VaultSecrets) -> None:
        raise Failed("no room")

    async with running(secrets=SECRETS, save=full) as vault:
        peer = Peer(vault, role=boundary.Role.STRANGER)
        await peer.up()
        await peer.send(FrameType.STALE_LOG, LOG.raw)
        assert await vault.lives()
        assert not (await vault.call("key.show"))["key_log_held"]
        await peer.down()
        await peer.up()
        assert await vault.lives()
        assert [sent.kind for sent in peer.sends()] == [FrameType.LOG_WANTED]


async def test_a_log_that_goes_on_switches_it_off_and_another_one_alarms(autojump_clock: MockClock) -> None:
    longer = rotate(LOG, stored_root(3), stored_root(4), day=20_001)
    for found, replaced, word in ((longer, True, "was replaced on"), (rotated(ME, 4).chain, False, "thief")):
        async with running(secrets=SECRETS) as vault:
            peer = Peer(vault, role=boundary.Role.STRANGER)
            await peer.up()
            await peer.send(FrameType.STALE_LOG, found.raw)
            assert await vault.lives()
            status = await vault.call("status")
            assert status["replaced"] is replaced
            events = (await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0))["events"]
            assert any(word in event.get("text", "") for event in events)
            assert not (await vault.call("key.show"))["key_log_held"]


async def test_a_contact_gets_its_log_once_a_link_and_a_stranger_never(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.down()
        for asker, expected in ((peer, [stored_identity(1).chain.raw]), (_stranger(vault), [])):
            await asker.up()
            for _ in range(2):
                await asker.send(FrameType.LOG_WANTED, asker.identity.chain.head)
            assert await vault.lives()
            assert [sent.body for sent in asker.sends() if sent.kind == FrameType.STALE_LOG] == expected
            assert not [cut for cut in vault.gate.all(boundary.Cut) if cut.link == asker.link]
            await asker.send(FrameType.LOG_WANTED, bytes(32))
            await asker.cut()
            await asker.down()


async def test_who_lost_an_older_log_hears_of_the_newer_once(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.down()
        peer.identity = rotated(1, 3)
        await peer.up()
        await trio.sleep(0.5)
        await peer.down()
        peer.identity = stored_identity(1)  # its gate was lent the pinned log, cut at the head that it names
        await peer.up()
        await peer.send(FrameType.LOG_WANTED, peer.identity.chain.head)
        assert await vault.lives()
        assert [(sent.kind, sent.body) for sent in peer.sends()] == [(FrameType.STALE_LOG, rotated(1, 3).chain.raw)]


def _stranger(vault: Vault) -> Peer:
    return Peer(vault, identity=stored_identity(2), role=boundary.Role.STRANGER)
