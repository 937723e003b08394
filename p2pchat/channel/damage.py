"""The damage rule: what to do when an envelope from an authenticated link gives no message (protocol.md 13).

Bytes damaged -> the same again. Key wrong -> a new epoch in mode reset. More than 3 tries a message or 10 an hour, or
10 wrong MACs a day -> the contact's channel is in ``error``: messages stay queued, and it is tried again after 1 minute
... 1 hour.

An envelope that does not open tells no message id, but every remedy asks for the one number that the inbox awaits, so
tries are counted by that number. Others of the same flight may be damaged, too: a failed try is what comes after the
remedy of the last one was committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Final

from p2pchat.wire.shape import U32, U64, Struct

REASON: Final = "Serious connection error"  # printed exactly so
TRIES_PER_MESSAGE: Final = 3
TRIES_PER_HOUR: Final = 10
MACS_PER_DAY: Final = 10
RETRY_MS: Final = (60_000, 3_600_000)  # first and longest wait in ``error``
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


class Status(StrEnum):
    """A contact's channel state as ``contact list`` prints it."""

    OK = "ok"
    HEALING = "healing"
    ERROR = "error"


class Fault(Enum):
    DAMAGED = "damaged"  # md5_ct wrong
    UNOPENABLE = "unopenable"  # AEAD wrong
    WRONG_BODY = "wrong-body"  # md5_pt wrong: sealed damaged, so other bytes are needed
    MISSHAPEN = "misshapen"  # no envelope, or one whose body cannot be a message of this peer


class Remedy(Enum):
    RESEND = "resend"
    RESET = "reset"
    STOP = "stop"


REMEDIES: Final[Mapping[Fault, Remedy]] = {
    Fault.DAMAGED: Remedy.RESEND,
    Fault.UNOPENABLE: Remedy.RESET,
    Fault.WRONG_BODY: Remedy.RESEND,
    Fault.MISSHAPEN: Remedy.RESEND,
}


@dataclass(frozen=True, slots=True)
class Count(Struct):
    """Events in a window that begins with its first event."""

    since_ms: U64 = 0
    events: U32 = 0

    def one_more(self, now_ms: int, window_ms: int) -> "Count":
        inside = 0 <= now_ms - self.since_ms < window_ms  # a clock that jumped back starts a new window
        return Count(self.since_ms, self.events + 1) if inside else Count(now_ms, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Struct):
    """Damage of one channel so far. Stored with it."""

    healing: bool = False
    awaited: U64 = 0  # the number whose tries are counted
    tries: U32 = 0
    tried_ms: U64 = 0  # when the last of them failed
    hour: Count = Count()
    macs: Count = Count()
    retry_ms: U64 = 0  # wall clock of the next try, in ``error``; else 0
    wait_ms: U64 = 0  # how long the last such wait was

    @property
    def status(self) -> Status:
        if self.retry_ms:
            return Status.ERROR
        return Status.HEALING if self.healing else Status.OK

    def paused(self, now_ms: int) -> bool:
        """In ``error`` and not yet to be tried again. A clock that jumped back does not make the wait longer."""
        return 0 < self.retry_ms - now_ms <= self.wait_ms

    def fault(self, fault: Fault, now_ms: int, awaited: int) -> tuple[Remedy, "Health"]:
        """An envelope gave no message while ``awaited`` was the next number: (what to do, health to store).

        Give all that one transaction takes the same ``now_ms``: it came before the peer can have heard of a remedy.
        """
        same = self.tries > 0 and awaited == self.awaited
        if same and now_ms == self.tried_ms:
            return REMEDIES[fault], self
        tries = self.tries + 1 if same else 1
        hour = self.hour.one_more(now_ms, HOUR_MS)
        health = replace(self, healing=True, awaited=awaited, tries=tries, tried_ms=now_ms, hour=hour)
        if tries > TRIES_PER_MESSAGE or hour.events > TRIES_PER_HOUR:
            return Remedy.STOP, health.failed(now_ms)
        return REMEDIES[fault], health

    def wrong_mac(self, now_ms: int) -> tuple[Remedy, "Health"]:
        """An epoch's MAC was wrong: RESET to try again, or STOP."""
        health = replace(self, macs=self.macs.one_more(now_ms, DAY_MS))
        if health.macs.events >= MACS_PER_DAY:
            return Remedy.STOP, health.failed(now_ms)
        return Remedy.RESET, replace(health, healing=True)

    def failed(self, now_ms: int) -> "Health":
        """Over the limit: wait, twice as long as the last time."""
        wait_ms = min(max(2 * self.wait_ms, RETRY_MS[0]), RETRY_MS[1])
        return replace(self, healing=True, tries=0, retry_ms=now_ms + wait_ms, wait_ms=wait_ms)

    def retrying(self) -> "Health":
        """The wait is over, or the user asked: one more round of tries."""
        return replace(self, healing=True, tries=0, hour=Count(), retry_ms=0)

    def woken(self) -> "Health":
        """The peer tries again, and the wait ends early: once more only, and the limits of the hour stay."""
        return replace(self, healing=True, tries=TRIES_PER_MESSAGE, tried_ms=0, retry_ms=0)

    def opened(self) -> "Health":
        """The awaited message came: the channel works."""
        return replace(self, healing=False, tries=0, retry_ms=0, wait_ms=0)


HEALTHY: Final = Health()
