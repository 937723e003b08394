"""How the gate fares, as the user may ask it on gate.sock: ``net.status``, ``net.peers``, ``net.metrics``."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import trio

from p2pchat.env import Env, StreamListener
from p2pchat.errors import BadFormat
from p2pchat.firewall import own_addresses
from p2pchat.firewall.clock_watch import ClockWatch
from p2pchat.firewall.dialer import Dial, Dialer
from p2pchat.firewall.links import Links, Live
from p2pchat.firewall.listener import Door
from p2pchat.firewall.watch import Surroundings
from p2pchat.ids import UserId, user_id_text
from p2pchat.limits import HALF_OPEN_LINKS
from p2pchat.loop_delay import LoopDelay
from p2pchat.rpc.fields import PAGE_ITEMS
from p2pchat.rpc.metrics import Sample, counts, of_process, sample

Method = Callable[[dict[str, Any]], Awaitable[Mapping[str, object]]]
_NO_LINK: Final = {"path": "none", "carrier": "none", "dialled": None, "address": None, "since_ms": None}


class Status:
    """Reads what the others know; changes nothing."""

    def __init__(
        self,
        env: Env,
        listeners: Sequence[StreamListener],
        links: Links,
        dialer: Dialer,
        door: Door,
        around: Surroundings,
    ) -> None:
        self._env = env
        self._listen = own_addresses.bound(listeners)
        self._links = links
        self._dialer = dialer
        self._door = door
        self._around = around
        self._started_ms = env.clock.wall_ms()
        self._clock = ClockWatch(wall_ms=self._started_ms, boot_s=env.clock.boot_s())
        self.delay: Final = LoopDelay()

    def table(self) -> dict[str, Method]:
        return {"net.status": self.net_status, "net.peers": self.net_peers, "net.metrics": self.net_metrics}

    async def net_status(self, _params: dict[str, Any]) -> Mapping[str, object]:
        await trio.lowlevel.checkpoint()
        clock = self._env.clock
        return {
            "listen": list(self._listen),
            "carriers": list(self._door.policy.carriers),
            "reachable": list(self._around.reachable),
            "links": len(self._links.live()),
            "half_open": self._door.half_open.count,
            "half_open_limit": HALF_OPEN_LINKS,
            "clock": self._clock.verdict(wall_ms=clock.wall_ms(), boot_s=clock.boot_s()),
        }

    async def net_peers(self, params: dict[str, Any]) -> Mapping[str, object]:
        """By ID; a page ends at PAGE_ITEMS."""
        await trio.lowlevel.checkpoint()
        live = {link.user: link for link in self._links.live()}
        dials = {dial.user: dial for dial in self._dialer.dials()}
        users = sorted(live.keys() | dials.keys())
        start = _offset(params.get("page"))
        page = users[start : start + PAGE_ITEMS]
        following = start + PAGE_ITEMS
        return {
            "items": [self._peer(user, live.get(user), dials.get(user)) for user in page],
            "next": str(following) if following < len(users) else None,
        }

    async def net_metrics(self, _params: dict[str, Any]) -> Mapping[str, object]:
        await trio.lowlevel.checkpoint()
        return {"metrics": list(self._samples())}

    def _peer(self, user: UserId, live: Live | None, dial: Dial | None) -> Mapping[str, object]:
        waits = live is None and dial is not None
        return {
            "id": user_id_text(user),
            "state": "linked" if live is not None else dial.state if dial is not None else "idle",
            **(_NO_LINK if live is None else self._link(live)),
            "next_try_ms": self._wall_ms(dial.next_try_s) if waits and dial and dial.next_try_s is not None else None,
            "reason": dial.reason if waits and dial else "",
        }

    def _link(self, live: Live) -> Mapping[str, object]:
        return {
            "path": "direct",
            "carrier": live.carrier,
            "dialled": live.link.peer.initiator,
            "address": live.address,
            "since_ms": self._wall_ms(live.since_s),
        }

    def _wall_ms(self, monotonic_s: float) -> int:
        return max(0, self._env.clock.wall_ms() + round((monotonic_s - trio.current_time()) * 1000))

    def _samples(self) -> Iterator[Sample]:
        tally, live = self._links.counts, self._links.live()
        for (role, carrier), count in Counter((link.role.name.lower(), link.carrier) for link in live).items():
            yield sample("p2pchat_links", count, role=role, carrier=carrier)
        yield from counts("p2pchat_dials", "state", Counter(dial.state for dial in self._dialer.dials()))
        yield sample("p2pchat_half_open", self._door.half_open.count)
        for (own, result), count in tally.handshakes.items():
            yield sample("p2pchat_handshakes_total", count, role=own, result=result)
        yield sample("p2pchat_visitors_refused_total", tally.turned_away)
        yield sample("p2pchat_strangers_total", tally.strangers)
        yield from counts("p2pchat_links_ended_total", "reason", tally.ended)
        sent = tally.sent_bytes + sum(link.link.sent_bytes for link in live)
        received = tally.received_bytes + sum(link.link.received_bytes for link in live)
        yield from counts("p2pchat_link_bytes_total", "direction", {"sent": sent, "received": received})
        yield sample("p2pchat_listeners", len(self._listen))
        yield from of_process("gate", started_ms=self._started_ms, delay_s=self.delay.worst_s)


def _offset(page: object) -> int:
    """Raises BadFormat."""
    if page is None:
        return 0
    if not isinstance(page, str) or not page.isdecimal() or len(page) > 9:
        raise BadFormat("this is no page of that list", hint="p2pchat net status")
    return int(page)
