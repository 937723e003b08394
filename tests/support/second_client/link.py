"""Sections 5 to 7: the handshake of an initiator, records, frames, and a link over a carrier that blocks."""

import struct
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.support.second_client.carriers import Stream
from tests.support.second_client.identity import Me, Shown, check
from tests.support.second_client.primitives import hkdf, hmac, noise_hkdf, pack, sha256, unpack

OBJECTS, PING, PONG, CLOSE = 2, 12, 13, 14
_NAME = b"Noise_XXpsk0+hfs_25519+MLKEM768_ChaChaPoly_SHA256"
_SIZES = (256, 512, 1024, 2048, 4096, 8192, 12288, 16384)


class Initiator:
    """``message1``, then ``message3``; afterwards ``secrets``, ``link_hash``, ``peer`` and ``device`` hold."""

    def __init__(self, me: Me, peer: bytes, held: Shown | None, fresh: bytes) -> None:
        """``fresh``: X25519 private key 32, ML-KEM seed 64."""
        self.me, self.user, self.held = me, peer, held
        self.psk = hkdf(peer, b"p2pchat/1/link-psk")
        self.e = X25519PrivateKey.from_private_bytes(fresh[:32])
        self.kem = MLKEM768PrivateKey.from_seed_bytes(fresh[32:])
        self.h = self.ck = sha256(_NAME)
        self.mix_hash(b"p2pchat/1/link\2")

    def mix_hash(self, data: bytes) -> None:
        self.h = sha256(self.h, data)

    def mix_key(self, material: bytes) -> None:
        self.ck, self.key = noise_hkdf(self.ck, material, 2)
        self.n = 0

    def nonce(self) -> bytes:
        self.n += 1
        return struct.pack("<4xQ", self.n - 1)

    def seal(self, plaintext: bytes) -> bytes:
        ciphertext = ChaCha20Poly1305(self.key).encrypt(self.nonce(), plaintext, self.h)
        self.mix_hash(ciphertext)
        return ciphertext

    def open(self, ciphertext: bytes) -> bytes:
        plaintext = ChaCha20Poly1305(self.key).decrypt(self.nonce(), ciphertext, self.h)
        self.mix_hash(ciphertext)
        return plaintext

    def message1(self) -> bytes:
        self.ck, mixed, self.key = noise_hkdf(self.ck, self.psk, 3)
        self.mix_hash(mixed)
        e = self.e.public_key().public_bytes_raw()
        self.mix_hash(e)
        self.mix_key(e)
        sealed = self.seal(self.kem.public_key().public_bytes_raw())
        return e + sealed + self.seal(pack(1, self.held.set_hash[:8] if self.held else bytes(8)))

    def message3(self, message2: bytes) -> bytes:
        e, rest = message2[:32], message2[32:]
        self.mix_hash(e)
        self.mix_key(e)
        self.mix_key(self.e.exchange(X25519PublicKey.from_public_bytes(e)))
        self.mix_key(self.kem.decapsulate(self.open(rest[:1104])))
        static = self.open(rest[1104:1152])
        self.mix_key(self.e.exchange(X25519PublicKey.from_public_bytes(static)))
        self.check(static, unpack(self.open(rest[1152:]), fields=7))
        own = self.me.shown
        sealed = self.seal(self.me.link.public_key().public_bytes_raw())
        self.mix_key(self.me.link.exchange(X25519PublicKey.from_public_bytes(e)))
        message = sealed + self.seal(pack(own.user, self.me.device, own.head, own.set_hash))
        self.link_hash = self.h
        self.secrets = noise_hkdf(self.ck, b"", 2)  # to the responder, from the responder
        return message

    def check(self, static: bytes, payload: list[Any]) -> None:
        version, user, self.device, head, set_hash, key_log, device_set = payload
        shown = check(key_log, device_set) if key_log else self.held
        assert shown is not None and version == 1
        assert (shown.user, shown.head, shown.set_hash) == (self.user, head, set_hash) and user == self.user
        assert shown.devices[self.device][2] == static
        self.peer = shown


def unit_mask(psk: bytes, number: int, head: bytes) -> int:
    return int.from_bytes(hmac(psk, b"p2pchat/1/unit-length", bytes([number]), head)[:2])


def unit(message: bytes, psk: bytes, number: int) -> bytes:
    head = message[:32]
    return head + (len(message) ^ unit_mask(psk, number, head)).to_bytes(2) + message[32:]


