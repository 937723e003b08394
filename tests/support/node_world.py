"""Simulation world (ii): four whole nodes, their users, and everything that goes wrong around them.

Users are scripts: a writer types numbered texts and repeats a `send` that got no answer under the same idempotency key;
a reader writes down what it is shown and confirms it after that. What they saw is the only witness.
"""

from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

import trio

from p2pchat.env import CryptoDraws
from tests.support.crash_disk import CrashDisk
from tests.support.frame_sim.history import History, Pair, violations
from tests.support.identities import stored_secrets
from tests.support.sim_env import end_shields, run_virtual
from tests.support.sim_net import World
from tests.support.sim_node import STOP_S, DiesDisk, Down, Kind, SimNode
from tests.support.simdisk import SimDisk

FRIENDS_S: Final = 120.0  # by then everybody must be friends with everybody, without faults
LIVENESS_S: Final = 1200.0  # after the last fault: a breaker's longest probe (900 s), back-off, handshake, queues
YEARS_MS: Final = 10 * 365 * 86_400_000
PAGE: Final = 8  # events that a reader takes at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is made of."""

    people: int = 4
    messages: int = 20  # that each person writes
    writing_s: float = 80.0
    fault_gap_s: float = 2.0  # mean
    bulk: bool = False  # long texts, so that windows and pipes fill up
    rollback: bool = False  # one store is put back to an older copy of itself
    files: Path | None = None  # real files and cipher there, rather than a disk in memory


