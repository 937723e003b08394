"""The ID: an Ed25519 public key Q = D0 + t·B that commits to genesis and RSA root (protocol.md 2.2).

D0 follows from the root's primes; t is a hash of D0 and the genesis, as in a Taproot tweak (BIP-341). So Q is a
working key, fit for blinding, and nobody finds a second genesis for it. s is its scalar: Q = s·B.
"""

from hashlib import sha512
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA512_256, Hash
from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)
from nacl.exceptions import CryptoError as SodiumError

from p2pchat.errors import CryptoError
from p2pchat.ids import UserId
from p2pchat.keys.kdf import hkdf

_GFP_LABEL: Final = b"p2pchat/1/gfp"
_TWEAK_LABEL: Final = b"p2pchat/1/id-tweak"
_DISCOVERY_LABEL: Final = b"p2pchat/1/discovery"


def genesis_fingerprint(genesis: bytes) -> bytes:
    """gfp: SHA-512/256 over the genesis body (its encoding without the signature), 32 bytes."""
    digest = Hash(SHA512_256())
    digest.update(_GFP_LABEL + genesis)
    return digest.finalize()


def discovery_scalar(root_secret: bytes) -> bytes:
    """d0, 32 bytes, from p ‖ q (``RootKey.secret``)."""
    return crypto_core_ed25519_scalar_reduce(hkdf(root_secret, _DISCOVERY_LABEL, length=64))


def public_point(scalar: bytes) -> bytes:
    """scalar·B, 32 bytes. Raises CryptoError for the scalar zero."""
    try:
        return crypto_scalarmult_ed25519_base_noclamp(scalar)
    except SodiumError as error:
        raise CryptoError("this scalar has no public key") from error


def user_id(discovery: bytes, genesis: bytes) -> UserId:
    """Q of a genesis body whose discovery key is D0. Raises CryptoError unless D0 and Q are prime-order points."""
    _check_point(discovery, "discovery key")
    user = crypto_core_ed25519_add(discovery, public_point(_tweak(discovery, genesis)))
    _check_point(user, "ID")
    return UserId(user)


def user_scalar(root_secret: bytes, genesis: bytes) -> bytes:
    """s = d0 + t, 32 bytes: the private half of the ID."""
    d0 = discovery_scalar(root_secret)
    return crypto_core_ed25519_scalar_add(d0, _tweak(public_point(d0), genesis))


def _tweak(discovery: bytes, genesis: bytes) -> bytes:
    return crypto_core_ed25519_scalar_reduce(sha512(_TWEAK_LABEL + discovery + genesis_fingerprint(genesis)).digest())


def _check_point(point: bytes, name: str) -> None:
    if not crypto_core_ed25519_is_valid_point(point):
        raise CryptoError(f"the {name} is no point of prime order")
