"""What the vault says of its peers (PEER), checked by the gate itself before anything is used. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from p2pchat.errors import BadFormat, P2PChatError, Untrusted
from p2pchat.ids import UserId
from p2pchat.keys.signed import verify_address_record
from p2pchat.link.credentials import Credentials
from p2pchat.wire.boundary import Peer, Role
from p2pchat.wire.structs import AddressRecord


@dataclass(frozen=True, slots=True)
class Known:
    """One peer as last stated."""

    role: Role
    lan: bool  # its records may name loopback and private addresses: the user imported them himself
    credentials: Credentials | None  # as pinned by the vault; None: known by its ID only


@dataclass(frozen=True, slots=True)
class Stated:
    """What came of a PEER: the entry, its verified records, and what had to be left out."""

    known: Known
    records: tuple[AddressRecord, ...]
    problems: tuple[str, ...]


class Peers:
    """All peers of this run. One who was named and withdrawn (GONE: removed, blocked) is refused from then on."""

    def __init__(self) -> None:
        self._known: dict[UserId, Known] = {}
        self._pinned_raw: dict[UserId, tuple[bytes, bytes]] = {}

    def role(self, user: UserId) -> Role:
        """Of somebody never named: STRANGER."""
        known = self._known.get(user)
        return known.role if known else Role.STRANGER

    def get(self, user: UserId) -> Known | None:
        return self._known.get(user)

    def credentials(self, user: UserId) -> Credentials | None:
        known = self._known.get(user)
        return known.credentials if known else None

    def state(self, message: Peer) -> Stated:
        """Take a PEER; the last one wins. What does not verify is left out and told in ``problems``."""
        if message.role not in set(Role):
            raise BadFormat(f"PEER names role {message.role}")
        problems: list[str] = []
        credentials = self._credentials(message, problems)
        records = tuple(_verified_records(message, credentials, problems)) if credentials else ()
        known = Known(Role(message.role), message.lan, credentials)
        self._known[message.user] = known
        return Stated(known, records, tuple(problems))

    def _credentials(self, message: Peer, problems: list[str]) -> Credentials | None:
        raw = (message.key_log, message.device_set)
        if not all(raw):
            self._pinned_raw.pop(message.user, None)
            return None
        held = self.credentials(message.user)
        if held is not None and self._pinned_raw.get(message.user) == raw:
            return held  # a change of role alone costs no RSA operation
        try:
            credentials = Credentials.verify(*raw)
            if credentials.user != message.user:
                raise Untrusted("the key log leads to another ID")
        except P2PChatError as error:
            problems.append(error.message)
            return held
        self._pinned_raw[message.user] = raw
        return credentials


def _verified_records(message: Peer, credentials: Credentials, problems: list[str]) -> Iterator[AddressRecord]:
    for raw in message.records:
        try:
            yield verify_address_record(raw, credentials.devices)
        except P2PChatError as error:
            problems.append(error.message)
