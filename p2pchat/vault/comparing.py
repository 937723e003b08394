"""What one contact's live comparisons have come to, in memory alone: values that were not shown die with the vault."""

from dataclasses import dataclass, field

from p2pchat.contacts.compare import Comparison, Verdict
from p2pchat.store.cell import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One ``contact verify --live``. A comparison belongs to a link; one that said no value begins anew on the next."""

    session: str  # 16 hexadecimal digits, for the program that asks
    link: int = 0  # the gate's number; 0: none is ready yet
    comparison: Comparison | None = None
    failure: str = ""  # why it ended, beside the comparison's own fault

    @property
    def over(self) -> bool:
        return bool(self.failure) or (self.comparison is not None and self.comparison.over)

    @property
    def ended(self) -> bool:
        """The own user has answered, or need not any more."""
        return self.over or (self.comparison is not None and self.comparison.verdict is not Verdict.NONE)

    @property
    def exposed(self) -> bool:
        """The own value was said, and the peer's did not come: without this link nothing can come of it."""
        return self.comparison is not None and bool(self.comparison.held) and not self.comparison.shown


@dataclass(frozen=True, slots=True)
class Invitation:
    """The contact began, and the own user has not."""

    link: int
    commitment: bytes


@dataclass(eq=False, slots=True)
class Comparing:
    attempt: Cell[Attempt | None] = field(default_factory=lambda: Cell(None))
    invitation: Cell[Invitation | None] = field(default_factory=lambda: Cell(None))
    told_ms: int = 0  # when the user last heard of an invitation
    asked_s: float = 0.0  # boot clock: when the user's program last asked
