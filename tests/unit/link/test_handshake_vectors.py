"""The frozen vectors of our own handshake: if one of them changes, the protocol's version must change too."""

import json
from pathlib import Path

import pytest

from p2pchat.ids import DeviceId, UserId
from p2pchat.link.credentials import Local
from p2pchat.link.framing import UnitReader, wrap
from p2pchat.link.handshake import PATTERN, PROLOGUE, Initiator, Responder, link_psk
from p2pchat.link.records import Opener, Sealer
from p2pchat.wire.frames import Frame

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "handshake_v1.json").read_text())


def party(name: str) -> Local:
    raw = {field: bytes.fromhex(value) for field, value in VECTORS[name].items()}
    local = Local.read(raw["key_log"], raw["device_set"], DeviceId(raw["device"]), raw["link_private"])
    assert local.user == raw["user"]
    return local


def test_names() -> None:
    assert VECTORS["protocol"] == PATTERN.protocol_name
    assert bytes.fromhex(VECTORS["prologue"]) == PROLOGUE


@pytest.mark.parametrize("run", VECTORS["runs"], ids=lambda run: run["name"])
def test_handshake_vectors(run: dict) -> None:
    value = {key: bytes.fromhex(text) for key, text in run.items() if isinstance(text, str) and key != "name"}
    own, peer = party("initiator"), party("responder")
    held = peer.credentials if run["initiator_holds_the_responders_credentials"] else None
    one = Initiator(own, peer.user, held, fresh=value["initiator_ephemeral"] + value["initiator_mlkem_seed"])
    other = Responder(
        peer,
        fresh=value["responder_ephemeral"],
        encapsulate=lambda _: (value["mlkem_shared_secret"], value["mlkem_ciphertext"]),
    )
    first, second, third = (bytes.fromhex(message) for message in run["messages"])
    assert one.start() == first
    other.open(first)
    assert other.answer() == second
    assert one.finish(second, now_ms=VECTORS["now_ms"]) == third
    other.finish(third)
    for keyed in (one.keyed, other.keyed):
        assert keyed.handshake_hash == value["handshake_hash"]
    assert one.keyed.send == other.keyed.receive == value["secret_initiator_to_responder"]
    assert one.keyed.receive == other.keyed.send == value["secret_responder_to_initiator"]
    frames = [Frame(f["type"], bytes.fromhex(f["body"])) for f in VECTORS["frames_of_the_first_records"]]
    for secret, record in (
        (one.keyed.send, value["first_record_initiator_to_responder"]),
        (other.keyed.send, value["first_record_responder_to_initiator"]),
    ):
        assert Sealer(secret, now_s=0.0).seal(frames, now_s=0.0) == record
        assert Opener(secret).feed(record) == frames


@pytest.mark.parametrize("run", VECTORS["runs"], ids=lambda run: run["name"])
def test_unit_vectors(run: dict) -> None:
    psk = link_psk(UserId(bytes.fromhex(VECTORS["responder"]["user"])))
    assert psk.hex() == run["psk"]
    for number, (message, unit) in enumerate(zip(run["messages"], run["units"], strict=True), 1):
        assert wrap(bytes.fromhex(message), psk, number).hex() == unit
        reader = UnitReader(psk, number, limit=48 * 1024)
        got = [reader.feed(bytes([byte])) for byte in bytes.fromhex(unit)]
        assert got[:-1] == [None] * (len(got) - 1)
        assert got[-1] == bytes.fromhex(message)
        assert reader.rest == b""
