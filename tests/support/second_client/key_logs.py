"""Section 3.3 to 3.5: logs of more than one entry, how two of them stand to each other, and what gives up an ID."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl import bindings as sodium

from tests.support.second_client.identity import times_base, tweak
from tests.support.second_client.primitives import hkdf, sha256, unpack

_PSS = PSS(MGF1(SHA512()), 64)


@dataclass(frozen=True)
class Log:
    user: bytes
    roots: tuple[RSAPublicKey, ...]  # of every entry
    hashes: tuple[bytes, ...]
    recovers: tuple[bool, ...]

    @property
    def fingerprint(self) -> str:
        return sha256(self.roots[-1].public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hex()

    def stands_to(self, known: "Log") -> str:
        common = 0
        while common < min(len(self.hashes), len(known.hashes)) and self.hashes[common] == known.hashes[common]:
            common += 1
        mine, theirs = self.recovers[common:], known.recovers[common:]
        if not mine and not theirs:
            return "same"
        if not mine or not theirs or any(mine) != any(theirs):
            return "newer" if mine and (not theirs or any(mine)) else "older"
        return "forked"


def read_log(raw: bytes) -> Log:
    (entries,) = unpack(raw, label="p2pchat/1/key-log", fields=1)
    body, signature = unpack(entries[0], fields=2)
    modulus, discovery, commitment, _, _ = unpack(body, label="p2pchat/1/genesis", fields=5)
    roots = [_root(modulus)]
    roots[0].verify(signature, body, _PSS, SHA512())
    user = sodium.crypto_core_ed25519_add(discovery, times_base(tweak(discovery, body)))
    hashes, recovered = [sha256(body)], [False]
    for entry in entries[1:]:
        body, signature = unpack(entry, fields=2)
        recovers = body[2 : 2 + len("p2pchat/1/recover")] == b"p2pchat/1/recover"
        if recovers:
            statement, by_new, ed25519, mldsa65, by_mldsa65 = unpack(body, label="p2pchat/1/recover", fields=5)
            assert sha256(ed25519, mldsa65) == commitment
            Ed25519PublicKey.from_public_bytes(ed25519).verify(signature, body)
            MLDSA65PublicKey.from_public_bytes(mldsa65).verify(by_mldsa65, statement)
        else:
            statement, by_new = unpack(body, label="p2pchat/1/rotate", fields=2)
            roots[-1].verify(signature, body, _PSS, SHA512())
        owner, prev, says_so, modulus, _, _ = unpack(statement, label="p2pchat/1/new-root", fields=6)
        assert (owner, prev, says_so) == (user, hashes[-1], recovers)
        roots.append(_root(modulus))
        roots[-1].verify(by_new, statement, _PSS, SHA512())
        hashes.append(sha256(body))
        recovered.append(recovers)
    return Log(user, tuple(roots), tuple(hashes), tuple(recovered))


def recovery_publics(seed: bytes) -> tuple[bytes, bytes]:
    """Ed25519 and ML-DSA-65."""
    one = Ed25519PrivateKey.from_private_bytes(hkdf(seed, b"p2pchat/1/recovery/ed25519"))
    other = MLDSA65PrivateKey.from_seed_bytes(hkdf(seed, b"p2pchat/1/recovery/mldsa65"))
    return one.public_key().public_bytes_raw(), other.public_key().public_bytes_raw()


def read_succession(raw: bytes, pinned: Log) -> bytes:
    """The successor's ID, if a root of the ID that is pinned signed it."""
    statement, key_log, _ = unpack(raw, label="p2pchat/1/succession", fields=3)
    body, signature = unpack(statement, fields=2)
    user, successor, _ = unpack(body, label="p2pchat/1/successor", fields=3)
    shown = read_log(key_log) if key_log else pinned
    assert user == shown.user == pinned.user
    for root in (*pinned.roots, *shown.roots):
        try:
            root.verify(signature, body, _PSS, SHA512())
        except Exception:  # noqa: BLE001 - another root may have
            continue
        return bytes(successor)
    raise AssertionError("nobody of that ID signed it")


def _root(modulus: bytes) -> RSAPublicKey:
    assert int.from_bytes(modulus).bit_length() == 8192
    return RSAPublicNumbers(65537, int.from_bytes(modulus)).public_key()
