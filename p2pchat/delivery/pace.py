"""How fast a contact may write: a limit that slows and never drops, counted by time of writing (protocol.md 14).

Each message moves the contact's ``paid_ms`` on by its price, from the moment at which it was written; nobody waits
before that runs five minutes ahead of the clock. So a week's backlog, written at a human pace, costs no waiting, and
whoever claims that all was written long ago has no more than the pace since he was first heard. This is the virtual
scheduling form of the GCRA (ITU-T I.371); times are Unix ms of this computer.
"""

from typing import Final

from p2pchat.limits import BOUNDARY_WINDOW_BYTES, BOUNDARY_WINDOW_FRAMES

BURST_MS: Final = 5 * 60 * 1000  # of the pace, at once
UNIT_BYTES: Final = 4096  # a longer message counts as several
# What one batch from the gate can cost, and more. Who seems to owe more than that owes it to a clock that was set back.
MOST_UNITS: Final = 2 * (BOUNDARY_WINDOW_FRAMES + BOUNDARY_WINDOW_BYTES // UNIT_BYTES)


def units(size: int) -> int:
    """What a message of ``size`` bytes counts."""
    return 1 + size // UNIT_BYTES


def owed_ms(paid_ms: int, now_ms: int, per_minute: int) -> int:
    """How long to wait before anything more is taken from this contact."""
    if not per_minute:
        return 0
    owed = paid_ms - BURST_MS - now_ms
    return owed if 0 < owed <= _price_ms(MOST_UNITS, per_minute) else 0


def counted(paid_ms: int, *, written_ms: int, now_ms: int, count: int, per_minute: int) -> int:
    """``paid_ms`` after a message of ``count`` units that its sender says to have written at ``written_ms``."""
    if not per_minute:
        return paid_ms
    return max(paid_ms, min(written_ms, now_ms)) + _price_ms(count, per_minute)


def settled(paid_ms: int, now_ms: int, per_minute: int) -> int:
    """``paid_ms`` without what a clock that was set back has left; what is owed stays owed until it was waited for."""
    return paid_ms if owed_ms(paid_ms, now_ms, per_minute) else min(paid_ms, now_ms + BURST_MS)


def _price_ms(count: int, per_minute: int) -> int:
    return count * 60_000 // per_minute
