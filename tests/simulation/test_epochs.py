"""When an epoch ends, in whole vaults under virtual time; and what goes on meanwhile."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trio

from p2pchat.channel.state import ChannelState
from p2pchat.limits import EPOCH_MESSAGES, EPOCH_MESSAGES_HARD
from tests.support.sim_env import run_virtual
from tests.support.vault_pair import HOME, Pair, Person, befriend, pair

HOUR_MS = 3_600_000
RSA_S = 600.0  # of the sums before and behind each private operation, where a test makes them slow
Story = Callable[[Pair], Awaitable[None]]


def told(story: Story, *, rsa_s: float = 0.0, before: Callable[[Person], None] = lambda _: None) -> None:
    """Two friends in their first epoch, after a restart, over a new link."""
    people = (Person(0), Person(1))

    async def meet() -> None:
        async with pair(people) as joined:
            await befriend(joined)

    async def main() -> None:
        async with pair(people) as joined:
            await joined.connect()
            await trio.sleep(5)
            await story(joined)

    run_virtual(0, meet)
    for person in people:
        person.disk.thaw()
        before(person)
        person.rsa_s = rsa_s
        person.clock.skew_ms = 60_000  # virtual time begins anew, the clock on the wall does not
    run_virtual(1, main)


async def peer_of(joined: Pair, person: Person) -> str:
    return str((await joined.other(person).call("whoami"))["id"])


async def epochs(joined: Pair) -> list[int]:
    return [
        (await person.call("contact.show", peer=await peer_of(joined, person)))["epoch"] for person in joined.people
    ]


async def hours_pass(joined: Pair, hours: int) -> None:
    """On the wall's clock; a vault looks at it each minute."""
    for person in joined.people:
        person.clock.skew_ms += hours * HOUR_MS
    await trio.sleep(120)


async def send(joined: Pair, person: Person, text: str) -> None:
    await person.call("send", to=[await peer_of(joined, person)], text=text)


@pytest.mark.parametrize(
    "writer",
    [pytest.param(0, id="one side writes"), pytest.param(1, id="the other side writes", marks=pytest.mark.slow)],
)
def test_a_day_after_it_began_an_epoch_in_which_a_message_was_sent_ends(writer: int) -> None:
    async def story(joined: Pair) -> None:
        await hours_pass(joined, 23)
        assert await epochs(joined) == [1, 1]
        await hours_pass(joined, 1)
        assert await epochs(joined) == [2, 2]
        await hours_pass(joined, 48)
        assert await epochs(joined) == [2, 2]  # nobody wrote anything
        await send(joined, joined.people[writer], "something")
        await trio.sleep(120)
        assert await epochs(joined) == [3, 3]
        assert (await joined.people[1 - writer].texts())[-1] == "something"

    told(story)


def test_sending_goes_on_while_the_roots_are_at_work() -> None:
    async def story(joined: Pair) -> None:
        await hours_pass(joined, 24)
        for number in range(5):
            for person in joined.people:
                await send(joined, person, f"meanwhile {number}")
            await trio.sleep(60)
        assert await epochs(joined) == [1, 1]
        for person in joined.people:
            assert (await person.texts())[1:] == [f"meanwhile {number}" for number in range(5)]
            assert (await person.call("status"))["outbox"] == 0
        await trio.sleep(5 * RSA_S)
        assert await epochs(joined) == [2, 2]

    told(story, rsa_s=RSA_S)


def almost_full(person: Person) -> None:
    """A channel of which two keys a direction are left."""

    def nearly(stored: bytes) -> bytes:
        state = ChannelState.decode(stored)
        assert state.current is not None
        sending, receiving = (
            replace(chain, index=EPOCH_MESSAGES_HARD - 2) for chain in (state.current.send, state.current.receive)
        )
        return replace(state, current=replace(state.current, send=sending, receive=receiving)).encode()

    person.disk.change_channels(HOME.store_db, nearly)


def test_at_the_hard_stop_messages_wait_for_the_next_epoch_and_receipts_do_not() -> None:
    async def story(joined: Pair) -> None:
        one, other = joined.people
        for number in range(4):
            await send(joined, one, str(number))
        await trio.sleep(60)
        assert (await other.texts())[1:] == ["0", "1"]
        assert (await one.call("status"))["outbox"] == 2
        await send(joined, other, "and back")
        await trio.sleep(60)
        assert (await one.texts())[1:] == ["and back"]
        assert (await other.call("status"))["outbox"] == 0
        await trio.sleep(5 * RSA_S)
        assert await epochs(joined) == [2, 2]
        assert (await other.texts())[1:] == ["0", "1", "2", "3"]
        for person in joined.people:
            found = await person.call("event.next", since=0, all=True)
            assert not [event for event in found["events"] if event["type"] == "warning"]

    told(story, rsa_s=RSA_S, before=almost_full)


@pytest.mark.slow
def test_a_thousand_messages_in_a_direction_end_an_epoch() -> None:
    async def story(joined: Pair) -> None:
        person = joined.people[1]
        peer = await peer_of(joined, person)
        for number in range(EPOCH_MESSAGES - 2):  # one was sent when they met
            await person.call("send", to=[peer], text=str(number))
        await trio.sleep(60)
        assert await epochs(joined) == [1, 1]
        for number in range(EPOCH_MESSAGES - 2, EPOCH_MESSAGES + 5):
            await person.call("send", to=[peer], text=str(number))
        await trio.sleep(60)
        assert await epochs(joined) == [2, 2]
        assert (await person.call("status"))["outbox"] == 0

    told(story)
