"""Stored identities whose root was replaced, with their log or without it."""

from dataclasses import replace
from functools import cache

from p2pchat.keys.backup import secret
from p2pchat.keys.devices import make_successor
from p2pchat.keys.identity import Identity, load_identity
from p2pchat.keys.key_log import KeyChain
from p2pchat.keys.own_log import kept
from p2pchat.keys.root import RootKey
from p2pchat.keys.rotation import rotate
from p2pchat.wire.own_files import VaultSecrets
from tests.support.identities import NOW_MS, stored_identity, stored_root, stored_secrets


@cache
def rotated(index: int, by: int) -> Identity:
    """The stored identity with the ``by``-th stored root in place of its own."""
    old, new = stored_identity(index), stored_root(by)
    chain = rotate(old.chain, old.root, new, day=20_000)
    return with_root(index, chain, new)


def with_root(index: int, chain: KeyChain, new: RootKey) -> Identity:
    old = stored_identity(index)
    devices = make_successor(new, old.devices, old.devices.records, NOW_MS)
    secrets = replace(stored_secrets(index)[0], p=new.p, q=new.q, key_log=chain.raw, device_set=devices)
    return load_identity(secrets)


def rotated_secrets(index: int, by: int, *, lost: bool) -> VaultSecrets:
    """The same as its vault keeps it. ``lost``: the log did not come along, as in a string."""
    identity = rotated(index, by)
    chain = secret.unpack(secret.pack(identity.lasting, with_log=not lost)).chain
    return replace(
        stored_secrets(index)[0],
        p=identity.root.p,
        q=identity.root.q,
        key_log=kept(chain),
        device_set=identity.devices.raw,
    )
