"""Which frames a role may send and receive (protocol.md 7). Pure."""

from collections.abc import Mapping
from typing import Final

from p2pchat.limits import FRAME_BODY_BYTES, KEY_LOG_BYTES, SEALED_REQUEST_BYTES
from p2pchat.wire.boundary import Role
from p2pchat.wire.frames import CLASS_OF, FrameClass, FrameType

STRANGER_LINKS: Final = 32

_ALLOWED: Final[Mapping[Role, frozenset[FrameClass]]] = {
    Role.GONE: frozenset(),
    Role.CONTACT: frozenset({FrameClass.LINK, FrameClass.CHAIN, FrameClass.EPOCH, FrameClass.PAIR, FrameClass.CONTACT}),
    Role.MEMBER: frozenset({FrameClass.LINK, FrameClass.CHAIN, FrameClass.GROUP}),
    Role.TRACKER: frozenset(),  # trackers never get a link
    Role.STRANGER: frozenset({FrameClass.LINK, FrameClass.CHAIN, FrameClass.CONTACT}),
}


def may_pass(role: Role, kind: int, size: int) -> bool:
    """Whether a frame of type ``kind`` with a body of ``size`` bytes may pass, in either direction."""
    if kind not in CLASS_OF or CLASS_OF[FrameType(kind)] not in _ALLOWED[role]:
        return False
    if role is not Role.STRANGER:
        return size <= FRAME_BODY_BYTES
    # Who logged in from a copy knows nobody yet: strangers tell it of its newer log.
    return size <= (KEY_LOG_BYTES if kind == FrameType.STALE_LOG else SEALED_REQUEST_BYTES)
