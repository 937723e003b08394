"""A vault that starts again after the power went: does it hold all that it had vouched for, and does it go on?"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trio

from p2pchat.errors import P2PChatError
from tests.support.power.friend import Friend, Memory, until
from tests.support.power.recorder import Recorder
from tests.support.power.stories import vault_friend
from tests.support.sim_env import SimClock
from tests.support.vaults import Vault

YEARS_MS = 10 * 365 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What the vault had told others before some moment: to its user by answers, to the friend by receipts and TOOK."""

    sent: tuple[str, ...]  # message ids
    confirmed: int  # cursor up to which its user's reader had moved
    received: int  # so many of the friend's texts

    @classmethod
    def before(cls, recorder: Recorder, moment: int) -> "Vouched":
        told = [one for one in recorder.told if one.moment <= moment]
        answers = [one.value for one in told if one.what == "answer"]
        taken = [recorder.number_of(one.value) for one in told if one.what == "took"]
        return cls(
            sent=tuple(answer["message"] for method, _, answer in answers if method == "send"),
            confirmed=max((params["after"] for method, params, _ in answers if method == "event.next"), default=0),
            received=max([recorder.knew(moment).receipt, *taken]),
        )


async def start_again(folder: Path, vouched: Vouched, memory: Memory, *, skew_ms: int = 0) -> list[str]:
    """What is wrong with the vault whose home is in ``folder``; ``skew_ms``: by a clock that was off meanwhile."""
    recorder = Recorder(folder, name="again")
    try:
        if skew_ms:  # a first life in which keys seem expired, or not made yet
            async with recorder.life(memory, clock=SimClock(skew_ms)) as (vault, _):
                early = await _missing(vault, vouched, memory)
            if early:
                return early
        async with recorder.life(memory) as (vault, friend):
            missing = await _missing(vault, vouched, memory)
            return missing or await go_on(recorder, vault, friend, vouched)
    except (P2PChatError, trio.TooSlowError, ExceptionGroup) as ended:
        return [f"it does not go on: {first_of(ended)!r}"]


async def _missing(vault: Vault, vouched: Vouched, memory: Memory) -> list[str]:
    """What is not there before any link could bring it again."""
    rows = (await vault.call("history", peer=vault_friend()))["items"]
    sent = {row["message"] for row in rows if row["direction"] == "out"}
    texts = {row["text"] for row in rows if row["direction"] == "in"}
    waiting = (await vault.call("event.next", wait_ms=0, peek=True))["events"]
    lost = [message for message in vouched.sent if message not in sent]
    gone = [text for text in memory.written[: vouched.received] if text not in texts]
    again = [event for event in waiting if event["cursor"] <= vouched.confirmed]
    return [
        *([f"{len(lost)} of {len(vouched.sent)} messages whose sending was answered are gone"] if lost else []),
        *([f"{len(gone)} of {vouched.received} messages that were acknowledged are gone"] if gone else []),
        *([f"{len(again)} messages that the reader had confirmed are shown again"] if again else []),
    ]


async def go_on(recorder: Recorder, vault: Vault, friend: Friend, vouched: Vouched) -> list[str]:
    """The friend comes back: both write, and everything arrives once."""
    before = friend.memory
    await friend.link_up()
    await until(lambda: friend.memory.receipt == len(before.written))
    await friend.write("after the power cut")
    more = await recorder.ask(vault, "send", to=[vault_friend()], text="after the power cut")
    await until(lambda: more["message"] in friend.memory.received)
    await until(lambda: friend.memory.receipt == len(friend.memory.written))
    with trio.fail_after(120):
        while (await vault.call("outbox.list"))["items"]:  # noqa: ASYNC110 - asked as a user would
            await trio.sleep(0.1)
    lost = [message for message in vouched.sent if message not in friend.memory.received]
    again, resets = friend.memory.again, friend.resets
    return [
        *([f"{len(lost)} of {len(vouched.sent)} messages whose sending was answered never arrive"] if lost else []),
        *([f"{again} messages met the friend again, after {resets} resets"] if again or resets else []),
        *await _shown(vault, friend),
    ]


async def _shown(vault: Vault, friend: Friend) -> list[str]:
    events = (await vault.call("event.next", wait_ms=0, since=0, all=True))["events"]
    texts = [event["text"] for event in events if event["type"] == "message"]
    problems = [f"a warning: {event}" for event in events if event["type"] == "warning"]
    if texts != list(friend.memory.written):
        problems.append(f"shown {Counter(texts)}, in another order or number than written")
    return problems


def first_of(error: BaseException) -> BaseException:
    """What is inside an exception group of trio's."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def skews() -> Iterator[int]:
    """Of the wall clock after the cut: mostly none."""
    while True:
        yield from (0, 0, 0, YEARS_MS, 0, 0, 0, -YEARS_MS)
