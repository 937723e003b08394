"""What a check found, and how a check that fails gives one, too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from p2pchat.errors import P2PChatError


@dataclass(frozen=True, slots=True)
class Verdict:
    """``warn``: it works, and somebody should look."""

    check: str
    verdict: Literal["ok", "warn", "bad"]
    detail: str
    mend: str = ""  # the command that mends it

    @property
    def ok(self) -> bool:
        return self.verdict == "ok"


def guarded(check: str, look: Callable[[], Verdict]) -> Verdict:
    """What cannot even be looked at is bad."""
    try:
        return look()
    except P2PChatError as error:
        return Verdict(check, "bad", error.message, error.hint)
    except OSError as error:
        return Verdict(check, "bad", f"{error.filename}: {error.strerror}")
