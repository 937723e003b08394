"""What the user says to the gate itself on gate.sock: addresses never come from the vault's own mind."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from p2pchat.config import join_address, split_address
from p2pchat.env import Net
from p2pchat.errors import Forbidden, NotFound, Unreachable, Usage
from p2pchat.firewall.address_book import ANY
from p2pchat.firewall.book_file import BookFile
from p2pchat.firewall.dialer import Dialer
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.permit import parse_ip
from p2pchat.firewall.policy import Policy
from p2pchat.ids import parse_user_id
from p2pchat.limits import ADDRESSES
from p2pchat.wire.boundary import Role
from p2pchat.wire.structs import Address

Method = Callable[[dict[str, Any]], Awaitable[Mapping[str, object]]]


class Methods:
    """The handlers of gate.sock (rpc/methods.py describes them)."""

    def __init__(self, net: Net, peers: Peers, policy: Policy, book: BookFile, dialer: Dialer) -> None:
        self._net = net
        self._peers = peers
        self._policy = policy
        self._book = book
        self._dialer = dialer

    def table(self) -> dict[str, Method]:
        return {"contact.address": self.contact_address}

    async def contact_address(self, params: dict[str, Any]) -> Mapping[str, object]:
        """Take the user's addresses for a peer in place of those typed before, and try them at once."""
        user = parse_user_id(params["id"])
        if self._peers.role(user) is Role.GONE:  # whom the vault has not named yet, the user may know already
            raise NotFound("there is no contact with this ID", hint="p2pchat contact list")
        typed = [address for text in params["addresses"] for address in await self._resolved(text)][:ADDRESSES]
        typed = [address for address in typed if self._may_be_dialled(address, params)]
        self._book.book.type_in(user, typed, lan=params["lan"])
        await self._book.save()
        self._dialer.news([user])
        return {"id": params["id"], "addresses": [join_address(address.host, address.port) for address in typed]}

    def _may_be_dialled(self, address: Address, params: dict[str, Any]) -> bool:
        """Raises Forbidden where the user typed it himself, and shall read why it may not."""
        try:
            self._policy.check_typed(address.host, address.port, lan=params["lan"])
        except Forbidden:
            if not params["some"]:
                raise
            return False
        return True

    async def _resolved(self, text: str) -> list[Address]:
        """An IP literal as it is; a name as the addresses that it has now, and keeps: no later answer moves them."""
        parsed = split_address(text)
        if parsed is None:
            raise Usage(f"{text!r} is not HOST:PORT", hint="p2pchat contact address PEER HOST:PORT")
        host, port = parsed
        if parse_ip(host) is not None:
            return [Address(host=host, port=port, carrier=ANY)]
        found = await self._net.resolve(host)
        if not found:
            raise Unreachable(f"{host} has no address")
        return [Address(host=address, port=port, carrier=ANY) for address in found]
