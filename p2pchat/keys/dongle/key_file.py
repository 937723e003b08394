"""A key file on a stick: magic ``P2PD`` ‖ version 1 ‖ 64 random bytes ‖ SHA-256[:8] of all before.

Whoever copies the file has the dongle: it is as safe as the place where the stick lies.
"""

import hmac
import os
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from p2pchat.errors import Corrupt, DiskFull, DongleMissing, Exists, Failed
from p2pchat.keys.dongle.spec import CHALLENGE

_START: Final = b"P2PD\x01"
KEY_BYTES: Final = 64
_SUM_BYTES: Final = 8
_WHOLE_BYTES: Final = len(_START) + KEY_BYTES + _SUM_BYTES


def answer(path: str) -> bytes:
    """HMAC-SHA-256 of the challenge under the file's key. Raises DongleMissing, Corrupt."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as the user wrote it
            data = file.read(_WHOLE_BYTES + 1)
    except OSError as error:
        hint = f"is the stick plugged in and mounted? ls -l {path}"
        raise DongleMissing(f"the dongle {path} is not there: {error.strerror}", hint=hint) from error
    body, checksum = data[:-_SUM_BYTES], data[-_SUM_BYTES:]
    if (
        len(data) != _WHOLE_BYTES
        or not data.startswith(_START)
        or not compare_digest(sha256(body).digest()[:_SUM_BYTES], checksum)
    ):
        raise Corrupt(f"{path} is no key file of p2pchat, or is damaged", hint="use a copy of it")
    return hmac.digest(body[len(_START) :], CHALLENGE, "sha256")


def create(path: str, fresh: bytes) -> None:
    """Write a new key file around 64 random bytes, 0600, never over another. Raises Exists, Failed, DiskFull."""
    assert len(fresh) == KEY_BYTES
    body = _START + fresh
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(body + sha256(body).digest()[:_SUM_BYTES])
                file.flush()
                os.fsync(file.fileno())
        except BaseException:  # the stick is full, say: what is there now would be taken for a damaged key
            os.unlink(path)  # noqa: PTH108 - as the user wrote it
            raise
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)  # noqa: PTH120 - as the user wrote it
        try:
            os.fsync(folder)  # what is sealed under it now must not outlive its name
        finally:
            os.close(folder)
    except FileExistsError as error:
        raise Exists(f"{path} is there already", hint="use it as it is, or choose another name") from error
    except OSError as error:
        kind = DiskFull if error.errno == 28 else Failed
        raise kind(f"cannot write the key file {path}: {error.strerror}", hint="name a file on a stick") from error
