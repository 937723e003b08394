"""Writes channel_v1.json. Run once, by hand: a change of its output is a change of the protocol's version."""

import json
from hashlib import shake_256
from pathlib import Path

from p2pchat.channel import ctl, envelope, epoch, message_leg
from p2pchat.channel.epoch import Ephemeral, Mode, Secrets
from p2pchat.channel.parties import Parties, Party
from p2pchat.channel.ratchet import Chain
from p2pchat.delivery.body import FIRST, Slot, text_body
from p2pchat.ids import DeviceId, EpochId, Incarnation, MessageId, UserId
from p2pchat.wire.structs import CTL_RECEIPT, AcceptCore, Ctl, CtlItem, Offer, Receipt


def some(name: str, length: int = 32) -> bytes:
    return shake_256(b"channel vector " + name.encode()).digest(length)


def end(side: str, user: bytes) -> Party:
    return Party(
        user=UserId(user),
        device=DeviceId(some(f"device {side}", 16)),
        head=some(f"head {side}"),
        set_hash=some(f"set {side}"),
        modulus=b"",
        spki_hash=some(f"spki {side}"),
    )


LO, HI = sorted((some("one user"), some("other user")))
PARTIES = Parties(own=end("lo", LO), peer=end("hi", HI))
INPUTS = {
    f"{name}_{side}": value
    for side, one in (("lo", PARTIES.own), ("hi", PARTIES.peer))
    for name, value in (
        ("q", one.user),
        ("device", one.device),
        ("head", one.head),
        ("set", one.set_hash),
        ("spki", one.spki_hash),
    )
}
OFFERER, ACCEPTER = Ephemeral(some("offerer", 128)), Ephemeral(some("accepter", 128))


def an_epoch(mode: Mode, number: int, salt: bytes) -> dict[str, bytes]:
    mlkem_public, leg = OFFERER.mlkem_public(), some("a leg", 1024)
    offer = Offer(mode=mode, number=number, x25519=OFFERER.x25519_public(), mlkem=mlkem_public, leg=leg).encode()
    core = AcceptCore(
        number=number, x25519=ACCEPTER.x25519_public(), mlkem=some("ciphertext", 1088), leg=some("other leg", 1024)
    ).encode()
    th = epoch.transcript(PARTIES, mode, number, some("link hash"), offer, core)
    secrets = {
        "x25519": OFFERER.exchange(ACCEPTER.x25519_public()),
        "mlkem": some("mlkem secret"),
        "r_lo": OFFERER.r,
        "r_hi": ACCEPTER.r,
    }
    keys = epoch.schedule(salt, Secrets(**secrets), th)
    return {
        **INPUTS,
        **secrets,
        "mode": bytes([mode]),
        "number": number.to_bytes(8),
        "link_hash": some("link hash"),
        "offer": offer,
        "accept_core": core,
        "th": th,
        "salt": salt,
        "id": keys.id,
        "chain_lohi": keys.chain_lohi,
        "chain_hilo": keys.chain_hilo,
        "ctl_lohi": keys.ctl_lohi,
        "ctl_hilo": keys.ctl_hilo,
        "mac_offer": keys.mac_offer,
        "mac_accept": keys.mac_accept,
        "next": keys.next_salt,
    }


def a_leg() -> dict[str, bytes]:
    public = {"x25519_public": OFFERER.x25519_public(), "mlkem_public": OFFERER.mlkem_public()}
    label = epoch.leg_label(
        sender=PARTIES.own,
        recipient=PARTIES.peer,
        mode=Mode.NEXT,
        number=8,
        x25519=public["x25519_public"],
        mlkem=public["mlkem_public"],
    )
    return {**INPUTS, **public, "number": (8).to_bytes(8), "label": label}


def an_envelope() -> dict[str, bytes]:
    slot = Slot(
        message=MessageId(some("message", 16)),
        conversation=some("conversation", 16),
        clock=1_800_000_000_000 << 16,
        sent_ms=1_800_000_000_000,
        device=PARTIES.own.device,
        sequence=1,
        previous=FIRST,
    )
    body = text_body(slot, "Grüße").encode()
    chain, nonce, number = Chain(some("chain key")), some("nonce", 24), EpochId(some("epoch", 8))
    message_key, _ = chain.advance_to(3)
    frame = envelope.seal(envelope.Header(number, 3), message_key, PARTIES.outbound, body, nonce)
    return {
        "chain_key": chain.key,
        "index": (3).to_bytes(4),
        "message_key": message_key,
        "epoch": number,
        "route": PARTIES.outbound,
        "body": body,
        "nonce": nonce,
        "frame": frame,
    }


def an_envelope_with_a_leg() -> dict[str, bytes]:
    """The same body under a key of its own. ``leg`` stands for its OAEP ciphertext, which is another each time."""
    plain, secret, leg = an_envelope(), some("message secret"), some("message leg", 1024)
    header = envelope.Header(EpochId(plain["epoch"]), 3, has_leg=True)
    mixed = message_leg.mix(plain["message_key"], secret)
    return {
        **{name: plain[name] for name in ("index", "message_key", "epoch", "route", "body", "nonce")},
        "spki_hash": PARTIES.peer.spki_hash,
        "label": message_leg.label(header, PARTIES.outbound, PARTIES.peer.spki_hash),
        "secret": secret,
        "leg": leg,
        "mixed_key": mixed,
        "frame": envelope.seal(header, mixed, PARTIES.outbound, plain["body"], plain["nonce"], leg),
    }


def a_control_frame() -> dict[str, bytes]:
    receipt = Receipt(incarnation=Incarnation(some("life", 8)), delivered=42, read=7)
    content = Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=receipt.encode()),))
    number, key, nonce = EpochId(some("epoch", 8)), some("ctl key"), some("nonce", 24)
    return {
        "epoch": number,
        "key": key,
        "link_hash": some("link hash"),
        "content": content.encode(),
        "nonce": nonce,
        "frame": ctl.seal(number, key, some("link hash"), content, nonce),
    }


if __name__ == "__main__":
    vectors = {
        "epoch_reset": an_epoch(Mode.RESET, 1, epoch.NO_SALT),
        "epoch_next": an_epoch(Mode.NEXT, 8, some("k_next")),
        "rsa_leg": a_leg(),
        "envelope": an_envelope(),
        "envelope_with_leg": an_envelope_with_a_leg(),
        "ctl": a_control_frame(),
    }
    as_hex = {name: {key: value.hex() for key, value in one.items()} for name, one in vectors.items()}
    Path(__file__).with_name("channel_v1.json").write_text(json.dumps(as_hex, indent=1) + "\n")
