"""What proves an identity on a link: the key log that leads to an ID, and the device set that names its link keys."""

from dataclasses import dataclass

from p2pchat.errors import AuthFailed, Untrusted
from p2pchat.ids import DeviceId, UserId
from p2pchat.keys.devices import VerifiedSet, verify_device_set
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.own_log import OwnLog, read_own_log, whole
from p2pchat.keys.standing import Standing


class IdentityDiffers(AuthFailed):
    """Somebody answered who does not hold the identity that was expected."""


class ExpiredDevices(Untrusted):
    """A first contact whose device set has expired; a contact who is known already still gets a link."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A verified key log and a verified device set of one identity."""

    chain: KeyChain
    devices: VerifiedSet

    @classmethod
    def verify(cls, key_log: bytes, device_set: bytes) -> "Credentials":
        """Raises BadFormat, BadSignature or Untrusted. Whose credentials they are is ``user``; expiry is not judged."""
        chain = verify_key_log(key_log)
        return cls(chain, verify_device_set(device_set, chain))

    @classmethod
    def shown(cls, key_log: bytes, device_set: bytes, head: bytes, held: "Credentials | None") -> "Credentials":
        """As ``verify``, for a peer whose log ends with ``head``.

        One who lost its log shows none. Whoever holds it (``held``) takes the peer for what it was at that entry.
        """
        if key_log or held is None:
            return cls.verify(key_log, device_set)
        chain = held.chain.upto(head)
        return cls(chain, verify_device_set(device_set, chain))

    @property
    def user(self) -> UserId:
        return self.chain.user

    def match(self, head: bytes, set_hash: bytes) -> bool:
        """Whether these are the objects that the peer's hashes name."""
        return self.chain.head == head and self.devices.set_hash == set_hash

    def standing(self, known: "Credentials") -> Standing:
        """How these stand to ``known``, of the same identity: by the log, and where that is the same by the set."""
        by_log = self.chain.standing(known.chain)
        return self.devices.standing(known.devices) if by_log is Standing.SAME else by_log

    def check_link_key(self, device: DeviceId, link_x25519: bytes) -> None:
        """Raise IdentityDiffers unless ``device`` is listed with that link key (public values, so ``==`` will do)."""
        record = self.devices.device(device)
        if record is None or record.link_x25519 != link_x25519:
            raise IdentityDiffers("the peer's link key belongs to no device of this identity")

    def check_first_contact(self, now_ms: int) -> None:
        """Raise ExpiredDevices where the device set has expired. Only for who is not pinned (protocol.md 3)."""
        if self.devices.expired(now_ms):
            raise ExpiredDevices(
                "their device set has expired, or this computer's clock is wrong",
                hint="compare the clocks, or ask them for a new card",
            )


@dataclass(frozen=True, slots=True)
class Local:
    """This node on a link, and what it shows of itself."""

    chain: OwnLog
    devices: VerifiedSet
    device: DeviceId
    link_private: bytes  # X25519, 32 bytes

    @classmethod
    def read(cls, key_log: bytes, device_set: bytes, device: DeviceId, link_private: bytes) -> "Local":
        """``key_log``: as ``own_log.kept`` gives it. Raises as ``Credentials.verify``."""
        chain = read_own_log(key_log)
        return cls(chain, verify_device_set(device_set, chain), device, link_private)

    @property
    def user(self) -> UserId:
        return self.chain.user

    @property
    def credentials(self) -> Credentials:
        """As peers hold them. Raises Untrusted while the own log is lost."""
        return Credentials(whole(self.chain), self.devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """The other end of a link, proven."""

    user: UserId
    device: DeviceId
    initiator: bool  # whether *we* dialled
    handshake_hash: bytes  # 32
    credentials: Credentials
