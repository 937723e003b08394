"""What all flows and methods of one vault share. Wiring is in ``app``; the rules are in the flows."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from p2pchat.channel.legs import LegBucket
from p2pchat.config import Config, Value
from p2pchat.env import Env
from p2pchat.ids import UserId
from p2pchat.keys.identity import Identity
from p2pchat.keys.key_log import KeyChain
from p2pchat.keys.recovery import RecoveryKey
from p2pchat.keys.root import RootKey
from p2pchat.loop_delay import LoopDelay
from p2pchat.store.cell import Cell
from p2pchat.store.writer import Store
from p2pchat.token_bucket import TokenBucket
from p2pchat.vault.comparing import Comparing
from p2pchat.vault.flows.link import Link
from p2pchat.vault.news import News
from p2pchat.vault.overtaken import Overtaken
from p2pchat.vault.own import Sequence
from p2pchat.vault.port import Port
from p2pchat.wire import boundary


class Settings(Protocol):
    """The configuration file, as far as the vault changes it."""

    def current(self) -> Config: ...

    def change(self, name: str, text: str) -> Value: ...


Rotate = Callable[[RootKey, RecoveryKey | None], Awaitable[None]]
TakeLog = Callable[[KeyChain], Awaitable[None]]


@dataclass(eq=False, slots=True, kw_only=True)
class Node:
    env: Env
    identity: Identity
    store: Store
    port: Port
    config: Config  # as it was at the start
    settings: Settings
    unlock_file: Path
    listen: tuple[str, ...]  # HOST:PORT as bound by the gate
    reachable: tuple[str, ...]  # what others may dial
    carriers: tuple[str, ...]  # over which
    addresses: bytes  # the same as an encoded Signed(AddressRecord)
    sequence: Sequence  # of such records
    local_secret: bytes  # 32 bytes that never leave this vault (channel.Agreement)
    wall: str
    started_ms: int
    launcher_pid: int
    stop: Callable[[], None]  # asks the launcher to end the daemon
    requests: TokenBucket | None  # of strangers; None: no limit
    replaced: bool  # by another device of this identity: no links any more (flows/replaced.py)
    clock: Cell[int]  # the hybrid clock's highest value given or seen
    news: News = field(default_factory=News)
    rotate: Rotate = field(init=False)  # gives the identity another root (renewal.py)
    take_log: TakeLog = field(init=False)  # a contact had the own key log, which was lost (renewal.py)
    announcement: bytes = b""  # an encoded Succession, for friends of the ID that this home had before
    copied: bool = False  # a copy of this home was in use since the start
    overtaken: Overtaken = field(default_factory=Overtaken)
    alarms: dict[tuple[str, int], int] = field(default_factory=dict)  # (cause, contact) -> when it was told
    links: dict[int, Link] = field(default_factory=dict)  # by the gate's number
    serving: dict[int, Link] = field(default_factory=dict)  # also those that have gone and have not read all that came
    legs: dict[UserId, LegBucket] = field(default_factory=dict)  # as the peer's last link left it
    repairs: Counter[str] = field(default_factory=Counter)  # what the damage rule had to do, by kind
    delay: LoopDelay = field(default_factory=LoopDelay)
    message_legs: dict[UserId, LegBucket] = field(default_factory=dict)  # of messages that bear an RSA key
    comparisons: dict[int, Comparing] = field(default_factory=dict)  # by the contact's row
    unreachable: dict[UserId, boundary.Cannot] = field(default_factory=dict)  # last failed try, while it counts

    def comparing(self, contact: int) -> Comparing:
        """What live comparisons with a contact (its row) have come to."""
        return self.comparisons.setdefault(contact, Comparing())

    def link_of(self, user: UserId) -> Link | None:
        """The live link to a peer, the newest where two stand for a moment."""
        return next((link for link in reversed(self.links.values()) if link.up.user == user), None)

    def now_ms(self) -> int:
        return self.env.clock.wall_ms()