class Records:
    """One direction of section 6."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.rekey()

    def rekey(self) -> None:
        self.secret, key, length_key = noise_hkdf(self.secret, b"p2pchat/1/record", 3)
        self.aead = ChaCha20Poly1305(key)
        self.stream = Cipher(algorithms.ChaCha20(length_key, bytes(16)), mode=None).encryptor()
        self.number = 0

    def nonce(self) -> bytes:
        self.number += 1
        return struct.pack("<4xQ", self.number - 1)

    def seal(self, content: bytes) -> bytes:
        """Records that carry these bytes of frames."""
        sealed = b""
        for at in range(0, len(content), _SIZES[-1] - 21):
            piece = content[at : at + _SIZES[-1] - 21]
            size = next(size for size in _SIZES if size >= len(piece) + 21)
            last = self.number == 999
            plaintext = (bytes([last]) + len(piece).to_bytes(2) + piece).ljust(size - 18, b"\0")
            masked = self.stream.update(size.to_bytes(2))
            sealed += masked + self.aead.encrypt(self.nonce(), plaintext, masked)
            if last:
                self.rekey()
        return sealed

    def open(self, masked: bytes, ciphertext: bytes) -> bytes:
        """The frame bytes of one record, whose size ``unmask`` told."""
        plaintext = self.aead.decrypt(self.nonce(), ciphertext, masked)
        used = int.from_bytes(plaintext[1:3])
        assert used and not plaintext[3 + used :].strip(b"\0")
        if plaintext[0] == 1:
            self.rekey()
        return plaintext[3 : 3 + used]

    def unmask(self, masked: bytes) -> int:
        size = int.from_bytes(self.stream.update(masked))
        assert size in _SIZES
        return size


def frame(kind: int, body: bytes) -> bytes:
    return b"SCHT\0\1" + len(body).to_bytes(4) + kind.to_bytes(2) + body


class Link:
    """An authenticated link. ``receive`` gives (type, body) of the next frame that is not the link's own."""

    def __init__(self, me: Me, peer: bytes, held: Shown | None, carrier: Stream, fresh: bytes) -> None:
        self.carrier = carrier
        hand = Initiator(me, peer, held, fresh)
        carrier.send(unit(hand.message1(), hand.psk, 1))
        carrier.send(unit(hand.message3(self._unit2(hand.psk)), hand.psk, 3))
        self.hash, self.peer, self.device = hand.link_hash, hand.peer, hand.device
        self.out, self.into = Records(hand.secrets[0]), Records(hand.secrets[1])
        self.stream, self.pongs = b"", list[bytes]()
        self._introduce(me)

    def _unit2(self, psk: bytes) -> bytes:
        head, masked = self.carrier.exactly(32), self.carrier.exactly(2)
        return head + self.carrier.exactly((int.from_bytes(masked) ^ unit_mask(psk, 2, head)) - 32)

    def _introduce(self, me: Me) -> None:
        while True:
            kind, body = self.receive()
            assert kind == OBJECTS
            step, *_ = unpack(body, fields=3)
            if step == 0:
                return
            assert step == 1
            self.send(OBJECTS, pack(2, me.shown.key_log, me.shown.device_set))

    def send(self, kind: int, body: bytes) -> None:
        self.carrier.send(self.out.seal(frame(kind, body)))

    def receive(self) -> tuple[int, bytes]:
        while True:
            header = self._frame_bytes(12)
            assert header[:6] == b"SCHT\0\1"
            kind, body = int.from_bytes(header[10:]), self._frame_bytes(int.from_bytes(header[6:10]))
            if kind == PING:
                self.send(PONG, body)
            elif kind == PONG:
                self.pongs.append(body)
                return kind, body
            elif kind == CLOSE:
                raise ConnectionError(f"closed for reason {unpack(body, fields=2)[0]}")
            else:
                return kind, body

    def close(self) -> None:
        self.send(CLOSE, pack(6, ""))
        self.carrier.close()

    def _frame_bytes(self, count: int) -> bytes:
        while len(self.stream) < count:
            masked = self.carrier.exactly(2)
            self.stream += self.into.open(masked, self.carrier.exactly(self.into.unmask(masked) - 2))
        taken, self.stream = self.stream[:count], self.stream[count:]
        return taken
