"""What this node learnt of its own device set: that a newer one is about than the one it signed itself."""

import trio

from p2pchat.keys.devices import VerifiedSet
from p2pchat.keys.standing import Standing


class Overtaken:
    """The newest own set that contacts have shown. One successor of it satisfies all of them (protocol.md 3.1)."""

    def __init__(self) -> None:
        self.newest: VerifiedSet | None = None
        self._news = trio.Event()

    def show(self, found: VerifiedSet) -> bool:
        """Remember a set that verified as this node's own and that it did not sign; whether that is news."""
        if self.newest is not None and found.standing(self.newest) is not Standing.NEWER:
            return False
        self.newest = found
        self._news.set()
        return True

    def by(self, own: VerifiedSet) -> VerifiedSet | None:
        """The set that ``own`` has to give way to, or None."""
        if self.newest is None or own.standing(self.newest) in {Standing.NEWER, Standing.SAME}:
            return None
        return self.newest

    async def wait(self) -> None:
        """Until a set is shown that was not known before."""
        await self._news.wait()
        self._news = trio.Event()
