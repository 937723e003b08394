import struct
from hashlib import sha256
from typing import Any

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_pwhash_alg
from nacl.bindings import crypto_pwhash_ALG_ARGON2ID13 as ARGON2ID13

from p2pchat.errors import Corrupt, DongleMissing, Failed, P2PChatError, Usage, WrongPassword
from p2pchat.keys import seal as seal_module
from p2pchat.keys.seal import FRESH_BYTES, LIGHT, SECRET_BYTES, STANDARD, Cost, normalise_password, open_sealed, seal

SECRET, PASSWORD, FRESH = bytes(range(32)), "pässword".encode(), bytes(range(100, 100 + FRESH_BYTES))
SEALED = seal(SECRET, PASSWORD, fresh=FRESH, cost=LIGHT)
VERSION_AT, FACTORS_AT, KDF_AT, MEMORY_AT, PASSES_AT, LANES_AT, COMMITMENT_AT = 4, 5, 6, 7, 11, 15, 56


def _with(at: int, new: bytes) -> bytes:
    """SEALED with some bytes replaced and its checksum made right again."""
    body = bytearray(SEALED[:-8])
    body[at : at + len(new)] = new
    return bytes(body) + sha256(body).digest()[:8]


@pytest.fixture
def no_stretching(monkeypatch: pytest.MonkeyPatch) -> None:
    def stretch(*_: object) -> tuple[bytes, bytes]:
        raise AssertionError("Argon2id ran")

    monkeypatch.setattr(seal_module, "_stretch", stretch)


def test_a_secret_survives() -> None:
    assert open_sealed(SEALED, PASSWORD) == SECRET


def test_the_layout_is_what_the_docstring_says() -> None:
    """Opened by hand, with libsodium's own Argon2id."""
    magic, version, factors, kdf, memory, passes, lanes = struct.unpack(">4sBBBIIB", SEALED[:16])
    assert (magic, version, factors, kdf, memory, passes, lanes) == (b"P2PU", 1, 1, 1, 64 * 1024, 1, 1)
    salt, nonce, commitment, (length,) = SEALED[16:32], SEALED[32:56], SEALED[56:88], struct.unpack(">H", SEALED[88:90])
    assert salt + nonce == FRESH
    out = crypto_pwhash_alg(64, PASSWORD, salt, passes, memory * 1024, ARGON2ID13)
    assert commitment == out[32:]
    assert length == len(SECRET)
    opened = crypto_aead_xchacha20poly1305_ietf_decrypt(SEALED[90:-8], SEALED[:90], nonce, out[:32])
    assert opened == SECRET
    assert SEALED[-8:] == sha256(SEALED[:-8]).digest()[:8]


@pytest.mark.parametrize("password", [b"password", b"", b"\xff\xfe", b"x" * 2000])
def test_a_wrong_password_is_told_from_damage(password: bytes) -> None:
    with pytest.raises(WrongPassword) as caught:
        open_sealed(SEALED, password)
    assert caught.value.exit_status == 4


def test_every_flipped_bit_is_damage(no_stretching: None) -> None:
    for at in range(len(SEALED)):
        for bit in range(8):
            wrong = SEALED[:at] + bytes([SEALED[at] ^ 1 << bit]) + SEALED[at + 1 :]
            with pytest.raises(Corrupt, match="damaged"):
                open_sealed(wrong, PASSWORD)


def test_every_truncation_and_any_tail_is_damage(no_stretching: None) -> None:
    for wrong in [SEALED[:size] for size in range(len(SEALED))] + [SEALED + b"\0", SEALED + bytes(9000)]:
        with pytest.raises(Corrupt, match="damaged"):
            open_sealed(wrong, PASSWORD)


def test_no_container_is_longer_than_its_longest_secret(no_stretching: None) -> None:
    with pytest.raises(Corrupt, match="too long"):
        open_sealed(SEALED + bytes(SECRET_BYTES), PASSWORD)
    with pytest.raises(AssertionError):
        seal(bytes(SECRET_BYTES + 1), PASSWORD, fresh=FRESH, cost=LIGHT)


@pytest.mark.parametrize(
    ("at", "new"),
    [
        (MEMORY_AT, struct.pack(">I", 64 * 1024 - 1)),
        (MEMORY_AT, struct.pack(">I", 2 * 1024 * 1024 + 1)),
        (MEMORY_AT, b"\xff" * 4),
        (PASSES_AT, struct.pack(">I", 0)),
        (PASSES_AT, struct.pack(">I", 11)),
        (LANES_AT, b"\0"),
        (LANES_AT, b"\x11"),
    ],
)
def test_h064_costs_out_of_bounds_are_never_paid(no_stretching: None, at: int, new: bytes) -> None:
    with pytest.raises(Corrupt, match="out of bounds"):
        open_sealed(_with(at, new), PASSWORD)


