"""Device sets that a stored identity's root signs for a test, and the identity as it then shows itself."""

from dataclasses import replace

from p2pchat.keys.devices import DEVICE_SET_MS, VerifiedSet, make_successor, verify_device_set
from p2pchat.keys.identity import Identity

_DAY_MS = 24 * 3600 * 1000


def successor(identity: Identity, known: VerifiedSet, *, days: float = 50) -> Identity:
    """``identity`` with a set that follows ``known``, signed that many days after it."""
    signed_ms = known.not_after_ms - DEVICE_SET_MS + int(days * _DAY_MS)
    raw = make_successor(identity.root, known, known.records, signed_ms)
    return replace(identity, devices=verify_device_set(raw, identity.chain))
