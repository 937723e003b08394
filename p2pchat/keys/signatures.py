"""Signatures of small keys: Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204). The root's RSA has a module of its own."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from p2pchat.errors import BadSignature


def verify_ed25519(public: bytes, signature: bytes, message: bytes, what: str) -> None:
    """Raises BadSignature, naming ``what`` is not signed by its device."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(f"the {what} is not signed by the device that it names") from error


def verify_mldsa65(public: bytes, signature: bytes, message: bytes) -> None:
    """Raises BadSignature."""
    try:
        MLDSA65PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("the recovery key did not sign this") from error
