"""Who may be dialled where, and who may come in: the gate's decisions in one place. Pure."""

from dataclasses import dataclass, field
from typing import Final

from p2pchat.errors import Forbidden
from p2pchat.firewall.address_book import ANY, AddressBook, Candidate
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.permit import Permit, Range, check_dialable
from p2pchat.ids import UserId
from p2pchat.link.credentials import Credentials
from p2pchat.link.handshake import Claim
from p2pchat.wire.boundary import Role

WS: Final = "ws"
RAW: Final = "raw"
NEAR: Final = frozenset({Range.LAN, Range.LOOPBACK})
_LINKED: Final = frozenset({Role.CONTACT, Role.STRANGER})


@dataclass(frozen=True, slots=True)
class Permits:
    """Leave to dial, in the order to try; where there is none, why."""

    permits: list[Permit] = field(default_factory=list)
    refused: str = ""


class Policy:
    """Decides from what is known; remembers nothing itself."""

    def __init__(
        self, own: UserId, peers: Peers, book: AddressBook, *, near: frozenset[Range], carriers: tuple[str, ...]
    ) -> None:
        """``near``: ranges that this node is itself confined to (``permit.own_ranges``).

        ``carriers`` (of WS, RAW) are those that this node serves and dials, the preferred one first.
        """
        self.carriers: Final = carriers
        self._own = own
        self._peers = peers
        self._book = book
        self._near = near

    def permits(self, user: UserId) -> Permits:
        """Where ``user`` may be dialled now."""
        known = self._peers.get(user)
        if user == self._own or known is None or known.role not in _LINKED:
            return Permits(refused="this ID is no contact")
        granted: list[Permit] = []
        refused = "no address is known"
        for candidate in self._book.candidates(user):
            try:
                granted += self._permit(user, candidate, imported=known.lan)
            except Forbidden as error:
                refused = error.message
        distinct = dict.fromkeys(granted)
        return Permits(
            sorted(distinct, key=lambda permit: self.carriers.index(permit.carrier)), refused * (not granted)
        )

    def _permit(self, user: UserId, candidate: Candidate, *, imported: bool) -> list[Permit]:
        """One for each carrier that may be tried there. Raises Forbidden."""
        address = candidate.address
        carriers = [carrier for carrier in self.carriers if address.carrier in {carrier, ANY}]
        if not carriers:
            raise Forbidden(f"the carrier {address.carrier} is not among those of: p2pchat config get carriers")
        own_word = candidate.typed_lan if candidate.typed else imported
        check_dialable(address.host, address.port, near=self._near | NEAR if own_word else self._near)
        return [Permit(user, address.host, address.port, carrier) for carrier in carriers]

    def check_typed(self, host: str, port: int, *, lan: bool) -> None:
        """Raise Forbidden where the user's own word does not suffice for an address."""
        check_dialable(host, port, near=self._near | NEAR if lan else self._near)

    def look_up(self, claim: Claim) -> Credentials | None:
        """What is pinned for a visitor. Raises Forbidden for the own ID (H107) and for those who were sent away."""
        if claim.user == self._own:
            raise Forbidden("the visitor claims to be this very identity")
        if self._peers.role(claim.user) not in _LINKED:
            raise Forbidden("this peer was removed or blocked")
        return self._peers.credentials(claim.user)
