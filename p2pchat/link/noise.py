"""The Noise Protocol Framework, revision 34, driven by token lists: 25519, ChaChaPoly, SHA256.

A pattern is data; the engine knows tokens, not patterns, so the published vectors of NN, KK, XK, IK, XX and their psk
forms vouch for the one pattern that we use and that nobody publishes vectors for: XXpsk0+hfs with ML-KEM-768
(tokens ``e1`` and ``ekem1`` of the hybrid forward secrecy extension). No I/O and no randomness: keys are arguments.
"""

import hashlib
import hmac
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.errors import BadFormat, CryptoError
from p2pchat.link.noise_patterns import Pattern, Token

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
KEM_PUBLIC_BYTES: Final = 1184  # FIPS 203, ML-KEM-768
KEM_CIPHERTEXT_BYTES: Final = 1088
KEM_SEED_BYTES: Final = 64
MESSAGE_BYTES: Final = 65535  # section 3: no Noise message is longer

Encapsulate = Callable[[bytes], tuple[bytes, bytes]]  # ML-KEM public key -> (shared secret 32, ciphertext)


def hkdf(chaining_key: bytes, material: bytes, outputs: int) -> list[bytes]:
    """Section 4.3: two or three 32-byte outputs."""
    secret = hmac.digest(chaining_key, material, "sha256")
    blocks: list[bytes] = []
    for number in range(1, outputs + 1):
        blocks.append(hmac.digest(secret, (blocks[-1] if blocks else b"") + bytes([number]), "sha256"))
    return blocks


class CipherState:
    """Section 5.1: a key and a counter nonce; without a key, text passes through."""

    def __init__(self, key: bytes | None = None) -> None:
        self.key = key
        self._aead = ChaCha20Poly1305(key) if key else None
        self._nonce = 0

    def encrypt(self, associated: bytes, plaintext: bytes) -> bytes:
        return self._aead.encrypt(self._next_nonce(), plaintext, associated) if self._aead else plaintext

    def decrypt(self, associated: bytes, ciphertext: bytes) -> bytes:
        """Raises CryptoError; the state must not be used afterwards."""
        if self._aead is None:
            return ciphertext
        try:
            return self._aead.decrypt(self._next_nonce(), ciphertext, associated)
        except InvalidTag as error:
            raise CryptoError("a handshake message does not authenticate") from error

    def _next_nonce(self) -> bytes:
        nonce = struct.pack("<4xQ", self._nonce)
        self._nonce += 1
        return nonce


