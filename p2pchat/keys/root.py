"""The root of an identity: RSA-8192, e = 65537. It signs (PSS) and receives (OAEP); nothing else is asked of it.

The private operation takes about 30 ms and generation 5-11 s of a core, so callers run both in ``env.work`` or in a
process of their own. Source of the parameters: RFC 8017; sizes in protocol.md 2.1.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PSS
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from p2pchat.errors import BadSignature, CryptoError
from p2pchat.limits import RSA_BITS, RSA_BYTES, RSA_EXPONENT
from p2pchat.wire.checksum import md5

PRIME_BYTES: Final = RSA_BYTES // 2
SALT_BYTES: Final = 64
_PSS: Final = PSS(MGF1(SHA512()), SALT_BYTES)


def oaep(label: bytes) -> OAEP:
    """RSAES-OAEP with SHA-256 in both places, under ``label``."""
    return OAEP(MGF1(SHA256()), SHA256(), label)


@dataclass(frozen=True, slots=True)
class RootPublic:
    """A root's public half. Build it with ``from_modulus``, which checks what can be checked without its factors."""

    modulus: bytes  # 1024, big-endian
    _key: rsa.RSAPublicKey = field(repr=False, compare=False)

    @classmethod
    def from_modulus(cls, modulus: bytes) -> Self:
        """Raises CryptoError unless ``modulus`` is an odd number of exactly 8192 bits; e is always 65537."""
        number = int.from_bytes(modulus)
        if len(modulus) != RSA_BYTES or number.bit_length() != RSA_BITS:
            raise CryptoError(f"a root key has exactly {RSA_BITS} bits")
        if number % 2 == 0:
            raise CryptoError("an even number is no RSA modulus")
        return cls(modulus, rsa.RSAPublicNumbers(RSA_EXPONENT, number).public_key())

    def verify(self, signature: bytes, body: bytes) -> None:
        """PSS-SHA-512 with a salt of 64 bytes. Raises BadSignature."""
        try:
            self._key.verify(signature, body, _PSS, SHA512())
        except InvalidSignature as error:
            raise BadSignature("the root key did not sign this") from error

    def oaep_seal(self, plaintext: bytes, label: bytes) -> bytes:
        """1024 bytes that only this root opens. Draws randomness: shells call it through ``env.crypto``."""
        return self._key.encrypt(plaintext, oaep(label))

    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER, 1062 bytes."""
        return self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def spki_hash(self) -> bytes:
        """SHA-256 of the SPKI, 32 bytes."""
        return sha256(self.spki()).digest()

    @property
    def fingerprint(self) -> str:
        """``spki_hash`` in hex, as ``whoami`` prints it."""
        return self.spki_hash.hex()

    @property
    def pubkey_md5(self) -> str:
        """MD5 of the SPKI in hex: shown to notice damage, deciding nothing."""
        return md5(self.spki()).hex()


class RootKey:
    """A root's private half. Its methods are slow (30 ms); see the module's docstring."""

    __slots__ = ("_key", "p", "public", "q")

    def __init__(self, p: bytes, q: bytes, key: rsa.RSAPrivateKey, public: RootPublic) -> None:
        self.p: Final = p  # 512 bytes, the greater prime
        self.q: Final = q
        self.public: Final = public
        self._key: Final = key

    @classmethod
    def from_primes(cls, p: bytes, q: bytes) -> Self:
        """Recompute the whole key from its two primes (512 bytes each, either order), in about a millisecond.

        The library's own validation would hold the whole interpreter for 3 s; it is skipped. That is sound only for
        primes that our own AEAD has authenticated, or that were generated here: never pass a stranger's.
        Raises CryptoError where the two numbers make no RSA-8192 key.
        """
        big, small = sorted((int.from_bytes(p), int.from_bytes(q)), reverse=True)
        try:
            public = RootPublic.from_modulus((big * small).to_bytes(RSA_BYTES))
            d = pow(RSA_EXPONENT, -1, (big - 1) * (small - 1))
            key = rsa.RSAPrivateNumbers(
                big, small, d, d % (big - 1), d % (small - 1), pow(small, -1, big),
                rsa.RSAPublicNumbers(RSA_EXPONENT, big * small),
            ).private_key(unsafe_skip_rsa_key_validation=True)  # fmt: skip
            return cls(big.to_bytes(PRIME_BYTES), small.to_bytes(PRIME_BYTES), key, public)
        except (ValueError, OverflowError) as error:
            raise CryptoError("these two numbers make no RSA-8192 key") from error

    @property
    def modulus(self) -> bytes:
        return self.public.modulus

    @property
    def secret(self) -> bytes:
        """p ‖ q, the greater first, 1024 bytes: what other secrets of the identity are derived from."""
        return self.p + self.q

    def sign(self, body: bytes) -> bytes:
        """1024 bytes, PSS-SHA-512. ``body`` carries its own label and the user's ID, so it means one thing only."""
        return self._key.sign(body, _PSS, SHA512())

    def oaep_open(self, ciphertext: bytes, label: bytes) -> bytes:
        """The plaintext. Raises CryptoError on whatever is wrong, always the same one.

        A caller that answers a peer must not let it show (implicit rejection, protocol.md 9.2).
        """
        try:
            return self._key.decrypt(ciphertext, oaep(label))
        except ValueError as error:
            raise CryptoError("this was not encrypted to our root key") from error


def generate() -> RootKey:
    """A new root. Blocks a core for 5-11 s; other threads run meanwhile."""
    numbers = rsa.generate_private_key(RSA_EXPONENT, RSA_BITS).private_numbers()
    return RootKey.from_primes(numbers.p.to_bytes(PRIME_BYTES), numbers.q.to_bytes(PRIME_BYTES))
