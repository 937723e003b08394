"""The own key log: whole, or its end alone after a restoration from a copy that had no room for it (protocol.md 3.4).

The end names what every link names, so contacts who hold the whole log know its owner again, and send it back.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from p2pchat.errors import Untrusted
from p2pchat.ids import UserId
from p2pchat.keys.key_log import KeyChain, label_of, verify_key_log
from p2pchat.keys.root import RootPublic
from p2pchat.keys.standing import Standing
from p2pchat.wire.own_files import LogEnd

_WHOLE_IS_NEEDED: Final = (
    "the key of this identity was replaced once, and the copy that it was restored from held no log of that; contacts"
    " are asked for it, and none has answered yet. A friend who does not find this machine can type: p2pchat contact"
    " address YOU IP:PORT"
)


@dataclass(frozen=True, slots=True)
class LostLog:
    """A log of which the end is known. What it shares with a KeyChain means the same; it has nothing to show."""

    genesis: LogEnd  # the fields of the genesis that a backup keeps
    root: RootPublic  # the current root
    raw: ClassVar[bytes] = b""

    @property
    def user(self) -> UserId:
        return self.genesis.user

    @property
    def head(self) -> bytes:
        return self.genesis.head

    @property
    def length(self) -> int:
        return self.genesis.log_length

    def standing_of(self, found: KeyChain) -> Standing:
        """How a whole log stands to this one. FORKED where another entry stands in this one's last place."""
        if found.length < self.length:
            return Standing.OLDER
        if found.entries[self.length - 1].hash != self.head:
            return Standing.FORKED
        return Standing.SAME if found.length == self.length else Standing.NEWER


OwnLog = KeyChain | LostLog


def read_own_log(raw: bytes) -> OwnLog:
    """What ``kept`` gave. Raises as ``verify_key_log``."""
    if label_of(raw) != LogEnd.LABEL:
        return verify_key_log(raw)
    end = LogEnd.decode(raw)
    return LostLog(end, RootPublic.from_modulus(end.modulus))


def kept(log: OwnLog) -> bytes:
    """How the own log is stored, and told to the own gate."""
    return log.raw or log.genesis.encode()


def whole(log: OwnLog) -> KeyChain:
    """Raises Untrusted where the end alone is known."""
    if isinstance(log, LostLog):
        raise Untrusted(_WHOLE_IS_NEEDED, hint="p2pchat net status")
    return log


def standing(found: KeyChain, own: OwnLog) -> Standing:
    """How a log that a contact holds of this identity stands to the own one."""
    return own.standing_of(found) if isinstance(own, LostLog) else found.standing(own)