@pytest.mark.parametrize(
    ("at", "new", "error"),
    [
        (VERSION_AT, b"\2", Failed),
        (KDF_AT, b"\2", Failed),
        (FACTORS_AT, b"\2", DongleMissing),
        (FACTORS_AT, b"\3", DongleMissing),
        (FACTORS_AT, b"\0", Failed),
        (FACTORS_AT, b"\5", Failed),
        (FACTORS_AT, b"\x80", Failed),
        (88, b"\0\1", Corrupt),
    ],
)
def test_other_headers_are_refused_before_argon2id(
    no_stretching: None, at: int, new: bytes, error: type[P2PChatError]
) -> None:
    with pytest.raises(error):
        open_sealed(_with(at, new), PASSWORD)


def test_the_commitment_is_compared_before_anything_is_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_module, "_open", lambda *_: pytest.fail("decrypted"))
    with pytest.raises(WrongPassword):
        open_sealed(_with(COMMITMENT_AT, bytes(32)), PASSWORD)


@pytest.mark.parametrize("at", [32, 90, len(SEALED) - 9])  # nonce, ciphertext, tag
def test_forged_content_under_a_right_checksum_is_damage(at: int) -> None:
    with pytest.raises(Corrupt, match="altered"):
        open_sealed(_with(at, bytes([SEALED[at] ^ 1])), PASSWORD)


def test_no_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, **_: object) -> None:
            raise MemoryError

    monkeypatch.setattr(seal_module, "Argon2id", Full)
    with pytest.raises(Failed, match="needs 64 MiB"):
        open_sealed(SEALED, PASSWORD)


def test_passwords_are_normalised() -> None:
    assert normalise_password("pa\u0308ssword".encode()) == PASSWORD
    assert normalise_password("ﬁ".encode()) == b"fi"


@pytest.mark.parametrize("password", [b"", b"\xff", b"x" * 1025])
def test_a_password_is_text_of_sensible_length(password: bytes) -> None:
    with pytest.raises(Usage):
        normalise_password(password)
    with pytest.raises(Usage):
        seal(SECRET, password, fresh=FRESH, cost=LIGHT)


def test_costs_that_a_reader_would_refuse_are_never_written() -> None:
    assert STANDARD.bounded()
    with pytest.raises(AssertionError):
        seal(SECRET, PASSWORD, fresh=FRESH, cost=Cost(memory_kib=1024, passes=1, lanes=1))


DONGLE = bytes(range(32))


@pytest.mark.parametrize("password", [PASSWORD, b""], ids=["both", "the dongle alone"])
def test_H063_a_wrong_password_and_a_wrong_dongle_look_alike(monkeypatch: pytest.MonkeyPatch, password: bytes) -> None:
    sealed = seal(SECRET, password, dongle=DONGLE, fresh=FRESH, cost=LIGHT)
    assert open_sealed(sealed, password, dongle=DONGLE) == SECRET
    costs: list[tuple[object, ...]] = []
    real = seal_module.Argon2id

    def noted(**asked: Any) -> Any:
        costs.append((asked["memory_cost"], asked["iterations"], asked["lanes"], len(asked["secret"])))
        return real(**asked)

    monkeypatch.setattr(seal_module, "Argon2id", noted)
    wrong = [(password, bytes(32))] + ([(b"another", DONGLE), (b"another", bytes(32))] if password else [])
    said = set()
    for tried, answered in wrong:
        with pytest.raises(WrongPassword) as refusal:
            open_sealed(sealed, tried, dongle=answered)
        said.add((refusal.value.message, refusal.value.hint, refusal.value.exit_status))
    assert len(said) == 1 and len(set(costs)) == 1 and len(costs) == len(wrong)
    with pytest.raises(DongleMissing, match="opens with a dongle"):
        open_sealed(sealed, password)


def test_what_a_container_does_not_ask_for_is_not_looked_at() -> None:
    assert open_sealed(SEALED, PASSWORD, dongle=DONGLE) == SECRET
    alone = seal(SECRET, b"", dongle=DONGLE, fresh=FRESH, cost=LIGHT)
    assert open_sealed(alone, b"whatever \xff", dongle=DONGLE) == SECRET
    assert {seal_module.parse(each, seal_module.UNLOCK).factors for each in (SEALED, alone)} == {1, 2}
