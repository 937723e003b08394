"""How late the event loop of this process comes to its work: the sign that something holds it up."""

from collections import deque
from typing import Final

import trio

LOOK_EVERY_S: Final = 5.0
_LOOKS: Final = 12  # so a minute is remembered


class LoopDelay:
    """``watch`` runs beside everything else; ``worst_s`` is the worst lateness of its last minute."""

    def __init__(self) -> None:
        self._late_s = deque([0.0], maxlen=_LOOKS)

    @property
    def worst_s(self) -> float:
        return max(self._late_s)

    async def watch(self) -> None:
        """For ever."""
        while True:
            due_s = trio.current_time() + LOOK_EVERY_S
            await trio.sleep_until(due_s)
            self._late_s.append(trio.current_time() - due_s)
