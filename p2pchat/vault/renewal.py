"""The own device set lives 90 days; its successor is signed when half of that has passed (PROTOCOL 1)."""

from dataclasses import replace

from p2pchat.keys.devices import DEVICE_SET_MS, make_device_set
from p2pchat.keys.identity import load_identity
from p2pchat.wire.structs import VaultSecrets


def due(not_after_ms: int, now_ms: int) -> bool:
    return not_after_ms - now_ms < DEVICE_SET_MS // 2


def renewed(secrets: VaultSecrets, now_ms: int) -> VaultSecrets | None:
    """The secrets with a newer set, or None where the present one will do. One RSA signature: for a worker."""
    identity = load_identity(secrets)
    old = identity.devices
    if not due(old.not_after_ms, now_ms):
        return None
    fresh = make_device_set(
        identity.root,
        identity.user,
        old.records,
        sequence=old.sequence + 1,
        prev=old.set_hash,
        not_after_ms=now_ms + DEVICE_SET_MS,
    )
    return replace(secrets, device_set=fresh)
