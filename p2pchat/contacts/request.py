"""Contact requests and answers, before the first epoch (protocol.md 8).

The bytes of a REQUEST or ANSWER frame are an HPKE box to the recipient device's box keys, so that the gate and a later
thief of link keys read nothing. Inside: Signed(body, Ed25519 of the sender's device over
``p2pchat/1/request-sig`` ‖ Q_from ‖ Q_to ‖ link hash ‖ body): it means nothing on another link or between other people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from p2pchat.errors import BadFormat
from p2pchat.ids import UserId
from p2pchat.keys.devices import DeviceKeys
from p2pchat.keys.hpke import OVERHEAD_BYTES, open_box
from p2pchat.keys.signatures import verify_ed25519
from p2pchat.limits import SEALED_REQUEST_BYTES
from p2pchat.wire.structs import ContactAnswer, ContactRequest, DeviceRecord, Signed

HpkeSeal = Callable[[bytes, bytes, bytes, bytes], bytes]  # env.CryptoDraws.hpke_seal
_SIGNATURE_LABEL: Final = b"p2pchat/1/request-sig"
_BOX_LABEL: Final = b"p2pchat/1/request-box"
Body = TypeVar("Body", ContactRequest, ContactAnswer)


@dataclass(frozen=True, slots=True)
class Between:
    """Whom a sealed body binds together: sender's ID, recipient's ID, and the link's handshake hash (32 bytes)."""

    sender: UserId
    recipient: UserId
    link_hash: bytes

    def context(self, label: bytes) -> bytes:
        return label + self.sender + self.recipient + self.link_hash


def seal_body(
    body: ContactRequest | ContactAnswer, between: Between, *, sender: DeviceKeys, to: DeviceRecord, hpke_seal: HpkeSeal
) -> bytes:
    """Body of a REQUEST or ANSWER frame. Raises BadFormat beyond 16 KiB."""
    raw = body.encode()
    signature = sender.sign.sign(between.context(_SIGNATURE_LABEL) + raw)
    inner = Signed(body=raw, signature=signature).encode()
    if len(inner) + OVERHEAD_BYTES > SEALED_REQUEST_BYTES:
        raise BadFormat(f"a sealed request has at most {SEALED_REQUEST_BYTES} bytes")
    return hpke_seal(to.box_mlkem768, to.box_x25519, inner, between.context(_BOX_LABEL))


def open_request(sealed: bytes, between: Between, *, recipient: DeviceKeys, sender: DeviceRecord) -> ContactRequest:
    """Raises BadFormat (size, shape), CryptoError (not sealed to us on this link), BadSignature."""
    return _open(ContactRequest, sealed, between, recipient, sender)


def open_answer(sealed: bytes, between: Between, *, recipient: DeviceKeys, sender: DeviceRecord) -> ContactAnswer:
    """Raises as ``open_request``."""
    return _open(ContactAnswer, sealed, between, recipient, sender)


def _open(kind: type[Body], sealed: bytes, between: Between, recipient: DeviceKeys, sender: DeviceRecord) -> Body:
    if len(sealed) > SEALED_REQUEST_BYTES:
        raise BadFormat(f"a sealed request has at most {SEALED_REQUEST_BYTES} bytes")
    signed = Signed.decode(open_box(sealed, recipient, between.context(_BOX_LABEL)))
    message = between.context(_SIGNATURE_LABEL) + signed.body
    verify_ed25519(sender.sign_ed25519, signed.signature, message, "contact request or answer")
    return kind.decode(signed.body)
