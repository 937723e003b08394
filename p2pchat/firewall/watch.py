"""What changes around the node: the computer slept, or its own addresses became others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import trio

from p2pchat.env import Env, StreamListener
from p2pchat.firewall import own_addresses
from p2pchat.firewall.dialer import Dialer
from p2pchat.firewall.links import Links
from p2pchat.firewall.port import Port
from p2pchat.link.heartbeat import SleepDetector
from p2pchat.wire import boundary

LOOK_EVERY_S: Final = 5.0


@dataclass(eq=False, slots=True)
class Surroundings:
    """``reachable`` is what a card should say at present: nothing before the first ``look``."""

    env: Env
    listeners: Sequence[StreamListener]
    advertise: Sequence[str]
    reachable: tuple[str, ...] = ()

    async def watch(self, port: Port, links: Links, dialer: Dialer) -> None:
        """For ever: after a sleep or a change of network ask every link whether it lives, and dial what is wanted."""
        sleep = SleepDetector(now_s=trio.current_time(), boot_s=self.env.clock.boot_s())
        while True:
            await trio.sleep(LOOK_EVERY_S)
            woke = sleep.slept(now_s=trio.current_time(), boot_s=self.env.clock.boot_s())
            before = self.reachable
            await self.look()
            if self.reachable != before:
                port.send(boundary.Addrs(reachable=self.reachable))
            if woke or self.reachable != before:
                links.probe_all()
                dialer.news()

    async def look(self) -> None:
        """Bring ``reachable`` up to date."""
        assert self.env.net is not None
        self.reachable = await own_addresses.reachable(self.env.net, self.listeners, self.advertise)
