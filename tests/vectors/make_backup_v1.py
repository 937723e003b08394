"""Writes backup_v1.json. Run once, by hand: a change of its output is a change of the protocol's version."""

import json
from hashlib import shake_256
from pathlib import Path

from p2pchat.keys import seal
from p2pchat.keys.backup import secret, shares
from p2pchat.keys.dongle import key_file
from p2pchat.keys.dongle.spec import CHALLENGE
from tests.support.identities import stored_identity
from tests.support.rotated import rotated

PASSWORD, SPLIT_KEY = "pa\u0308ssword", bytes(range(32))


def fresh(name: str, length: int) -> bytes:
    return shake_256(f"backup vector {name}".encode()).digest(length)


def main() -> None:
    key = fresh("dongle", key_file.KEY_BYTES)
    path = Path("/tmp/p2pchat-vector.key")
    path.unlink(missing_ok=True)
    key_file.create(str(path), key)
    answer, file = key_file.answer(str(path)), path.read_bytes()
    path.unlink()
    identity = stored_identity(0).lasting
    factors = {
        "password": (PASSWORD.encode(), b"", False),
        "dongle": (b"", answer, False),
        "both": (PASSWORD.encode(), answer, False),
        "shares": (SPLIT_KEY.hex().encode(), b"", True),
    }
    containers = {}
    for name, (password, dongle, split) in factors.items():
        draw = fresh(name, secret.FRESH_BYTES)
        sealed = secret.seal_backup(
            identity, password, with_log=False, fresh=draw, cost=seal.LIGHT, dongle=dongle, split=split
        )
        containers[name] = {"fresh": draw.hex(), "container": sealed.hex(), "set_id": secret.set_id(sealed)}
    shape = {
        "stored_key": 0,
        "id": identity.user.hex(),
        "plaintext": secret.pack(identity, with_log=False).hex(),
        "password": PASSWORD,
        "split_key": SPLIT_KEY.hex(),
        "mnemonics": shares.split(SPLIT_KEY, 2, 3),
        "dongle": {"file": file.hex(), "challenge": CHALLENGE.hex(), "answer": answer.hex()},
        "containers": containers,
        "rotated": {
            "stored_key": 3,
            "plaintext": secret.pack(rotated(0, 3).lasting, with_log=False).hex(),
            "plaintext_with_log": secret.pack(rotated(0, 3).lasting, with_log=True).hex(),
        },
    }
    Path(__file__).with_name("backup_v1.json").write_text(json.dumps(shape, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