class NodeWorld:
    """``run`` it, then ask ``problems``. The same seed gives the same ``trace``."""

    def __init__(self, seed: int, plan: Plan, crypto: CryptoDraws) -> None:
        self.seed, self.plan = seed, plan
        self.history = History()
        self.problems: list[str] = []
        self.settled_after_s = 0.0
        self.net = World(Random(f"net {seed}"))
        self._random: Final = Random(f"people {seed}")
        self._calm = False
        self._over = False
        self._waiting = 0  # writers that still have something to write
        self.nodes: Final = [self._node(index, crypto) for index in range(plan.people)]
        self._by_name: Final = {node.name: node for node in self.nodes}
        self._restored: Final = dict.fromkeys(self._by_name, 0)  # how often each store was put back
        self._seen: Final[dict[str, dict[int, str]]] = {name: {} for name in self._by_name}  # by cursor
        self._ids: Final[dict[str, str]] = {}  # ID -> name
        self._alias: Final[dict[str, str]] = {}  # name -> ID

    @property
    def trace(self) -> list[tuple[float, str, str, str]]:
        return self.net.trace

    def run(self) -> None:
        try:
            run_virtual(self.seed, self._main)
        finally:
            for node in self.nodes:
                node.close()
        self.problems += violations(self.history, settled=True)
        self.problems += [bug for node in self.nodes for bug in node.bugs]

    def _node(self, index: int, crypto: CryptoDraws) -> SimNode:
        def disk(name: str) -> DiesDisk:
            files = self.plan.files
            return SimDisk() if files is None else CrashDisk(files / f"{index}" / name)

        return SimNode(self.net, index, stored_secrets(index), (disk("vault"), disk("gate")), crypto, f"{self.seed}")

    # --- the story ----------------------------------------------------------------------------------------------------

    async def _main(self) -> None:
        self.net.calm = True
        async with trio.open_nursery() as nursery:
            for node in self.nodes:
                nursery.start_soon(self._keep_running, node)
            if await self._befriend():
                self.net.calm = False
                self._waiting = len(self.nodes)
                for node in self.nodes:
                    nursery.start_soon(self._write, node)
                    nursery.start_soon(self._read, node)
                await self._trouble()
                await self._settle()
            await self._stop_all()
            nursery.cancel_scope.cancel()

    async def _keep_running(self, node: SimNode) -> None:
        while not self._over:
            await node.live()
            if not self._over:
                await trio.sleep(self._random.uniform(0.2, 2 if self._calm else 20))

    async def _befriend(self) -> bool:
        """Cards and acceptance through the control sockets; whether it came to an end."""
        with trio.move_on_after(FRIENDS_S), suppress(Down):
            await _until(lambda: all(node.up for node in self.nodes))
            for node in self.nodes:
                me = await node.call("whoami")
                self._ids[me["id"]], self._alias[node.name] = node.name, me["id"]
            for one, other in combinations(self.nodes, 2):
                card = (await other.call("contact.card"))["card"]
                await one.call("contact.add", card=b64encode(card).decode())
                while not await _items(other, "contact.requests"):  # noqa: ASYNC110 - users look again
                    await trio.sleep(0.1)
                await other.call("contact.accept", id=self._alias[one.name])
            for node in self.nodes:
                while {c["state"] for c in await _items(node, "contact.list")} != {"accepted"}:  # noqa: ASYNC110
                    await trio.sleep(0.1)
            return True
        self.problems.append(f"four people were not friends after {FRIENDS_S:.0f} s without a fault")
        return False

    async def _settle(self) -> None:
        self._calm = True
        self.net.settle()
        for node in self.nodes:
            node.clock.skew_ms = self._random.randint(-3_600_000, 3_600_000)
            if node.life is not None:
                node.life.doom = None
        began_s = trio.current_time()
        while not await self._at_rest():
            if trio.current_time() > began_s + LIVENESS_S:
                self.problems.append(f"not everything was delivered {LIVENESS_S:.0f} s after the last fault")
                break
            await trio.sleep(1)
        self.settled_after_s = trio.current_time() - began_s

    async def _at_rest(self) -> bool:
        if self._waiting or not all(node.up for node in self.nodes):
            return False
        if any(set(self.history.shown[pair]) < self._due(pair) for pair in list(self.history.accepted)):
            return False
        return not any([(await node.call("status"))["outbox"] for node in self.nodes])

    def _due(self, pair: Pair) -> set[int]:
        return self.history.accepted[pair] - self.history.excused[pair] | set(self.history.shown[pair])

    async def _stop_all(self) -> None:
        """``history`` agrees with what was shown and delivered; then every daemon ends in time."""
        for sender, receiver in permutations(self.nodes, 2):
            if not self.problems and not self.history.set_back:
                await self._compare(sender, receiver)
        self._over = True
        self._waiting = 0
        for node in self.nodes:
            node.stop()
        began_s = trio.current_time()
        while any(node.life is not None for node in self.nodes):
            await trio.sleep(0.1)
            if trio.current_time() > began_s + STOP_S + 0.2:
                slow = [node.name for node in self.nodes if node.life is not None]
                self.problems.append(f"{slow} did not stop within {STOP_S} s")
                end_shields()
                return

    async def _compare(self, sender: SimNode, receiver: SimNode) -> None:
        rows: list[dict[str, Any]] = []
        page: dict[str, object] = {}
        while True:
            answer = await receiver.call("history", peer=self._alias[sender.name], **page)
            rows += answer["items"]
            if answer["next"] is None:
                break
            page = {"page": answer["next"]}
        numbers = [_number(row["text"], receiver.name) for row in rows if row["direction"] == "in"]
        if numbers != self.history.shown[sender.name, receiver.name]:
            self.problems.append(f"history of {receiver.name} with {sender.name} has another order: {numbers}")
        possible = {"delivered", "read"} if sender.tells_reading else {"delivered"}
        states = {row["state"] for row in rows if row["direction"] == "out"}
        if not states <= possible:
            self.problems.append(f"what {receiver.name} wrote to {sender.name} ended as {sorted(states)}")

    # --- users --------------------------------------------------------------------------------------------------------

    async def _write(self, node: SimNode) -> None:
        random = Random(f"{self.seed} writer {node.name}")
        others = [name for name in self._by_name if name != node.name]
        for _ in range(self.plan.messages):
            await trio.sleep(
                random.expovariate(self.plan.messages / self.plan.writing_s) if random.random() < 0.6 else 0
            )
            to = random.sample(others, 2 if random.random() < 0.15 else 1)
            numbers = {name: self.history.type((node.name, name)) for name in to}
            await self._send(
                node, numbers, padding=_padding(random, bulk=self.plan.bulk), key=random.randbytes(8).hex()
            )
        self._waiting -= 1

    async def _send(self, node: SimNode, numbers: dict[str, int], *, padding: int, key: str) -> None:
        text = " ".join(f"{name}={number}" for name, number in numbers.items()) + "|" + "x" * padding
        to, restored = [self._alias[name] for name in numbers], self._restored[node.name]
        while True:
            await _until(lambda: node.up)
            if restored != self._restored[node.name]:
                return  # perhaps sent in a life that the disk has forgotten: the user lets it be
            try:
                answer = await node.call("send", to=to, text=text, idempotency_key=key)
            except Down:
                await trio.sleep(0.25)
                continue
            self.net.note("accepted", node.name, f"{answer['message']} {len(text)}")
            for name, number in numbers.items():
                self.history.accepted[node.name, name].add(number)
            return

    async def _read(self, node: SimNode) -> None:
        """A durable reader: writes down, then confirms; after a crash the daemon must know where it was."""
        confirmed, restored = 0, 0
        while not self._over:
            try:
                last = 0
                while True:
                    after = {"after": last} if last else {}
                    answer = await node.call("event.next", reader="sim", all=True, limit=PAGE, wait_ms=20_000, **after)
                    if restored != self._restored[node.name]:
                        restored, confirmed = self._restored[node.name], 0
                    confirmed = max(confirmed, last)
                    for event in answer["events"]:
                        last = event["cursor"]
                        self._see(node, event, confirmed)
            except Down:
                await trio.sleep(0.25)

    def _see(self, node: SimNode, event: dict[str, Any], confirmed: int) -> None:
        cursor, what, seen = event["cursor"], f"{event['type']} {event.get('message', '')}", self._seen[node.name]
        if cursor <= confirmed:
            self.problems.append(f"{node.name} was shown event {cursor} again after it had confirmed it")
        if cursor in seen:
            if seen[cursor] != what:
                self.problems.append(f"{node.name} was shown two events under cursor {cursor}")
            return
        seen[cursor] = what
        self.net.note("shown", node.name, what)
        if event["type"] == "message":
            pair = (self._ids[event["from"]], node.name)
            self.history.show(pair, _number(event["text"], node.name), len(self.history.shown[pair]))
        elif event["type"] == "warning" and not self.history.set_back:
            self.problems.append(f"{node.name} was warned: {event}")

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    async def _trouble(self) -> None:
        async with trio.open_nursery() as nursery:
            if self.plan.rollback:
                nursery.start_soon(self._roll_back)
            end_s = trio.current_time() + self.plan.writing_s
            while trio.current_time() < end_s:
                await trio.sleep(self._random.expovariate(1 / self.plan.fault_gap_s))
                fault = self._random.choice(
                    (self._crash, self._crash, self._crash, self._stop, self._part, self._cut, self._cut, self._jump)
                )
                nursery.start_soon(fault)

    async def _crash(self) -> None:
        node = self._random.choice(self.nodes)
        kind: Kind = self._random.choice(("machine", "vault", "gate"))
        when: Literal["now", "before", "after"] = self._random.choice(("now", "before", "after"))
        if when == "now":
            node.crash(kind)
        else:
            node.doom(when, kind)
        await trio.lowlevel.checkpoint()

    async def _stop(self) -> None:
        self._random.choice(self.nodes).stop()
        await trio.lowlevel.checkpoint()

    async def _part(self) -> None:
        one, other = (node.name for node in self._random.sample(self.nodes, 2))
        self.net.part(one, other)
        await trio.sleep(self._random.expovariate(1 / 15))
        self.net.heal(one, other)

    async def _cut(self) -> None:
        """A connection breaks, and the user wants another one at once."""
        one, other = self._random.sample(self.nodes, 2)
        self.net.cut(one.name, other.name)
        for node in (one, other):
            try:
                await node.call("outbox.retry")
            except Down:
                continue

    async def _jump(self) -> None:
        node = self._random.choice(self.nodes)
        node.clock.skew_ms = self._random.choice((0, self._random.randint(-YEARS_MS, YEARS_MS)))
        self.net.note("clock", node.name, str(node.clock.skew_ms))
        await trio.lowlevel.checkpoint()

    async def _roll_back(self) -> None:
        """A copy of a store is made while messages wait in it, and put back after its machine crashed."""
        node = self._random.choice(self.nodes)
        await trio.sleep(self._random.uniform(0.1, 0.5) * self.plan.writing_s)
        await _until(lambda: node.up)
        while not node.up or not (await node.call("status"))["outbox"]:  # noqa: ASYNC110
            await trio.sleep(0.05)
        backup, then, seen = node.backup(), self.history.copy_of(node.name), dict(self._seen[node.name])
        await trio.sleep(self._random.uniform(2, 20))
        await _until(lambda: node.up)
        node.crash("machine")
        await _until(lambda: node.life is None)
        node.restore(backup)
        self._restored[node.name] += 1
        self._seen[node.name] = seen
        self.history.forget(node.name, then)
        for pair, accepted in self.history.accepted.items():
            if pair[1] == node.name:  # perhaps committed there, and not read yet
                self.history.excused[pair] |= accepted


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - users look again; nobody tells them
        await trio.sleep(0.1)


async def _items(node: SimNode, method: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await node.call(method))["items"]
    return items


def _number(text: str, receiver: str) -> int:
    """The number that a text bears for its receiver."""
    numbers = dict(word.split("=") for word in text.partition("|")[0].split())
    return int(numbers[receiver])


def _padding(random: Random, *, bulk: bool) -> int:
    """Mostly short texts, or mostly long ones."""
    draw = random.random() - (0.7 if bulk else 0)
    most = 60_000 if draw < 0.04 else 4_000 if draw < 0.15 else 100
    return random.randrange(most)
