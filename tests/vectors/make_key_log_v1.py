"""Writes key_log_v1.json. Run once, by hand: a change of its output is a change of the protocol's version."""

import json
from itertools import permutations
from pathlib import Path

from p2pchat.ids import recovery_text
from p2pchat.keys.backup import secret
from p2pchat.keys.genesis import make_genesis
from p2pchat.keys.identity import Lasting
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.own_log import kept
from p2pchat.keys.recovery import RecoveryKey
from p2pchat.keys.rotation import recover, rotate
from p2pchat.keys.user_id import user_scalar
from p2pchat.wire.structs import Signed, Succession, Successor
from tests.support.identities import stored_identity, stored_root

SEED, DAY = bytes(range(32)), 20_000


def main() -> None:
    roots = [stored_root(n) for n in range(3)]
    recovery = RecoveryKey.from_seed(SEED)
    first = verify_key_log(make_genesis(roots[0], day=DAY, fresh=bytes(16), recovery_commitment=recovery.commitment))
    logs = {"genesis": first, "rotated": rotate(first, roots[0], roots[1], day=DAY + 1)}
    logs["thief"] = rotate(first, roots[0], roots[2], day=DAY + 1)
    logs["recovered"] = recover(first, recovery, roots[1], day=DAY + 2)
    scalar = user_scalar(roots[0].secret, first.genesis_body)
    lost = secret.unpack(secret.pack(Lasting(roots[1], scalar, logs["rotated"]), with_log=False)).chain
    body = Successor(user=first.user, successor=stored_identity(3).user, day=DAY + 3).encode()
    statement = Signed(body=body, signature=roots[1].sign(body)).encode()
    ed25519, mldsa65 = recovery.public
    shape = {
        "id": first.user.hex(),
        "recovery": {
            "seed": SEED.hex(),
            "text": recovery_text(SEED),
            "ed25519": ed25519.hex(),
            "mldsa65": mldsa65.hex(),
            "commitment": recovery.commitment.hex(),
        },
        "logs": {
            name: {"key_log": log.raw.hex(), "head": log.head.hex(), "fingerprint": log.root.fingerprint}
            for name, log in logs.items()
        },
        "standing": {f"{a} to {b}": logs[a].standing(logs[b]).value for a, b in permutations(logs, 2)},
        "log_end_of_rotated": kept(lost).hex(),
        "succession": {
            "successor": stored_identity(3).user.hex(),
            "structure": Succession(statement=statement, key_log=logs["rotated"].raw, earlier=b"").encode().hex(),
        },
    }
    Path(__file__).with_name("key_log_v1.json").write_text(json.dumps(shape, indent=1) + "\n")


if __name__ == "__main__":
    main()
