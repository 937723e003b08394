"""Writes handshake_v1.json, by hand, when the protocol changes: python -m tests.vectors.make_handshake_v1"""

import json
from pathlib import Path
from typing import Any

from p2pchat.env_system import SystemCrypto
from p2pchat.link.framing import wrap
from p2pchat.link.handshake import INITIATOR_FRESH_BYTES, RESPONDER_FRESH_BYTES, Initiator, Responder, link_psk
from p2pchat.link.records import Opener, Sealer
from p2pchat.wire.frames import Frame, FrameType
from tests.support.identities import NOW_MS
from tests.support.links import credentials, fresh, local, user

FRAMES = [Frame(FrameType.PING, b"\x08" + bytes(range(8))), Frame(FrameType.ENVELOPE, b"e" * 300)]


def party(index: int) -> dict[str, str]:
    own = local(index)
    return {
        "user": own.user.hex(),
        "device": own.device.hex(),
        "link_private": own.link_private.hex(),
        "key_log": own.chain.raw.hex(),
        "device_set": own.devices.raw.hex(),
    }


def run(name: str, *, pinned: bool) -> dict[str, Any]:
    drawn: list[tuple[bytes, bytes]] = []

    def encapsulate(public: bytes) -> tuple[bytes, bytes]:
        drawn.append(SystemCrypto().kem_encapsulate(public))
        return drawn[-1]

    one_fresh = fresh(f"{name} initiator", INITIATOR_FRESH_BYTES)
    other_fresh = fresh(f"{name} responder", RESPONDER_FRESH_BYTES)
    one = Initiator(local(0), user(1), credentials(1) if pinned else None, fresh=one_fresh)
    other = Responder(local(1), fresh=other_fresh, encapsulate=encapsulate)
    messages = [one.start()]
    other.open(messages[0])
    messages.append(other.answer())
    messages.append(one.finish(messages[1], now_ms=NOW_MS))
    other.finish(messages[2])
    there, back = Sealer(one.keyed.send, now_s=0.0), Sealer(other.keyed.send, now_s=0.0)
    records = [there.seal(FRAMES, now_s=0.0), back.seal(FRAMES, now_s=0.0)]
    assert Opener(other.keyed.receive).feed(records[0]) == FRAMES
    return {
        "name": name,
        "initiator_holds_the_responders_credentials": pinned,
        "initiator_ephemeral": one_fresh[:32].hex(),
        "initiator_mlkem_seed": one_fresh[32:].hex(),
        "responder_ephemeral": other_fresh.hex(),
        "mlkem_shared_secret": drawn[0][0].hex(),
        "mlkem_ciphertext": drawn[0][1].hex(),
        "psk": link_psk(user(1)).hex(),
        "messages": [message.hex() for message in messages],
        "units": [wrap(message, link_psk(user(1)), number).hex() for number, message in enumerate(messages, 1)],
        "handshake_hash": one.keyed.handshake_hash.hex(),
        "secret_initiator_to_responder": one.keyed.send.hex(),
        "secret_responder_to_initiator": one.keyed.receive.hex(),
        "first_record_initiator_to_responder": records[0].hex(),
        "first_record_responder_to_initiator": records[1].hex(),
    }


if __name__ == "__main__":
    document = {
        "protocol": "Noise_XXpsk0+hfs_25519+MLKEM768_ChaChaPoly_SHA256",
        "prologue": (b"p2pchat/1/link" + bytes([2])).hex(),
        "now_ms": NOW_MS,
        "initiator": party(0),
        "responder": party(1),
        "frames_of_the_first_records": [{"type": int(f.kind), "body": f.body.hex()} for f in FRAMES],
        "runs": [run("pinned", pinned=True), run("first contact", pinned=False)],
    }
    path = Path(__file__).with_name("handshake_v1.json")
    path.write_text(json.dumps(document, indent=1) + "\n")