class SymmetricState:
    """Section 5.2: chaining key, transcript hash and the current cipher."""

    def __init__(self, protocol_name: bytes) -> None:
        self.hash = (
            protocol_name.ljust(KEY_BYTES, b"\0")
            if len(protocol_name) <= KEY_BYTES
            else hashlib.sha256(protocol_name).digest()
        )
        self._chaining_key = self.hash
        self._cipher = CipherState()

    @property
    def overhead(self) -> int:
        """Bytes that encryption adds at this point."""
        return TAG_BYTES if self._cipher.key else 0

    def mix_key(self, material: bytes) -> None:
        self._chaining_key, key = hkdf(self._chaining_key, material, 2)
        self._cipher = CipherState(key)

    def mix_hash(self, data: bytes) -> None:
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix_key_and_hash(self, material: bytes) -> None:
        self._chaining_key, mixed, key = hkdf(self._chaining_key, material, 3)
        self.mix_hash(mixed)
        self._cipher = CipherState(key)

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        ciphertext = self._cipher.encrypt(self.hash, plaintext)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        plaintext = self._cipher.decrypt(self.hash, ciphertext)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[bytes, bytes]:
        """Keys (initiator to responder, responder to initiator)."""
        first, second = hkdf(self._chaining_key, b"", 2)
        return first, second


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What one side brings along. Private keys are 32 raw bytes; leave out what the pattern does not need."""

    ephemeral: bytes  # private, fresh for this handshake
    static: bytes | None = None  # private
    remote_static: bytes | None = None  # public, known beforehand (K patterns)
    psks: Sequence[bytes] = ()  # in the order of the pattern's psk tokens
    kem_seed: bytes | None = None  # 64 fresh bytes, for the side that sends e1
    encapsulate: Encapsulate | None = None  # for the side that sends ekem1


class HandshakeState:
    """Section 5.3: ``write`` and ``read`` in turn until ``complete``; any error ends the handshake for good."""

    def __init__(self, pattern: Pattern, keys: Keys, *, initiator: bool, prologue: bytes) -> None:
        self._initiator = initiator
        self._pattern = pattern
        self._keys = keys
        self._ephemeral = X25519PrivateKey.from_private_bytes(keys.ephemeral)
        self._static = X25519PrivateKey.from_private_bytes(keys.static) if keys.static else None
        self._kem = MLKEM768PrivateKey.from_seed_bytes(keys.kem_seed) if keys.kem_seed else None
        self._psks = iter(keys.psks)
        self._remote_ephemeral: bytes | None = None
        self._remote_kem: bytes | None = None
        self.remote_static = keys.remote_static
        self._turn = 0
        self._symmetric = SymmetricState(pattern.protocol_name.encode())
        self._symmetric.mix_hash(prologue)
        for owner_initiates in (True, False):  # pre-messages: only s occurs
            if pattern.premessage(owner_initiates):
                mine = owner_initiates == initiator
                self._symmetric.mix_hash(self._public(self._static) if mine else self._their_static())

    @property
    def complete(self) -> bool:
        return self._turn == len(self._pattern.messages)

    @property
    def handshake_hash(self) -> bytes:
        """32 bytes that name this run; equal on both sides once complete."""
        return self._symmetric.hash

    def split(self) -> tuple[bytes, bytes]:
        """Keys (initiator to responder, responder to initiator), once complete."""
        assert self.complete
        return self._symmetric.split()

    def write(self, payload: bytes) -> bytes:
        """The next message, carrying ``payload``. Raises CryptoError where the peer's public key is of low order."""
        parts = [self._write_token(token) for token in self._tokens(sending=True)]
        parts.append(self._symmetric.encrypt_and_hash(payload))
        return b"".join(parts)

    def read(self, message: bytes) -> bytes:
        """The payload of the peer's next message. Raises BadFormat or CryptoError."""
        if len(message) > MESSAGE_BYTES:
            raise BadFormat("a handshake message is too long")
        rest = message
        for token in self._tokens(sending=False):
            rest = self._read_token(token, rest)
        if len(rest) < self._symmetric.overhead:
            raise BadFormat("a handshake message is cut short")
        return self._symmetric.decrypt_and_hash(rest)

    def _tokens(self, *, sending: bool) -> tuple[Token, ...]:
        assert not self.complete
        assert (self._turn % 2 == 0) == (self._initiator == sending), "it is the other side's turn"
        self._turn += 1
        return self._pattern.messages[self._turn - 1]

    def _write_token(self, token: Token) -> bytes:
        match token:
            case Token.E:
                public = self._public(self._ephemeral)
                self._mix_ephemeral(public)
                return public
            case Token.S:
                return self._symmetric.encrypt_and_hash(self._public(self._static))
            case Token.E1:
                assert self._kem is not None
                return self._symmetric.encrypt_and_hash(self._kem.public_key().public_bytes_raw())
            case Token.EKEM1:
                assert self._remote_kem is not None
                return self._encapsulate(self._remote_kem)
        self._mix(token)
        return b""

    def _read_token(self, token: Token, message: bytes) -> bytes:
        """Consume what ``token`` stands for; return the rest of the message."""
        match token:
            case Token.E:
                self._remote_ephemeral, rest = _take(message, KEY_BYTES)
                self._mix_ephemeral(self._remote_ephemeral)
                return rest
            case Token.S:
                self.remote_static, rest = self._take_sealed(message, KEY_BYTES)
                return rest
            case Token.E1:
                self._remote_kem, rest = self._take_sealed(message, KEM_PUBLIC_BYTES)
                return rest
            case Token.EKEM1:
                ciphertext, rest = self._take_sealed(message, KEM_CIPHERTEXT_BYTES)
                assert self._kem is not None
                self._symmetric.mix_key(self._kem.decapsulate(ciphertext))
                return rest
        self._mix(token)
        return message

    def _mix(self, token: Token) -> None:
        """The tokens that put no byte on the wire."""
        if token is Token.PSK:
            self._symmetric.mix_key_and_hash(next(self._psks))
            return
        # es and se name the initiator's key first.
        mine, theirs = token.value if self._initiator else token.value[::-1]
        private = self._ephemeral if mine == "e" else self._static
        public = self._remote_ephemeral if theirs == "e" else self.remote_static
        assert private is not None
        assert public is not None
        try:
            self._symmetric.mix_key(private.exchange(X25519PublicKey.from_public_bytes(public)))
        except ValueError as error:  # the all-zero result: a point of low order
            raise CryptoError("the peer's key is of low order") from error

    def _mix_ephemeral(self, public: bytes) -> None:
        self._symmetric.mix_hash(public)
        if self._pattern.uses_psk:  # section 9.2: so that a psk never meets the same key twice
            self._symmetric.mix_key(public)

    def _encapsulate(self, public: bytes) -> bytes:
        assert self._keys.encapsulate is not None
        try:
            secret, ciphertext = self._keys.encapsulate(public)
        except ValueError as error:
            raise CryptoError("the peer's ML-KEM key is not valid") from error
        sealed = self._symmetric.encrypt_and_hash(ciphertext)
        self._symmetric.mix_key(secret)
        return sealed

    def _take_sealed(self, message: bytes, length: int) -> tuple[bytes, bytes]:
        sealed, rest = _take(message, length + self._symmetric.overhead)
        return self._symmetric.decrypt_and_hash(sealed), rest

    def _their_static(self) -> bytes:
        assert self.remote_static is not None
        return self.remote_static

    @staticmethod
    def _public(private: X25519PrivateKey | None) -> bytes:
        assert private is not None
        return private.public_key().public_bytes_raw()


def _take(message: bytes, length: int) -> tuple[bytes, bytes]:
    if len(message) < length:
        raise BadFormat("a handshake message is cut short")
    return message[:length], message[length:]
