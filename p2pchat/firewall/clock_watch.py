"""Whether the wall clock can be right: within sane years, and in step with the clock that nobody sets. Pure."""

from typing import Final, Literal

EARLIEST_MS: Final = 1_767_225_600_000  # 2026-01-01: older than this program
LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01
STEP_MS: Final = 60_000  # a change of more than this was no mere correction

Verdict = Literal["ok", "stepped", "wrong"]


class ClockWatch:
    """``boot_s`` goes on through a suspend and is never set (CLOCK_BOOTTIME)."""

    def __init__(self, *, wall_ms: int, boot_s: float) -> None:
        self._offset_ms = wall_ms - boot_s * 1000

    def verdict(self, *, wall_ms: int, boot_s: float) -> Verdict:
        """``stepped``: somebody set the clock since the start."""
        if not EARLIEST_MS <= wall_ms <= LATEST_MS:
            return "wrong"
        moved_ms = abs(wall_ms - boot_s * 1000 - self._offset_ms)
        return "stepped" if moved_ms > STEP_MS else "ok"
