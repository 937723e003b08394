"""Section 8: contact requests and answers, sealed to a device and bound to a link."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from tests.support.second_client.identity import Me, verify_by_device
from tests.support.second_client.link import Link
from tests.support.second_client.primitives import hkdf, hmac, pack, unpack

_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def request(me: Me, link: Link, nickname: str, note: str, now_ms: int) -> bytes:
    """Body of a REQUEST frame."""
    return _seal(me, link, pack("p2pchat/1/request", nickname, note, b"", now_ms))


def answer(me: Me, link: Link, nickname: str, *, reply: bool) -> bytes:
    """Body of an ANSWER frame, with the friend ticket."""
    ticket = hmac(hkdf(me.secret, b"p2pchat/1/friend-ticket"), link.peer.user)
    return _seal(me, link, pack("p2pchat/1/answer", True, reply, ticket, nickname, b"", b""))


def open_answer(me: Me, link: Link, sealed: bytes) -> list[Any]:
    """accepted, reply, ticket, nickname, addresses."""
    people = link.peer.user + me.shown.user + link.hash
    private = MLKEM768X25519PrivateKey(me.box_mlkem, me.box_x25519)
    body, signature = unpack(_HPKE.decrypt(sealed, private, b"p2pchat/1/request-box" + people), fields=2)
    verify_by_device(link.peer, link.device, signature, b"p2pchat/1/request-sig" + people + body)
    return unpack(body, label="p2pchat/1/answer", fields=6)


def _seal(me: Me, link: Link, body: bytes) -> bytes:
    people = me.shown.user + link.peer.user + link.hash
    inner = pack(body, me.sign.sign(b"p2pchat/1/request-sig" + people + body))
    _, _, _, box_x25519, box_mlkem, _, _ = link.peer.devices[link.device]
    public = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(box_mlkem), X25519PublicKey.from_public_bytes(box_x25519)
    )
    return _HPKE.encrypt(inner, public, b"p2pchat/1/request-box" + people)
