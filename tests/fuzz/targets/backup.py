"""Copies of a key, as somebody may bring them: typed lines, texts of codes, shares, and what is sealed inside."""

from hashlib import shake_256
from typing import Final

from p2pchat.keys.backup import secret
from p2pchat.keys.backup.parts import join, split
from p2pchat.keys.backup.shares import read as read_share_text
from p2pchat.keys.backup.shares import split as split_key
from p2pchat.keys.backup.shares import write
from p2pchat.keys.backup.text import MOST_BYTES, from_text, judge_line, to_lines
from p2pchat.limits import BACKUP_BYTES
from p2pchat.wire.checksum import md5
from tests.fuzz.target import Target
from tests.support.identities import stored_identity

ANN = stored_identity(0)
CONTAINER: Final = shake_256(b"fuzz").digest(1304)
REPAIR_S: Final = 0.6  # Reed-Solomon in Python, over whatever fits its checks


def read_string(data: bytes) -> None:
    from_text(data.decode("utf-8", "replace"))


def read_line(data: bytes) -> None:
    """One line, typed at the terminal: judged, never an error."""
    judge_line(1 + data[0] % 61 if data else 1, data[1:].decode("utf-8", "replace"))


def read_codes(data: bytes) -> None:
    join(code.decode("utf-8", "replace") for code in data.split(b"\n", 63))  # a picture gives eight


def read_share(data: bytes) -> None:
    read_share_text(data.decode("utf-8", "replace"))


def read_inside(data: bytes) -> None:
    """The inner checksum is made right."""
    secret.unpack(data + md5(data))


def _string() -> tuple[bytes, ...]:
    """A good one, a short one, and the one that takes most work: the longest, nine lines of it another's."""
    longest = [*to_lines(bytes(MOST_BYTES))[:9], *to_lines(shake_256(b"x").digest(MOST_BYTES))[9:]]
    texts = ("\n".join(to_lines(CONTAINER)), "\n\n".join(to_lines(CONTAINER[:9])).lower(), "\n".join(longest))
    return tuple(text.encode() for text in texts)


def _lines() -> tuple[bytes, ...]:
    return tuple(bytes([number]) + line.encode() for number, line in enumerate(to_lines(CONTAINER)[:3]))


def _codes() -> tuple[bytes, ...]:
    return ("\n".join(split(CONTAINER)).encode(), "\n".join(split(CONTAINER[:99], parity=True)[1:]).encode())


def _share() -> tuple[bytes, ...]:
    return (write(CONTAINER, split_key(bytes(32), 2, 3)[0]).encode(),)


def _inside() -> tuple[bytes, ...]:
    return tuple(secret.pack(ANN.lasting, with_log=log)[:-16] for log in (False, True))


TARGETS: Final = (
    Target("backup-string", read_string, _string, cpu_s=REPAIR_S, text=True),
    Target("backup-line", read_line, _lines, text=True),
    Target("backup-codes", read_codes, _codes, text=True),
    Target("backup-share", read_share, _share, cpu_s=REPAIR_S, text=True),
    Target("backup-inside", read_inside, _inside, limit=BACKUP_BYTES),
)
