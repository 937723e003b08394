"""The key schedule, against frozen vectors and against the formulas of protocol.md 9.2 written out once more."""

import json
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from p2pchat.channel import ctl, envelope, epoch, message_leg
from p2pchat.channel.epoch import Ephemeral, Mode, Secrets
from p2pchat.channel.parties import Parties, Party
from p2pchat.channel.ratchet import Chain
from p2pchat.errors import BadFormat
from p2pchat.ids import DeviceId, EpochId, UserId
from p2pchat.wire.structs import Ctl

VECTORS: Final = json.loads((Path(__file__).parents[2] / "vectors" / "channel_v1.json").read_text())


def vector(name: str) -> dict[str, bytes]:
    return {key: bytes.fromhex(value) for key, value in VECTORS[name].items()}


def sha256(data: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(data)
    return digest.finalize()


def end(v: dict[str, bytes], side: str) -> Party:
    return Party(
        user=UserId(v[f"q_{side}"]),
        device=DeviceId(v[f"device_{side}"]),
        head=v[f"head_{side}"],
        set_hash=v[f"set_{side}"],
        modulus=b"",
        spki_hash=v[f"spki_{side}"],
    )


def parties(v: dict[str, bytes]) -> Parties:
    return Parties(own=end(v, "hi"), peer=end(v, "lo"))


@pytest.mark.parametrize("name", ["epoch_reset", "epoch_next"])
def test_the_transcript_is_frozen(name: str) -> None:
    v = vector(name)
    mode, number = Mode(v["mode"][0]), int.from_bytes(v["number"])
    th = epoch.transcript(parties(v), mode, number, v["link_hash"], v["offer"], v["accept_core"])
    assert th == v["th"]
    order = "mode number q_lo q_hi device_lo device_hi head_lo head_hi set_lo set_hi link_hash offer accept_core"
    items = [b"\x01", *(v[item] for item in order.split())]
    assert th == sha256(b"p2pchat/1/epoch" + b"".join(len(item).to_bytes(4) + item for item in items))


@pytest.mark.parametrize("name", ["epoch_reset", "epoch_next"])
def test_the_schedule_is_frozen(name: str) -> None:
    v = vector(name)
    secrets = Secrets(x25519=v["x25519"], mlkem=v["mlkem"], r_lo=v["r_lo"], r_hi=v["r_hi"])
    keys = epoch.schedule(v["salt"], secrets, v["th"])
    got = {"id": keys.id, "next": keys.next_salt, "mac_offer": keys.mac_offer, "mac_accept": keys.mac_accept}
    got |= {"chain_lohi": keys.chain_lohi, "chain_hilo": keys.chain_hilo}
    got |= {"ctl_lohi": keys.ctl_lohi, "ctl_hilo": keys.ctl_hilo}
    assert got == {key: v[key] for key in got}

    def expand(label: str) -> bytes:
        ikm = v["x25519"] + v["mlkem"] + v["r_lo"] + v["r_hi"]
        return HKDF(SHA256(), 32, v["salt"], b"p2pchat/1/" + label.encode() + v["th"]).derive(ikm)

    assert keys.chain_lohi == expand("chain-lohi")
    assert keys.chain_hilo == expand("chain-hilo")
    assert keys.ctl_lohi == expand("ctl-lohi")
    assert keys.ctl_hilo == expand("ctl-hilo")
    assert keys.next_salt == expand("next")
    assert keys.id == expand("epoch-id")[:8]
    mac = HMAC(expand("confirm-accept"), SHA256())
    mac.update(v["th"])
    assert keys.mac_accept == mac.finalize()
    mac = HMAC(expand("confirm-offer"), SHA256())
    mac.update(v["th"])
    assert keys.mac_offer == mac.finalize()


def test_every_input_changes_every_key() -> None:
    v = vector("epoch_next")
    names = ("x25519", "mlkem", "r_lo", "r_hi")
    schedules = [epoch.schedule(v["salt"], Secrets(**{name: v[name] for name in names}), v["th"])]
    for changed in names:
        inputs = {name: bytes(32) if name == changed else v[name] for name in names}
        schedules.append(epoch.schedule(v["salt"], Secrets(**inputs), v["th"]))
    schedules.append(epoch.schedule(epoch.NO_SALT, Secrets(**{name: v[name] for name in names}), v["th"]))
    schedules.append(epoch.schedule(v["salt"], Secrets(**{name: v[name] for name in names}), bytes(32)))
    for field in ("id", "chain_lohi", "chain_hilo", "ctl_lohi", "ctl_hilo", "mac_offer", "mac_accept", "next_salt"):
        assert len({getattr(one, field) for one in schedules}) == len(schedules)


def test_every_part_of_the_transcript_counts() -> None:
    v = vector("epoch_next")

    def th(v: dict[str, bytes]) -> bytes:
        mode, number = Mode(v["mode"][0]), int.from_bytes(v["number"])
        return epoch.transcript(parties(v), mode, number, v["link_hash"], v["offer"], v["accept_core"])

    sides = [f"{item}_{side}" for item in ("q", "device", "head", "set") for side in ("lo", "hi")]
    seen = {th(v)}
    for item in (*sides, "number", "link_hash", "offer", "accept_core"):
        seen.add(th(v | {item: v[item][:-1] + bytes([v[item][-1] ^ 1])}))
    seen.add(th(v | {"mode": b"\x00"}))
    seen.add(th(v | {"offer": v["offer"] + v["accept_core"][:1], "accept_core": v["accept_core"][1:]}))
    assert len(seen) == 15


def test_the_leg_label_is_frozen() -> None:
    v = vector("rsa_leg")
    label = epoch.leg_label(
        sender=end(v, "lo"),
        recipient=end(v, "hi"),
        mode=Mode.NEXT,
        number=int.from_bytes(v["number"]),
        x25519=v["x25519_public"],
        mlkem=v["mlkem_public"],
    )
    assert label == v["label"]
    context = v["q_lo"] + v["q_hi"] + v["spki_hi"] + b"\x01" + v["number"] + v["x25519_public"] + v["mlkem_public"]
    assert label == b"p2pchat/1/rsa-leg" + sha256(context)


def test_a_rejected_leg_depends_on_the_local_secret_and_on_the_ciphertext() -> None:
    values = {epoch.rejected_leg(secret, leg) for secret in (b"a" * 32, b"b" * 32) for leg in (b"one", b"two")}
    assert len(values) == 4
    assert {len(value) for value in values} == {32}


def test_both_sides_share_what_they_exchange() -> None:
    one, other = Ephemeral(bytes(range(128))), Ephemeral(bytes(range(128, 256)))
    assert one.exchange(other.x25519_public()) == other.exchange(one.x25519_public())


def test_a_low_order_point_is_refused() -> None:
    with pytest.raises(BadFormat, match="X25519"):
        Ephemeral(bytes(range(128))).exchange(bytes(32))


def test_envelope_and_ratchet_are_frozen() -> None:
    v = vector("envelope")
    message_key, _ = Chain(v["chain_key"]).advance_to(int.from_bytes(v["index"]))
    assert message_key == v["message_key"]
    header = envelope.Header(EpochId(v["epoch"]), int.from_bytes(v["index"]))
    assert envelope.seal(header, message_key, v["route"], v["body"], v["nonce"]) == v["frame"]
    assert envelope.open_with(message_key, v["route"], v["frame"]) == v["body"]


def test_an_rsa_key_in_a_message_is_frozen() -> None:
    v = vector("envelope_with_leg")
    header = envelope.Header(EpochId(v["epoch"]), int.from_bytes(v["index"]), has_leg=True)
    assert message_leg.label(header, v["route"], v["spki_hash"]) == v["label"]
    assert message_leg.mix(v["message_key"], v["secret"]) == v["mixed_key"]
    assert envelope.seal(header, v["mixed_key"], v["route"], v["body"], v["nonce"], v["leg"]) == v["frame"]
    assert envelope.parse_header(v["frame"]) == header
    assert envelope.open_with(v["mixed_key"], v["route"], v["frame"], envelope.leg_of(v["frame"])) == v["body"]


def test_control_frames_are_frozen() -> None:
    v = vector("ctl")
    content = Ctl.decode(v["content"])
    assert ctl.seal(EpochId(v["epoch"]), v["key"], v["link_hash"], content, v["nonce"]) == v["frame"]
    assert ctl.open_with(v["key"], v["link_hash"], v["frame"]) == content
