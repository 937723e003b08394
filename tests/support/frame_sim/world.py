"""The world: time, links, faults, users. One heap of events, one generator; the same seed gives the same trace."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from random import Random
from typing import Final

from p2pchat.channel.step import OpenLeg
from p2pchat.delivery import clock
from p2pchat.delivery.body import text_of
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import MessageBody
from tests.support.frame_sim.history import History, violations
from tests.support.frame_sim.node import Node
from tests.support.frame_sim.parts import Person
from tests.support.frame_sim.store import Store

START_MS: Final = 1_800_000_000_000
TEN_YEARS_MS: Final = 10 * 365 * 86_400_000
HOUR_MS: Final = 3_600_000
EVENTS_MOST: Final = 30_000  # a run has some 8,000; one that needs so many never comes to rest


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong while people write. Probabilities are of each occasion."""

    messages: int = 100
    writing_ms: int = 60_000  # the time in which they are written
    link_life_ms: float = 4_000.0  # mean
    link_gap_ms: float = 500.0
    crashes: int = 12
    clock_jumps: int = 3
    cancels: float = 0.02
    renewals: int = 30  # somebody wants a new epoch
    rollbacks: int = 0  # a store is put back to an older copy of itself
    lost: float = 0.0  # raw net: single frames of a live link
    repeated: float = 0.0
    swapped: float = 0.0
    damaged: float = 0.0


@dataclass
class NetLink:
    """An ordered stream each way, until it is cut."""

    number: int
    ends: tuple[str, str]
    alive: bool = True
    arrival_ms: dict[str, float] = None  # type: ignore[assignment] # by receiver: when the last frame arrives

    def __post_init__(self) -> None:
        self.arrival_ms = dict.fromkeys(self.ends, 0.0)

    def other(self, name: str) -> str:
        return self.ends[1] if name == self.ends[0] else self.ends[0]


