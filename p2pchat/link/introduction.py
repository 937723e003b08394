"""The first frames on a link: OBJECTS, until both ends know that the initiator is proven too (protocol.md 5.3).

The responder answers message 3 with step 0 where it holds the initiator's credentials already, else with step 1; then
the initiator shows them (step 2), and step 0 follows. Only step 0 makes a link authenticated, on both sides. Pure.
"""

from p2pchat.errors import BadFormat
from p2pchat.link.credentials import Credentials, IdentityDiffers, Local
from p2pchat.link.handshake import Claim
from p2pchat.wire.frames import Frame, FrameType
from p2pchat.wire.structs import Objects

ACCEPTED, ASK, SHOW = 0, 1, 2


def _frame(step: int, key_log: bytes = b"", device_set: bytes = b"") -> Frame:
    return Frame(FrameType.OBJECTS, Objects(step=step, key_log=key_log, device_set=device_set).encode())


def _objects(frame: Frame) -> Objects:
    if frame.kind != FrameType.OBJECTS:
        raise BadFormat("a frame came before the link was authenticated")
    return Objects.decode(frame.body)


class ShowCredentials:
    """The initiator's side: shows what it is asked for, once."""

    def __init__(self, local: Local) -> None:
        self._own = local
        self._shown = False
        self.done = False

    def receive(self, frame: Frame) -> list[Frame]:
        """Frames to answer with. Raises BadFormat on anything that is not due."""
        step = _objects(frame).step
        if step == ACCEPTED:
            self.done = True
            return []
        if step != ASK or self._shown:
            raise BadFormat("OBJECTS came out of turn")
        self._shown = True
        return [_frame(SHOW, self._own.chain.raw, self._own.devices.raw)]


class AskCredentials:
    """The responder's side: proves the claim of message 3; ``proven`` holds the credentials once it is."""

    def __init__(self, claim: Claim, held: Credentials | None, *, now_ms: int) -> None:
        """``held``: credentials of the claimed ID that are pinned here. Raises IdentityDiffers or ExpiredDevices."""
        self._claim = claim
        self._held = held
        self._now_ms = now_ms
        self.proven: Credentials | None = None
        if held is not None and held.match(claim.head, claim.set_hash):
            self._accept(held)

    def start(self) -> list[Frame]:
        """The first frame after message 3."""
        return [_frame(ACCEPTED if self.proven else ASK)]

    def receive(self, frame: Frame) -> list[Frame]:
        """Frames to answer with. Raises BadFormat, BadSignature, IdentityDiffers or ExpiredDevices."""
        shown = _objects(frame)
        if shown.step != SHOW or self.proven is not None:
            raise BadFormat("OBJECTS came out of turn")
        credentials = Credentials.shown(shown.key_log, shown.device_set, self._claim.head, self._held)
        if credentials.user != self._claim.user:
            raise IdentityDiffers("the peer shows somebody else's keys")
        if not credentials.match(self._claim.head, self._claim.set_hash):
            raise BadFormat("the credentials are not those that their hashes name")
        self._accept(credentials)
        return [_frame(ACCEPTED)]

    def _accept(self, credentials: Credentials) -> None:
        credentials.check_link_key(self._claim.device, self._claim.link_x25519)
        if self._held is None:
            credentials.check_first_contact(self._now_ms)
        self.proven = credentials
