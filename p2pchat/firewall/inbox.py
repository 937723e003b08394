"""What the vault says, handed to who acts on it. Nothing here waits."""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.errors import BadFormat, Corrupt
from p2pchat.firewall.address_book import AddressBook
from p2pchat.firewall.dialer import Dialer
from p2pchat.firewall.links import Links
from p2pchat.firewall.listener import Door
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.port import Port
from p2pchat.link.credentials import Local
from p2pchat.wire import boundary
from p2pchat.wire.own_files import GateSecrets
from p2pchat.wire.shape import Struct

PROBLEM_CHARS: Final = 256


def local_identity(hello: boundary.VaultHello, secrets: GateSecrets) -> Local:
    """This node on a link. Raises Corrupt where the vault's device record does not name the gate's link key."""
    local = Local.read(hello.key_log, hello.device_set, hello.device, secrets.link_x25519)
    public = X25519PrivateKey.from_private_bytes(secrets.link_x25519).public_key().public_bytes_raw()
    record = local.devices.device(hello.device)
    if not hello.user == secrets.user == local.user or record is None or record.link_x25519 != public:
        raise Corrupt("vault.key and gate.key do not belong together", hint="restore both from one copy of the home")
    return local


@dataclass(frozen=True, slots=True)
class Inbox:
    secrets: GateSecrets
    port: Port
    peers: Peers
    book: AddressBook
    links: Links
    dialer: Dialer
    door: Door

    async def read(self) -> None:
        """Until the vault ends. Raises BadFormat for a message that only a gate may send."""
        async for message in self.port.messages():
            self._take(message)

    def _take(self, message: Struct) -> None:
        match message:
            case boundary.Send():
                self.links.send(message)
            case boundary.Took():
                self.links.took(message)
            case boundary.Cut():
                self.links.cut(message)
            case boundary.Want():
                self.dialer.want(message.user, message.until_ms)
            case boundary.Peer():
                self._state(message)
            case boundary.VaultHello():  # the own device set was renewed
                self.dialer.local = self.door.local = local_identity(message, self.secrets)
            case _:
                raise BadFormat(f"the vault sent {type(message).__name__}, which only a gate says")

    def _state(self, message: boundary.Peer) -> None:
        stated = self.peers.state(message)
        for problem in stated.problems:
            self.port.send(boundary.Warn(code="BAD_RECORD", text=problem[:PROBLEM_CHARS], user=message.user))
        learnt = [record for record in stated.records if self.book.learn(message.user, record)]
        self.links.peer_changed(message.user)
        if learnt:
            self.dialer.news([message.user])
