"""What people saw: the only witness. ``judge`` compares what was promised with what was shown."""

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field

Pair = tuple[str, str]  # sender, receiver


@dataclass
class History:
    """Texts are numbered by their writer, for each receiver: the number is the order."""

    written: dict[Pair, int] = field(default_factory=lambda: defaultdict(int))  # how many were ever typed
    accepted: dict[Pair, set[int]] = field(default_factory=lambda: defaultdict(set))  # `send` answered
    excused: dict[Pair, set[int]] = field(default_factory=lambda: defaultdict(set))  # cancelled, or gone with a disk
    shown: dict[Pair, list[int]] = field(default_factory=lambda: defaultdict(list))  # in the order of the event log
    set_back: set[str] = field(default_factory=set)  # who lives on an old disk: its clock may have gone back with it
    ordered: dict[Pair, list[tuple[object, int]]] = field(default_factory=lambda: defaultdict(list))  # with order keys

    def type(self, pair: Pair) -> int:
        self.written[pair] += 1
        return self.written[pair]

    def show(self, pair: Pair, number: int, key: object) -> None:
        self.shown[pair].append(number)
        self.ordered[pair].append((key, number))

    def copy_of(self, name: str) -> "History":
        """What ``name``'s disk held at this moment, to be given to ``forget`` later."""
        return deepcopy(self)

    def forget(self, name: str, then: "History") -> None:
        """``name``'s disk is as it was ``then``: what it showed since is unseen, what it took since may be gone."""
        self.set_back.add(name)
        for pair in list(self.written):
            if pair[1] == name:
                self.excused[pair] |= set(self.shown[pair]) - set(then.shown[pair])
                self.shown[pair], self.ordered[pair] = list(then.shown[pair]), list(then.ordered[pair])
            if pair[0] == name:
                self.excused[pair] |= self.accepted[pair] - then.accepted[pair]


def violations(history: History, *, settled: bool) -> list[str]:
    """What must never be: twice, out of order, never written. ``settled``: and nothing accepted may be lost."""
    found = []
    for pair, numbers in history.shown.items():
        if len(set(numbers)) != len(numbers):
            found.append(f"{pair} shown twice: {sorted({n for n in numbers if numbers.count(n) > 1})}")
        # What an old disk brought back may come late: its turn passed in a life that nobody remembers.
        in_turn = [number for number in numbers if not (history.set_back and number in history.excused[pair])]
        if in_turn != sorted(in_turn):
            found.append(f"{pair} shown out of order: {numbers}")
        by_key = [number for _, number in sorted(history.ordered[pair])]
        if pair[0] not in history.set_back and by_key != sorted(numbers):
            found.append(f"{pair} sorted out of order")
        if any(not 1 <= number <= history.written[pair] for number in numbers):
            found.append(f"{pair} shown but never written")
    if settled:
        for pair, accepted in history.accepted.items():
            lost = accepted - set(history.shown[pair]) - history.excused[pair]
            if lost:
                found.append(f"{pair} lost: {sorted(lost)}")
    return found