class World:
    """Run it with ``run``; then ask ``problems``."""

    def __init__(self, seed: int, people: dict[str, Person], faults: Faults, node_class: type[Node] = Node) -> None:
        self.random, self.people, self.faults, self._node_class = Random(seed), people, faults, node_class
        self.now_ms = 0.0
        self.history = History()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._events = 0
        self._links: dict[frozenset[str], NetLink] = {}
        self._last_link = 0
        self._offset_ms = dict.fromkeys(people, 0)
        self._stores = {name: Store() for name in people}
        self._nodes: dict[str, Node | None] = {}
        self._committing: set[str] = set()
        self._doomed: dict[str, str] = {}  # dies with its next commit: before it, or between it and its effects
        self._calm = False
        self._trace = sha256()

    # --- what nodes may ask -------------------------------------------------------------------------------------------

    def random_bytes(self, length: int) -> bytes:
        return self.random.randbytes(length)

    def wall_ms(self, name: str) -> int:
        return START_MS + int(self.now_ms) + self._offset_ms[name]

    def want_commit(self, node: Node) -> None:
        name = node.person.name
        if name not in self._committing:
            self._committing.add(name)
            self._later(self.random.uniform(0.5, 5.0), lambda: self._commit(node))

    def transmit(self, sender: str, number: int, kind: FrameType, body: bytes) -> None:
        link = self._link(number)
        if link is None:
            return
        self.trace(sender, "frame", number, kind.name, len(body))
        receiver, faults, random = link.other(sender), self.faults, self.random
        if not self._calm and random.random() < faults.lost:
            return
        if not self._calm and random.random() < faults.damaged:
            at = random.randrange(len(body))
            body = body[:at] + bytes([body[at] ^ 1 << random.randrange(8)]) + body[at + 1 :]
        copies = 2 if not self._calm and random.random() < faults.repeated else 1
        for _ in range(copies):
            arrives = max(link.arrival_ms[receiver], self.now_ms + random.uniform(1, 30)) + 0.001
            if not self._calm and random.random() < faults.swapped:
                arrives += 20  # frames sent later overtake it
            else:
                link.arrival_ms[receiver] = arrives
            self._at(arrives, lambda: self._arrive(link, receiver, kind, body))

    def open_leg(self, node: Node, number: int, peer: str, work: OpenLeg) -> None:
        secret = node.person.open_leg(work.leg)
        delay_ms = work.wait_s * 1000 + self.random.uniform(20, 60)
        self._later(delay_ms, lambda: self._if_running(node, lambda: node.leg_opened(number, peer, work.leg, secret)))

    def cut(self, number: int) -> None:
        """The link dies: what is on its way arrives up to some frame, each end notices in its own time."""
        link = self._link(number)
        if link is None:
            return
        link.alive = False
        pair = frozenset(link.ends)
        for name in link.ends:
            node = self._nodes[name]
            if node is not None:
                self._later(
                    self.random.uniform(0, 40),
                    lambda node=node, link=link, name=name: self._down(node, link, name),  # type: ignore[misc]
                )
        gap_ms = 50 + self.random.expovariate(1 / self.faults.link_gap_ms)
        self._later(gap_ms, lambda: self._connect(pair))

    def shown(self, name: str, sender: str, body: MessageBody) -> None:
        number = int(text_of(body))
        self.trace(name, "shown", sender, number)
        self.history.show((sender, name), number, clock.order_key(body, self.people[sender].party.user))

    def trace(self, *what: object) -> None:
        self._trace.update(repr((round(self.now_ms, 3), *what)).encode())

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """People write while things go wrong; then everything stays up until nothing happens any more."""
        for name in self.people:
            self._start(name)
        self._plan()
        self._until(self.faults.writing_ms)
        self._calm = True
        self._until(self.faults.writing_ms + 4 * HOUR_MS, stop=self._settled)

    def problems(self) -> list[str]:
        found = violations(self.history, settled=True)
        if self._events >= EVENTS_MOST:
            found.append("the nodes never come to rest")
        for name, node in self._nodes.items():
            if node is not None and node.unfinished():
                found.append(f"{name} still holds {node.unfinished()[:5]}")
        return found

    @property
    def digest(self) -> str:
        return self._trace.hexdigest()

    def _until(self, end_ms: float, stop: Callable[[], bool] = lambda: False) -> None:
        while self._heap and self._heap[0][0] <= end_ms and self._events < EVENTS_MOST and not stop():
            self.now_ms, _, event = heapq.heappop(self._heap)
            event()
        self.now_ms = end_ms if self._heap and not stop() else self.now_ms

    def _settled(self) -> bool:
        return all(node is not None and not node.unfinished() for node in self._nodes.values())

    def _at(self, when_ms: float, event: Callable[[], None]) -> None:
        self._events += 1
        heapq.heappush(self._heap, (when_ms, self._events, event))

    def _later(self, delay_ms: float, event: Callable[[], None]) -> None:
        self._at(self.now_ms + delay_ms, event)

    def _if_running(self, node: Node, event: Callable[[], None]) -> None:
        if self._nodes[node.person.name] is node:
            event()

    # --- what happens by itself ---------------------------------------------------------------------------------------

    def _plan(self) -> None:
        faults, random, names = self.faults, self.random, list(self.people)
        for pair in combinations(names, 2):
            self._later(random.uniform(0, 2_000), lambda pair=frozenset(pair): self._connect(pair))
        left = faults.messages
        while left:  # one at a time, and in bursts that fill windows
            burst = min(left, random.choice((1, 1, 1, 5, 40)))
            left -= burst
            sender, receiver = random.sample(names, 2)
            self._at(random.uniform(0, faults.writing_ms), lambda s=sender, r=receiver, n=burst: self._burst(s, r, n))
        for count, event in (
            (faults.crashes, self._crash),
            (faults.clock_jumps, self._jump),
            (faults.rollbacks, self._roll_back),
            (faults.renewals, self._renew),
        ):
            for _ in range(count):
                self._at(random.uniform(0, faults.writing_ms), lambda event=event: event(random.choice(names)))
        self._later(10_000, self._tick)

    def _tick(self) -> None:
        for node in self._nodes.values():
            if node is not None:
                node.tick()
        self._later(10_000 if not self._calm else 60_000, self._tick)

    def _burst(self, sender: str, receiver: str, count: int) -> None:
        self._write(sender, receiver)
        if count > 1:
            self._later(self.random.uniform(0, 3), lambda: self._burst(sender, receiver, count - 1))

    def _write(self, sender: str, receiver: str) -> None:
        node, pair = self._nodes[sender], (sender, receiver)
        if node is None:
            return
        number = self.history.type(pair)
        self.trace(sender, "write", receiver, number)
        node.send(receiver, str(number), lambda: self.history.accepted[pair].add(number))
        if self.random.random() < self.faults.cancels:
            self._later(self.random.uniform(0, 500), lambda: self._cancel(sender, receiver, number))

    def _cancel(self, sender: str, receiver: str, number: int) -> None:
        node = self._nodes[sender]
        if node is not None and node.cancel(receiver, str(number)):
            self.history.excused[sender, receiver].add(number)

    def _connect(self, pair: frozenset[str]) -> None:
        first, second = sorted(pair)
        if pair in self._links and self._links[pair].alive:
            return
        one, two = self._nodes[first], self._nodes[second]
        if one is None or two is None:
            self._later(200, lambda: self._connect(pair))
            return
        self._last_link += 1
        number = self._last_link
        self._links[pair] = NetLink(number, (first, second))
        self.trace("link", first, second, number)
        link_hash = sha256(b"link %d" % number).digest()
        one.link_up(number, second, link_hash)
        two.link_up(number, first, link_hash)
        if not self._calm:
            life_ms = 100 + self.random.expovariate(1 / self.faults.link_life_ms)
            self._later(life_ms, lambda: self.cut(number))

    def _link(self, number: int) -> NetLink | None:
        return next((link for link in self._links.values() if link.number == number and link.alive), None)

    def _arrive(self, link: NetLink, receiver: str, kind: FrameType, body: bytes) -> None:
        node = self._nodes[receiver]
        if node is not None:
            node.frame(link.number, link.other(receiver), kind, body)

    def _down(self, node: Node, link: NetLink, name: str) -> None:
        self._if_running(node, lambda: node.link_down(link.number, link.other(name)))

    def _commit(self, node: Node) -> None:
        name = node.person.name
        if self._nodes[name] is not node:
            return
        self._committing.discard(name)
        doom = self._doomed.get(name)
        if doom != "before":
            node.commit(die=doom == "after")
        if doom:
            self._stop(name)

    # --- faults -------------------------------------------------------------------------------------------------------

    def _start(self, name: str) -> None:
        store = self._stores[name]
        node = self._node_class(self.people[name], self.people, store, self)
        self._nodes[name] = node
        if ("out", next(peer for peer in self.people if peer != name)) not in store:
            node.begin_life()
        self.trace(name, "start")

    def _crash(self, name: str) -> None:
        if self._nodes[name] is None:
            return
        moment = self.random.choice(("now", "before", "after"))
        if moment == "now":
            self._stop(name)
        else:
            self._doomed[name] = moment

    def _stop(self, name: str) -> None:
        self.trace(name, "crash")
        self._nodes[name] = None
        self._stores[name].crash()
        self._committing.discard(name)
        self._doomed.pop(name, None)
        for pair, link in list(self._links.items()):
            if name in pair and link.alive:
                self.cut(link.number)
        self._later(self.random.uniform(100, 3_000), lambda: self._start(name))

    def _renew(self, name: str) -> None:
        node = self._nodes[name]
        if node is not None:
            node.renew()

    def _jump(self, name: str) -> None:
        self._offset_ms[name] = self.random.randint(-TEN_YEARS_MS, TEN_YEARS_MS)

    def _roll_back(self, name: str) -> None:
        """Take a copy of the store, and some time later put it back in place of what it became meanwhile."""
        node = self._nodes[name]
        if node is None or name in self._committing or not node.unfinished():
            self._later(50, lambda: self._roll_back(name))  # an old copy is of interest where something waits in it
            return
        rows, seen = self._stores[name].snapshot(), self.history.copy_of(name)
        self._later(self.random.uniform(500, 8_000), lambda: self._put_back(name, rows, seen))

    def _put_back(self, name: str, rows: dict[object, object], seen: History) -> None:
        if self._nodes[name] is not None:
            self._stop(name)
        self._stores[name].restore(rows)
        self.trace(name, "put back")
        self.history.forget(name, seen)
