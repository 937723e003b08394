"""The short-lived child that opens ``unlock.key``: password on stdin, the two derived keys on stdout.

``python -m p2pchat.launch.unlock [FD] FILE``: where a dongle is needed, FD gives its answer, 32 bytes.

It alone runs Argon2id and sees the key-encryption key; its end wipes both and the password. An error is one JSON
object on stderr and the error's exit status.
"""

import json
import sys
from pathlib import Path

from p2pchat.errors import Corrupt, NotFound, P2PChatError
from p2pchat.hardening import refuse_dumps
from p2pchat.keys.key_file import derive
from p2pchat.keys.seal import open_sealed
from p2pchat.launch.dongles import SECRET_BYTES
from p2pchat.limits import KEY_FILE_BYTES, PASSWORD_BYTES


def unlock(path: Path, password: bytes, dongle: bytes = b"") -> bytes:
    """The vault's key (32 bytes) and the gate's (32). Raises WrongPassword, Corrupt, NotFound and ``open_sealed``'s."""
    try:
        with path.open("rb") as file:
            sealed = file.read(KEY_FILE_BYTES)
    except FileNotFoundError as error:
        raise NotFound(f"there is no identity in {path.parent}", hint="p2pchat init") from error
    except OSError as error:
        raise Corrupt(f"cannot read {path}: {error.strerror}", hint=f"ls -l {path}") from error
    kek = open_sealed(sealed, password, dongle=dongle)
    return derive(kek, "vault") + derive(kek, "gate")


def main() -> int:
    refuse_dumps()
    *answers, path = sys.argv[1:]
    password = sys.stdin.buffer.read(PASSWORD_BYTES + 1)
    try:
        keys = unlock(Path(path), password, _answer(int(answers[0])) if answers else b"")
    except P2PChatError as error:
        sys.stderr.write(json.dumps(error.as_json()) + "\n")
        return error.exit_status
    sys.stdout.buffer.write(keys)
    return 0


def _answer(fd: int) -> bytes:
    """Waits for a touch, perhaps. Where the dongle's child failed, it says why itself."""
    with open(fd, "rb") as pipe:
        return pipe.read(SECRET_BYTES)


if __name__ == "__main__":
    sys.exit(main())
