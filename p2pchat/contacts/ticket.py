"""The friend ticket: what I give a friend at ``accept`` so that I know him again after losing my contact list.

A MAC over the friend's ID under a key that follows from the scalar of mine, which every backup holds and no rotation
changes: a restored node recomputes it (protocol.md 8).
"""

from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from typing import Final

from p2pchat.ids import UserId
from p2pchat.keys.kdf import hkdf

TICKET_BYTES: Final = 32
_LABEL: Final = b"p2pchat/1/friend-ticket"


def friend_ticket(scalar: bytes, friend: UserId) -> bytes:
    """32 bytes, the same each time. ``scalar``: s, the private half of my ID."""
    return hmac(hkdf(scalar, _LABEL), friend, sha256)


def is_my_ticket(scalar: bytes, friend: UserId, ticket: bytes) -> bool:
    """Whether I once gave ``ticket`` to ``friend``. Constant time."""
    return compare_digest(friend_ticket(scalar, friend), ticket)
