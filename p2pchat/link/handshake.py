"""The link handshake: Noise_XXpsk0+hfs_25519+MLKEM768_ChaChaPoly_SHA256 as p2pchat uses it (protocol.md 5.2).

    -> psk, e, e1            Payload1: nothing about the initiator
    <- e, ee, ekem1, s, es   Payload2: the responder's ID, device, and credentials unless the initiator holds them
    -> s, se                 Payload3: the initiator's ID and device; its credentials follow (introduction.py)

The psk comes from the responder's ID: who does not know the ID gets no answer at all. The initiator checks the
responder before it reveals itself. Pure: bytes in, bytes out; every error ends the run, and nobody outside sees which.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from p2pchat.errors import AuthFailed, BadFormat
from p2pchat.ids import DeviceId, UserId
from p2pchat.limits import HANDSHAKE_1_BYTES, HANDSHAKE_BYTES
from p2pchat.link.credentials import Credentials, IdentityDiffers, Local
from p2pchat.link.noise import KEM_SEED_BYTES, KEY_BYTES, Encapsulate, HandshakeState, Keys
from p2pchat.link.noise_patterns import pattern
from p2pchat.wire.structs import Payload1, Payload2, Payload3

SUITE: Final = 2  # X25519 and ML-KEM-768; there is no other, and the prologue binds it
VERSION: Final = 1
PROLOGUE: Final = b"p2pchat/1/link" + bytes([SUITE])
PATTERN: Final = pattern("Noise_XXpsk0+hfs_25519+MLKEM768_ChaChaPoly_SHA256")
INITIATOR_FRESH_BYTES: Final = KEY_BYTES + KEM_SEED_BYTES
RESPONDER_FRESH_BYTES: Final = KEY_BYTES
LIMITS: Final = {1: HANDSHAKE_1_BYTES, 2: HANDSHAKE_BYTES, 3: HANDSHAKE_BYTES}
NO_SET: Final = bytes(8)


def link_psk(responder: UserId) -> bytes:
    """HKDF(ikm = Q_R, info = "p2pchat/1/link-psk"): 32 bytes that who knows the ID knows."""
    prk = hmac.digest(bytes(32), responder, "sha256")
    return hmac.digest(prk, b"p2pchat/1/link-psk\x01", "sha256")


@dataclass(frozen=True, slots=True)
class Keyed:
    """What a completed handshake leaves: a secret a direction for records.py, and the hash that names the link."""

    send: bytes
    receive: bytes
    handshake_hash: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """Who the initiator says it is; proven once credentials list ``link_x25519`` under ``device``."""

    user: UserId
    device: DeviceId
    head: bytes
    set_hash: bytes
    link_x25519: bytes


class Initiator:
    """``start``, then ``finish``; ``keyed``, ``credentials`` and ``device`` hold afterwards."""

    keyed: Keyed
    credentials: Credentials  # the responder's, verified
    device: DeviceId  # the responder's

    def __init__(self, local: Local, peer: UserId, held: Credentials | None, *, fresh: bytes) -> None:
        """``held`` are the credentials of ``peer`` that we have pinned; ``fresh`` is 96 random bytes."""
        self._local = local
        self._peer = peer
        self._held = held
        self.psk = link_psk(peer)
        keys = Keys(
            ephemeral=fresh[:KEY_BYTES],
            static=local.link_private,
            psks=(self.psk,),
            kem_seed=fresh[KEY_BYTES:INITIATOR_FRESH_BYTES],
        )
        self._noise = HandshakeState(PATTERN, keys, initiator=True, prologue=PROLOGUE)

    def start(self) -> bytes:
        """Message 1."""
        known = self._held.devices.set_hash[:8] if self._held else NO_SET
        return self._noise.write(Payload1(version=VERSION, set_hash8=known).encode())

    def finish(self, message2: bytes, *, now_ms: int) -> bytes:
        """Message 3, once the responder has proven to be ``peer``.

        Raises IdentityDiffers where it proved to be somebody else, ExpiredDevices at a first contact with an expired
        device set, and BadFormat, CryptoError or BadSignature for everything else.
        """
        payload = Payload2.decode(self._noise.read(_bounded(message2, 2)))
        self._check(payload, now_ms)
        own = self._local
        message3 = self._noise.write(
            Payload3(user=own.user, device=own.device, head=own.chain.head, set_hash=own.devices.set_hash).encode()
        )
        send, receive = self._noise.split()
        self.keyed = Keyed(send, receive, self._noise.handshake_hash)
        return message3

    def _check(self, payload: Payload2, now_ms: int) -> None:
        if payload.version != VERSION:
            raise BadFormat(f"link version {payload.version} was not offered", hint="upgrade p2pchat")
        if payload.user != self._peer:
            raise IdentityDiffers("the node at this address is somebody else")
        _check_no_reflection(self._local, payload.user, payload.device)
        self.credentials = self._responder_credentials(payload)
        self.device = payload.device
        assert self._noise.remote_static is not None
        self.credentials.check_link_key(payload.device, self._noise.remote_static)
        if self._held is None:
            self.credentials.check_first_contact(now_ms)

    def _responder_credentials(self, payload: Payload2) -> Credentials:
        if self._held is not None and self._held.match(payload.head, payload.set_hash):
            return self._held
        shown = Credentials.shown(payload.key_log, payload.device_set, payload.head, self._held)
        if shown.user != self._peer:
            raise IdentityDiffers("the node at this address shows somebody else's keys")
        if not shown.match(payload.head, payload.set_hash):
            raise BadFormat("the credentials are not those that their hashes name")
        return shown


class Responder:
    """``answer``, then ``finish``; ``keyed`` and ``claim`` hold afterwards. No state outlives a failed run."""

    keyed: Keyed
    claim: Claim

    def __init__(self, local: Local, *, fresh: bytes, encapsulate: Encapsulate) -> None:
        """``fresh`` is 32 random bytes; ``encapsulate`` is env.crypto's, which draws its own."""
        self._local = local
        self.psk = link_psk(local.user)
        keys = Keys(ephemeral=fresh, static=local.link_private, psks=(self.psk,), encapsulate=encapsulate)
        self._noise = HandshakeState(PATTERN, keys, initiator=False, prologue=PROLOGUE)
        self._version = 0
        self._objects_wanted = True

    def open(self, message1: bytes) -> bytes:
        """Check message 1, before any Diffie-Hellman. Returns the initiator's ephemeral key, to notice a replay."""
        payload = Payload1.decode(self._noise.read(_bounded(message1, 1)))
        if payload.version < VERSION:
            raise BadFormat(f"link version {payload.version} is unknown")
        own = self._local.devices.set_hash
        self._objects_wanted = not hmac.compare_digest(payload.set_hash8, own[:8])
        return message1[:KEY_BYTES]

    def answer(self) -> bytes:
        """Message 2."""
        own = self._local
        return self._noise.write(
            Payload2(
                version=VERSION,
                user=own.user,
                device=own.device,
                head=own.chain.head,
                set_hash=own.devices.set_hash,
                key_log=own.chain.raw if self._objects_wanted else b"",
                device_set=own.devices.raw if self._objects_wanted else b"",
            ).encode()
        )

    def finish(self, message3: bytes) -> None:
        """Take message 3. Raises AuthFailed on a reflection, else BadFormat or CryptoError."""
        payload = Payload3.decode(self._noise.read(_bounded(message3, 3)))
        _check_no_reflection(self._local, payload.user, payload.device)
        assert self._noise.remote_static is not None
        self.claim = Claim(payload.user, payload.device, payload.head, payload.set_hash, self._noise.remote_static)
        receive, send = self._noise.split()
        self.keyed = Keyed(send, receive, self._noise.handshake_hash)


def _bounded(message: bytes, number: int) -> bytes:
    if len(message) > LIMITS[number]:
        raise BadFormat(f"handshake message {number} is longer than {LIMITS[number]} bytes")
    return message


def _check_no_reflection(local: Local, user: UserId, device: DeviceId) -> None:
    if user == local.user and device == local.device:
        raise AuthFailed("the peer shows this node's own identity")
