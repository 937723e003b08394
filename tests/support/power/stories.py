"""What a vault lives through while its disk is recorded: writing to a friend, and reading what the friend writes."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import trio

from p2pchat.errors import DiskFull
from p2pchat.store.disk import SystemDisk
from tests.support.power.friend import Friend, Memory, until
from tests.support.power.recorder import Recorder
from tests.support.vaults import Vault, running

Story = Callable[[Recorder, Memory], Awaitable[None]]
LONG = "long text " * 2000  # five pages of the store


async def befriended(folder: Path) -> Memory:
    """Make the store of a vault that has one friend, in ``folder``; what the friend knows."""
    async with running(disk=SystemDisk(), folder=folder) as vault:
        friend = Friend(vault)
        await friend.befriend()
        return Memory(channel=friend.state)


async def sending(recorder: Recorder, memory: Memory) -> None:
    """One by one, many at once, long, offline, withdrawn; then a stop in order, and more."""
    async with recorder.life(memory) as (vault, friend):
        await friend.link_up()
        for number in range(2):
            await _send(recorder, vault, f"one by one {number}")
        await until(lambda: len(friend.memory.received) == 2)
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(_send, recorder, vault, f"at once {number}")
        await _send(recorder, vault, LONG)
        await until(lambda: len(friend.memory.received) == 7)
        await friend.down()
        await _send(recorder, vault, "offline")
        await _send(recorder, vault, "offline too")
        await friend.link_up()
        await until(lambda: len(friend.memory.received) == 9)
        await recorder.ask(vault, "message.withdraw", message=friend.memory.received[0])
        await until(lambda: len(friend.memory.received) == 10)
        memory = friend.memory
    async with recorder.life(memory) as (vault, friend):
        await _send(recorder, vault, "before the link")
        await friend.link_up()
        await _send(recorder, vault, "after the link")
        await until(lambda: len(friend.memory.received) == 12)


async def receiving(recorder: Recorder, memory: Memory) -> None:
    """One by one, many at once, long, with a reader that confirms; then a stop in order, and more."""
    async with recorder.life(memory) as (vault, friend):
        await friend.link_up()
        for number in range(2):
            await friend.write(f"one by one {number}")
            await until(lambda: friend.memory.receipt == len(friend.memory.written))
        await _read(recorder, vault)
        for number in range(4):
            await friend.write(f"at once {number}")
        await friend.write(LONG)
        await until(lambda: friend.memory.receipt == 7)
        await _read(recorder, vault)
        await friend.down()
        await friend.write("offline")
        await friend.link_up()
        await until(lambda: friend.memory.receipt == 8)
        memory = friend.memory
    async with recorder.life(memory) as (vault, friend):
        await _read(recorder, vault)
        await friend.write("before the link")
        await friend.link_up()
        await friend.write("after the link")
        await until(lambda: friend.memory.receipt == 10)
        await _read(recorder, vault)


async def beginning(recorder: Recorder, memory: Memory) -> None:
    """The first start of all, in an empty home, and a contact that is added; then a second start."""
    async with recorder.life(memory) as (vault, friend):
        await recorder.ask(vault, "contact.add", card=b64encode(friend.card()).decode())
    async with recorder.life(memory) as (vault, _):
        await recorder.ask(vault, "contact.alias", peer=vault_friend(), alias="ben")


async def through_a_full_disk(recorder: Recorder, memory: Memory) -> None:
    """Both write while the disk refuses some of it; the link is made anew whenever the vault gives it up."""
    async with recorder.life(memory) as (vault, friend), trio.open_nursery() as nursery:
        await friend.link_up()
        nursery.start_soon(_link_anew, friend)
        for number in range(8):
            with suppress(DiskFull):
                await _send(recorder, vault, f"through a full disk {number}")
            await friend.write(f"to a full disk {number}")
            await trio.sleep(0.5)
        await until(lambda: friend.memory.receipt == len(friend.memory.written))
        nursery.cancel_scope.cancel()


async def _link_anew(friend: Friend) -> None:
    """As gates do, after a moment."""
    while True:
        await friend.cut_of_link()
        await friend.down()
        await trio.sleep(0.3)
        await friend.link_up()


async def _send(recorder: Recorder, vault: Vault, text: str) -> None:
    try:
        await recorder.ask(vault, "send", to=[vault_friend()], text=text)
    except DiskFull:
        recorder.refused += 1
        raise


async def _read(recorder: Recorder, vault: Vault) -> None:
    """As ``recv``: show, then confirm."""
    found = await vault.call("event.next", wait_ms=0, peek=True)
    cursors = [event["cursor"] for event in found["events"]]
    await recorder.ask(vault, "event.next", after=max(cursors), limit=0)


@cache
def vault_friend() -> str:
    """The ID by which the vault calls its friend."""
    from p2pchat.ids import user_id_text
    from tests.support.identities import stored_identity

    return user_id_text(stored_identity(1).user)
