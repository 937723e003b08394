"""A measured figure, the limit it is held against, its goal, and whether the goal is met. Nothing here asserts."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """``value`` or ``ratio`` (value / limit) has to be at most, or at least, ``bound``."""

    of: Literal["value", "ratio"]
    sense: Literal["at most", "at least"]
    bound: float


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` is the median of ``runs``; ``limit`` was measured in the same run, on the same disk."""

    workload: str
    what: str
    unit: str
    runs: tuple[float, ...]
    limit: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.runs)

    @property
    def ratio(self) -> float | None:
        return None if self.limit is None else self.value / self.limit

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        if self.goal is None:
            return None
        figure = self.value if self.goal.of == "value" else self.ratio
        assert figure is not None
        return figure <= self.goal.bound if self.goal.sense == "at most" else figure >= self.goal.bound

    def as_json(self) -> dict[str, object]:
        goal = None if self.goal is None else f"{self.goal.of} {self.goal.sense} {self.goal.bound:g}"
        return {
            "workload": self.workload,
            "what": self.what,
            "unit": self.unit,
            "value": self.value,
            "runs": list(self.runs),
            "limit": self.limit,
            "ratio": self.ratio,
            "goal": goal,
            "met": self.met,
            "note": self.note,
        }


def at_most(bound: float) -> Goal:
    return Goal("value", "at most", bound)


def at_least(bound: float) -> Goal:
    return Goal("value", "at least", bound)


def times_limit(bound: float) -> Goal:
    """At most ``bound`` times the limit."""
    return Goal("ratio", "at most", bound)


def share_of_limit(bound: float) -> Goal:
    """At least this share of the limit."""
    return Goal("ratio", "at least", bound)


def percentile(samples: Sequence[float], q: float) -> float:
    """The ``q``-th percentile, 0 to 100, by nearest rank."""
    return sorted(samples)[max(0, math.ceil(q * len(samples) / 100) - 1)]
