import pytest

from p2pchat.errors import BadSignature, CryptoError
from p2pchat.keys.root import SALT_BYTES, RootKey, RootPublic
from p2pchat.limits import RSA_BYTES
from tests.support.identities import stored_root

ROOT = stored_root(0)
LABEL = b"p2pchat/1/test"


def test_a_signature_verifies_and_covers_every_byte() -> None:
    signature = ROOT.sign(b"body")
    assert len(signature) == RSA_BYTES
    ROOT.public.verify(signature, b"body")
    for wrong in (signature[:-1] + bytes([signature[-1] ^ 1]), signature[:-1], b""):
        with pytest.raises(BadSignature):
            ROOT.public.verify(wrong, b"body")
    with pytest.raises(BadSignature):
        ROOT.public.verify(signature, b"bodY")
    with pytest.raises(BadSignature):
        stored_root(1).public.verify(signature, b"body")


def test_a_salt_of_another_length_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
    from cryptography.hazmat.primitives.hashes import SHA512

    other = ROOT._key.sign(b"body", PSS(MGF1(SHA512()), SALT_BYTES // 2), SHA512())
    with pytest.raises(BadSignature):
        ROOT.public.verify(other, b"body")


def test_oaep_opens_what_was_sealed_under_the_same_label() -> None:
    sealed = ROOT.public.oaep_seal(b"secret", LABEL)
    assert len(sealed) == RSA_BYTES
    assert ROOT.oaep_open(sealed, LABEL) == b"secret"


@pytest.mark.parametrize("spoil", ["label", "length", "bit", "zero", "key", "too big"])
def test_every_wrong_oaep_ciphertext_gives_one_error(spoil: str) -> None:
    sealed = ROOT.public.oaep_seal(b"secret", LABEL)
    key, label = ROOT, LABEL
    match spoil:
        case "label":
            label = b"p2pchat/1/other"
        case "length":
            sealed = sealed[:-1]
        case "bit":
            sealed = sealed[:500] + bytes([sealed[500] ^ 4]) + sealed[501:]
        case "zero":
            sealed = bytes(RSA_BYTES)
        case "key":
            key = stored_root(1)
        case "too big":
            sealed = b"\xff" * RSA_BYTES
    with pytest.raises(CryptoError, match=r"^this was not encrypted to our root key$"):
        key.oaep_open(sealed, label)


def test_the_order_of_the_primes_does_not_matter() -> None:
    swapped = RootKey.from_primes(ROOT.q, ROOT.p)
    assert (swapped.p, swapped.q, swapped.secret) == (ROOT.p, ROOT.q, ROOT.p + ROOT.q)
    assert ROOT.p > ROOT.q


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (ROOT.p, ROOT.p),  # a square
        (ROOT.p, ROOT.q[256:]),  # too few bits
        (ROOT.p, bytes(512)),
        (ROOT.p + ROOT.p, ROOT.q),
        (ROOT.p, (int.from_bytes(ROOT.q) - 1).to_bytes(512)),  # even
        (ROOT.p, b"\xff" * 513),
        (b"", b""),
    ],
)
def test_numbers_that_make_no_key_are_refused(p: bytes, q: bytes) -> None:
    with pytest.raises(CryptoError):
        RootKey.from_primes(p, q)


@pytest.mark.parametrize(
    "modulus",
    [
        ROOT.modulus[1:],
        b"\0" + ROOT.modulus[:-1],  # 8192 bits wide, not long
        ROOT.modulus + b"\1",
        bytes([0x7F]) + ROOT.modulus[1:],
        ROOT.modulus[:-1] + b"\0",  # even
        b"",
    ],
)
def test_a_modulus_has_exactly_8192_bits_and_is_odd(modulus: bytes) -> None:
    with pytest.raises(CryptoError):
        RootPublic.from_modulus(modulus)


def test_roots_are_equal_by_modulus_and_named_by_their_spki() -> None:
    assert RootPublic.from_modulus(ROOT.modulus) == ROOT.public != stored_root(1).public
    assert len(ROOT.public.spki()) == 1062
    assert len(bytes.fromhex(ROOT.public.fingerprint)) == 32
    assert len(bytes.fromhex(ROOT.public.pubkey_md5)) == 16


def test_a_root_key_shows_no_secret() -> None:
    assert ROOT.p.hex()[:16] not in repr(ROOT) and str(int.from_bytes(ROOT.p))[:16] not in repr(ROOT)
