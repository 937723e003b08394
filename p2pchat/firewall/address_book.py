"""Where peers can be reached, as the gate has learnt it itself: from verified records, or typed by the user. Pure.

An address record's expiry is judged where a card is imported; a peer's last known addresses are tried until a newer
record replaces them, for a wrong one costs a handshake that fails and tells the stranger there nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final

from p2pchat.ids import DeviceId, UserId
from p2pchat.limits import ADDRESSES, DEVICES, HOST_BYTES
from p2pchat.wire.shape import U16, U64, Struct, exactly, up_to
from p2pchat.wire.structs import Address, AddressRecord

OUTCOMES: Final = 32
ANY: Final = "any"  # the carrier of an address that was typed: whichever this node speaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Struct):
    """How dialling an address went."""

    host: Annotated[str, up_to(HOST_BYTES)]
    port: U16
    ok_ms: U64 = 0
    failed_ms: U64 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAddresses(Struct):
    """The newest record of one device."""

    device: Annotated[DeviceId, exactly(16)]
    sequence: U64
    addresses: Annotated[tuple[Address, ...], up_to(ADDRESSES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Struct):
    """All about one peer; one row of gate.db."""

    LABEL = "p2pchat/1/book"
    records: Annotated[tuple[DeviceAddresses, ...], up_to(DEVICES)] = ()
    typed: Annotated[tuple[Address, ...], up_to(ADDRESSES)] = ()
    typed_lan: bool = False  # ``contact address --lan``
    outcomes: Annotated[tuple[Outcome, ...], up_to(OUTCOMES)] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address to try, and whether the user put it there himself."""

    address: Address
    typed: bool
    typed_lan: bool


_EMPTY: Final = Page()


class AddressBook:
    """Pages by peer. ``take_changes`` hands out what has to be written to disk."""

    def __init__(self, pages: Mapping[UserId, Page]) -> None:
        self._pages = dict(pages)
        self._changed: set[UserId] = set()

    def learn(self, user: UserId, record: AddressRecord) -> bool:
        """Take a verified record unless a newer one of that device is known. True where it changed anything."""
        page = self._page(user)
        held = {row.device: row for row in page.records}
        known = held.get(record.device)
        if known is not None and known.sequence >= record.sequence:
            return False
        held[record.device] = DeviceAddresses(
            device=record.device, sequence=record.sequence, addresses=record.addresses
        )
        newest = sorted(held.values(), key=lambda row: row.sequence, reverse=True)[:DEVICES]
        self._put(user, replace(page, records=tuple(newest)))
        return known is None or known.addresses != record.addresses

    def type_in(self, user: UserId, addresses: Iterable[Address], *, lan: bool) -> None:
        """The user's own word, in place of what he typed before."""
        self._put(user, replace(self._page(user), typed=tuple(addresses), typed_lan=lan))

    def candidates(self, user: UserId) -> list[Candidate]:
        """Each address once, in the order to try: what worked last, then what was typed, then the newest records."""
        page = self._page(user)
        listed = [Candidate(address, True, page.typed_lan) for address in page.typed]
        listed += [Candidate(address, False, False) for row in page.records for address in row.addresses]
        distinct: dict[Address, Candidate] = {}
        for candidate in listed:
            distinct.setdefault(candidate.address, candidate)
        worked = {(o.host, o.port): o.ok_ms for o in page.outcomes if o.ok_ms > o.failed_ms}
        return sorted(distinct.values(), key=lambda c: -worked.get((c.address.host, c.address.port), 0))

    def tried(self, user: UserId, host: str, port: int, *, ok: bool, now_ms: int) -> None:
        """Remember how a dial went."""
        page = self._page(user)
        held = {(o.host, o.port): o for o in page.outcomes}
        outcome = held.pop((host, port), Outcome(host=host, port=port))
        outcome = replace(outcome, ok_ms=now_ms) if ok else replace(outcome, failed_ms=now_ms)
        self._put(user, replace(page, outcomes=(*held.values(), outcome)[-OUTCOMES:]))

    def take_changes(self) -> dict[UserId, Page]:
        """Pages that changed since the last call."""
        changed, self._changed = self._changed, set()
        return {user: self._pages[user] for user in changed}

    def put_back(self, users: Iterable[UserId]) -> None:
        """Writing them failed: they are to be handed out again."""
        self._changed.update(users)

    def _page(self, user: UserId) -> Page:
        return self._pages.get(user, _EMPTY)

    def _put(self, user: UserId, page: Page) -> None:
        self._pages[user] = page
        self._changed.add(user)
