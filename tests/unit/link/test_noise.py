"""The engine against the vectors of cacophony and snow."""

import json
from pathlib import Path

import pytest

from p2pchat.errors import BadFormat, CryptoError
from p2pchat.link.noise import CipherState, HandshakeState, Keys
from p2pchat.link.noise_patterns import Token, pattern

VECTORS = Path(__file__).parents[2] / "vectors" / "noise_25519_chachapoly_sha256.json"
CASES = json.loads(VECTORS.read_text())["vectors"]


def side(case: dict, role: str) -> HandshakeState:
    def of(field: str) -> bytes | None:
        return bytes.fromhex(case[f"{role}_{field}"]) if case.get(f"{role}_{field}") else None

    psks = [bytes.fromhex(psk) for psk in case.get(f"{role}_psks", [])]
    ephemeral = of("ephemeral")
    assert ephemeral is not None
    keys = Keys(ephemeral=ephemeral, static=of("static"), remote_static=of("remote_static"), psks=psks)
    return HandshakeState(
        pattern(case["protocol_name"]), keys, initiator=role == "init", prologue=of("prologue") or b""
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['source']}-{case['protocol_name']}")
def test_published_vectors(case: dict) -> None:
    sides = side(case, "init"), side(case, "resp")
    messages = [(bytes.fromhex(m["payload"]), bytes.fromhex(m["ciphertext"])) for m in case["messages"]]
    turn = 0
    while not sides[0].complete:
        payload, expected = messages[turn]
        assert sides[turn % 2].write(payload) == expected
        assert sides[1 - turn % 2].read(expected) == payload
        turn += 1
    assert sides[1].complete
    assert sides[0].handshake_hash == sides[1].handshake_hash
    if "handshake_hash" in case:
        assert sides[0].handshake_hash.hex() == case["handshake_hash"]
    keys = sides[0].split()
    assert keys == sides[1].split()
    ciphers = [CipherState(key) for key in keys]
    for number in range(turn, len(messages)):
        payload, expected = messages[number]
        assert ciphers[number % 2].encrypt(b"", payload) == expected


def test_all_published_vectors_are_here() -> None:
    assert len(CASES) == 20
    assert {case["source"] for case in CASES} == {"cacophony", "snow"}


def test_modifiers_place_tokens() -> None:
    ours = pattern("Noise_XXpsk0+hfs_25519+MLKEM768_ChaChaPoly_SHA256")
    t = Token
    assert ours.messages == ((t.PSK, t.E, t.E1), (t.E, t.EE, t.EKEM1, t.S, t.ES), (t.S, t.SE))


@pytest.mark.parametrize(
    "name",
    ["Noise_ZZ_25519_ChaChaPoly_SHA256", "Noise_XX_448_ChaChaPoly_SHA256", "XX", ""],
)
def test_unknown_protocols_are_refused(name: str) -> None:
    with pytest.raises(BadFormat):
        pattern(name)


# The points of order 1, 2, 4 and 8 of Curve25519 and its twist (RFC 7748, section 7; https://cr.yp.to/ecdh.html).
LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


@pytest.mark.parametrize("point", LOW_ORDER)
def test_H029_low_order_points_end_the_handshake(point: str) -> None:
    nn = pattern("Noise_NN_25519_ChaChaPoly_SHA256")
    responder = HandshakeState(nn, Keys(ephemeral=b"\x07" * 32), initiator=False, prologue=b"")
    responder.read(bytes.fromhex(point))  # nothing is agreed yet
    with pytest.raises(CryptoError):
        responder.write(b"")


def test_messages_beyond_the_bound_are_refused() -> None:
    nn = pattern("Noise_NN_25519_ChaChaPoly_SHA256")
    responder = HandshakeState(nn, Keys(ephemeral=b"\x07" * 32), initiator=False, prologue=b"")
    with pytest.raises(BadFormat):
        responder.read(b"\x09" * 65536)


@pytest.mark.parametrize("length", [0, 31])
def test_a_message_shorter_than_its_keys_is_cut_short(length: int) -> None:
    nn = pattern("Noise_NN_25519_ChaChaPoly_SHA256")
    responder = HandshakeState(nn, Keys(ephemeral=b"\x07" * 32), initiator=False, prologue=b"")
    with pytest.raises(BadFormat, match="cut short"):
        responder.read(b"\x09" * length)


def test_a_payload_shorter_than_its_tag_is_cut_short() -> None:
    psk = pattern("Noise_NNpsk0_25519_ChaChaPoly_SHA256")
    responder = HandshakeState(psk, Keys(ephemeral=b"\x07" * 32, psks=(bytes(32),)), initiator=False, prologue=b"")
    with pytest.raises(BadFormat, match="cut short"):
        responder.read(b"\x09" * 32 + bytes(15))
