"""Attacks by their names, against the real handshake: what the attacker can do is done, and it leads nowhere."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from p2pchat.env_system import SystemCrypto, SystemRandom
from p2pchat.errors import BadFormat, CryptoError
from p2pchat.ids import UserId
from p2pchat.keys.devices import make_device_set
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.credentials import Authenticated, Credentials, IdentityDiffers
from p2pchat.link.drive import Ended, Link
from p2pchat.link.establish import Established
from p2pchat.link.handshake import NO_SET, PATTERN, PROLOGUE, VERSION, link_psk
from p2pchat.link.introduction import AskCredentials, ShowCredentials
from p2pchat.link.noise import HandshakeState, Keys
from p2pchat.link.records import Opener, Sealer
from p2pchat.wire.boundary import Reason
from p2pchat.wire.frames import Frame, FrameType
from p2pchat.wire.structs import Close, Payload1, Payload3
from tests.support.identities import NOW_MS, stored_identity
from tests.support.links import credentials, device, initiator, introduce, local, responder, shake_hands, user
from tests.unit.link.test_noise import LOW_ORDER

REFUSED = (BadFormat, CryptoError)


class NoPrivateHalf:
    """A public key that the attacker shows as its own. ``guess`` is the best it can do for a shared secret."""

    def __init__(self, public: bytes, guess: Callable[[X25519PublicKey], bytes] = lambda _: bytes(32)) -> None:
        self._public = public
        self._guess = guess

    def public_key(self) -> "NoPrivateHalf":
        return self

    def public_bytes_raw(self) -> bytes:
        return self._public

    def exchange(self, peer: X25519PublicKey) -> bytes:
        return self._guess(peer)


def private(index: int) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(local(index).link_private)


def public(index: int) -> bytes:
    return private(index).public_key().public_bytes_raw()


# --- 1: key compromise impersonation (Tox) --------------------------------------------------------------------------


def guesses_with(stolen: int, posing_as: int) -> Iterator[Callable[[X25519PublicKey], bytes]]:
    """Every secret that follows from one side's stolen link key and the other side's public one."""
    yield lambda _: private(stolen).exchange(X25519PublicKey.from_public_bytes(public(posing_as)))
    yield lambda theirs: private(stolen).exchange(theirs)
    yield lambda _: private(stolen).exchange(X25519PublicKey.from_public_bytes(public(stolen)))
    yield lambda _: bytes(32)


@pytest.mark.parametrize("guess", range(4))
def test_a_thief_of_my_link_key_cannot_call_me_as_my_friend(guess: int) -> None:
    """Ann's friend Ben had his link key stolen; the thief calls Ben as Ann."""
    thief, ben = initiator(0, 1, credentials(1)), responder(1)
    thief._noise._static = NoPrivateHalf(public(0), list(guesses_with(1, 0))[guess])  # type: ignore[assignment]
    ben.open(thief.start())
    message3 = thief.finish(ben.answer(), now_ms=NOW_MS)
    with pytest.raises(CryptoError):
        ben.finish(message3)
    assert not hasattr(ben, "claim")


@pytest.mark.parametrize("guess", range(4))
def test_a_thief_of_my_link_key_cannot_answer_me_as_my_friend(guess: int) -> None:
    """Ann's link key was stolen; she dials Ben, and the thief answers."""
    ann, thief = initiator(0, 1, credentials(1)), responder(1)
    thief._noise._static = NoPrivateHalf(public(1), list(guesses_with(0, 1))[guess])  # type: ignore[assignment]
    thief.open(ann.start())
    with pytest.raises(CryptoError):
        ann.finish(thief.answer(), now_ms=NOW_MS)
    assert not hasattr(ann, "keyed")


def test_the_key_itself_would_do() -> None:
    """The control of the two above: with the friend's own private half the same calls succeed."""
    caller, callee = initiator(0, 1, credentials(1)), responder(1)
    caller._noise._static = NoPrivateHalf(public(0), private(0).exchange)  # type: ignore[assignment]
    callee._noise._static = NoPrivateHalf(public(1), private(1).exchange)  # type: ignore[assignment]
    shake_hands(caller, callee)
    assert callee.claim.user == user(0)


# --- 2: unknown key share, identity misbinding ----------------------------------------------------------------------


def test_a_call_to_one_cannot_be_passed_on_to_another() -> None:
    """Eve, who knows every ID, seals Ann's message 1 to her anew for Ben; his answer is no answer of Eve's."""
    ann, eve, ben = initiator(0, 2, credentials(2)), responder(2), responder(1)
    eve.open(ann.start())
    ephemeral, kem = eve._noise._remote_ephemeral, eve._noise._remote_kem
    assert ephemeral is not None
    assert kem is not None
    passed_on = HandshakeState(
        PATTERN,
        Keys(ephemeral=bytes(range(32)), psks=(link_psk(user(1)),), kem_seed=bytes(64)),
        initiator=True,
        prologue=PROLOGUE,
    )
    passed_on._ephemeral = NoPrivateHalf(ephemeral)  # type: ignore[assignment]
    passed_on._kem = NoPrivateHalf(kem)  # type: ignore[assignment]
    ben.open(passed_on.write(Payload1(version=VERSION, set_hash8=NO_SET).encode()))
    with pytest.raises(CryptoError):
        ann.finish(ben.answer(), now_ms=NOW_MS)


def listing_the_key_of(other: int, index: int) -> Credentials:
    """``index``'s own credentials, rightly signed, in which its device claims another's link key."""
    own = stored_identity(index)
    record = replace(own.record, link_x25519=public(other))
    raw = make_device_set(own.root, own.user, [record], not_after_ms=own.devices.not_after_ms)
    return Credentials.verify(own.chain.raw, raw)


def test_listing_anothers_link_key_takes_no_link_from_it() -> None:
    """Eve lists Ann's link key as her own. Ann's link to Ben is still Ann's, whoever's objects are shown for it."""
    ann, ben = initiator(0, 1, credentials(1)), responder(1)
    shake_hands(ann, ben)
    assert ben.claim.user == user(0)
    eves = replace(local(2), devices=listing_the_key_of(0, 2).devices)
    ask = AskCredentials(ben.claim, None, now_ms=NOW_MS)
    with pytest.raises(IdentityDiffers):
        introduce(ann, ben, ShowCredentials(eves), ask)
    assert ask.proven is None


def test_a_stolen_name_needs_the_key_behind_it() -> None:
    """Eve, whose set lists Ann's link key, calls Ben as herself with that key: she lacks its private half."""
    eve, ben = initiator(0, 1, credentials(1)), responder(1)
    eve._local = replace(local(2), devices=listing_the_key_of(0, 2).devices)
    eve._noise._static = NoPrivateHalf(public(0))  # type: ignore[assignment]
    ben.open(eve.start())
    with pytest.raises(CryptoError):
        ben.finish(eve.finish(ben.answer(), now_ms=NOW_MS))


def test_what_is_exported_names_both_and_the_run() -> None:
    hashes = set()
    for one, other in permutations(range(3), 2):
        for name in ("a", "b"):
            caller, callee = initiator(one, other, credentials(other), name=name), responder(other, name=name)
            shake_hands(caller, callee)
            assert caller.keyed.handshake_hash == callee.keyed.handshake_hash
            hashes.add(caller.keyed.handshake_hash)
    assert len(hashes) == 12


# --- splices between parallel sessions ------------------------------------------------------------------------------


def runs() -> dict[tuple[int, int, str], tuple[bytes, bytes, bytes]]:
    """Two runs of every ordered pair of three people, side by side: their three messages."""
    said = {}
    for one, other in permutations(range(3), 2):
        for name in ("a", "b"):
            caller, callee = initiator(one, other, credentials(other), name=name), responder(other, name=name)
            first = caller.start()
            callee.open(first)
            second = callee.answer()
            third = caller.finish(second, now_ms=NOW_MS)
            callee.finish(third)
            said[one, other, name] = (first, second, third)
    return said


def test_no_message_of_one_run_passes_in_another() -> None:
    """Each message in place of every other, its own reflection included; message 1 alone may be passed on as it is."""
    said = runs()
    passed = 0
    for one, other, name in said:
        for (_, callee, _), messages in said.items():
            for number, message in enumerate(messages, 1):
                target = responder(other, name=name + "!")
                if number == 1 and callee == other:
                    target.open(message)  # same responder: a replay, which SeenEphemerals notices
                    passed += 1
                else:
                    with pytest.raises(REFUSED):
                        target.open(message)
                caller = initiator(one, other, credentials(other), name=name + "!")
                caller.start()
                with pytest.raises(REFUSED):
                    caller.finish(message, now_ms=NOW_MS)
                target = responder(other, name=name + "!")
                target.open(caller_start(one, other, name))
                target.answer()
                with pytest.raises(REFUSED):
                    target.finish(message)
    assert passed == 12 * 4


def caller_start(one: int, other: int, name: str) -> bytes:
    return initiator(one, other, credentials(other), name=name).start()


def test_bytes_put_in_or_left_out_of_a_message_are_refused() -> None:
    """Beside flips and truncations (test_handshake.py): one byte more or less, at every place of every message."""
    caller, callee = initiator(0, 1, credentials(1)), responder(1)
    first = caller.start()
    for spoilt in one_more_or_less(first):
        with pytest.raises(REFUSED):
            responder(1).open(spoilt)
    callee.open(first)
    second = callee.answer()
    for spoilt in one_more_or_less(second):
        again = initiator(0, 1, credentials(1))
        again.start()
        with pytest.raises(REFUSED):
            again.finish(spoilt, now_ms=NOW_MS)


def one_more_or_less(message: bytes, step: int = 7) -> Iterator[bytes]:
    for at in range(0, len(message), step):
        yield message[:at] + message[at + 1 :]
        yield message[:at] + b"\0" + message[at:]


# --- 7: low-order points --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_low_order_static_key_ends_the_handshake_on_either_side(point: str) -> None:
    """Behind the encryption, where the peer who knows the ID chooses it: es for the initiator, se for the responder."""
    low = NoPrivateHalf(bytes.fromhex(point))
    caller, callee = initiator(0, 1, credentials(1)), responder(1)
    callee._noise._static = low  # type: ignore[assignment]
    callee.open(caller.start())
    with pytest.raises(CryptoError, match="low order"):
        caller.finish(callee.answer(), now_ms=NOW_MS)
    caller, callee = initiator(0, 1, credentials(1)), responder(1)
    caller._noise._static = low  # type: ignore[assignment]
    callee.open(caller.start())
    with pytest.raises(CryptoError, match="low order"):
        callee.finish(caller.finish(callee.answer(), now_ms=NOW_MS))


# --- 8: KEM confusion and re-encapsulation --------------------------------------------------------------------------


def test_the_same_kem_secret_for_another_key_is_another_run() -> None:
    """Who holds one run's ML-KEM secret and encapsulates it into another does not join the two."""
    drawn = SystemCrypto().kem_encapsulate(credentials(2).devices.records[0].box_mlkem768)
    caller, callee = initiator(0, 1, credentials(1)), responder(1, encapsulate=lambda _: drawn)
    callee.open(caller.start())
    with pytest.raises(CryptoError):
        caller.finish(callee.answer(), now_ms=NOW_MS)


def test_the_transcript_covers_the_kem_key_and_its_ciphertext() -> None:
    """Two runs that differ in e1 alone, with one secret for both: nothing of one is worth anything in the other."""
    hashes, answers = set(), set()
    for seed in (bytes(64), bytes([1]) * 64):
        keys = Keys(ephemeral=bytes(range(32)), static=bytes([5]) * 32, psks=(link_psk(user(1)),), kem_seed=seed)
        caller = HandshakeState(PATTERN, keys, initiator=True, prologue=PROLOGUE)
        callee = responder(1, encapsulate=lambda _: (bytes(32), bytes(1088)))
        callee.open(caller.write(Payload1(version=VERSION, set_hash8=NO_SET).encode()))
        answers.add(callee.answer())
        hashes.add(callee._noise.handshake_hash)
    assert len(hashes) == len(answers) == 2


def test_a_kem_key_is_taken_for_nothing_else() -> None:
    """An X25519 key in the place of the ML-KEM key, or one of another length, has not the size of its place."""
    for odd in (public(0), bytes(1183), bytes(1185), b""):
        caller = initiator(0, 1)
        caller._noise._kem = NoPrivateHalf(odd)  # type: ignore[assignment]
        with pytest.raises(REFUSED):
            responder(1).open(caller.start())


# --- 43: truncation of the stream, forged close ---------------------------------------------------------------------


async def ended_by(said: bytes, *, sent_frames: int = 0) -> tuple[Ended, list[Frame]]:
    """What a link makes of these bytes and the end of the stream behind them."""
    near, far = trio.testing.memory_stream_pair()
    peer = Authenticated(
        user=UserId(user(1)), device=device(1), initiator=True, handshake_hash=bytes(32), credentials=credentials(1)
    )
    carrier = RawCarrier(near)
    link = Link(Established(peer, carrier, Sealer(bytes(32), now_s=0.0), Opener(bytes(32)), []), SystemRandom())
    got: list[Frame] = []

    async def deliver(frame: Frame) -> None:
        await trio.lowlevel.checkpoint()
        got.append(frame)

    await far.send_all(said)
    await far.send_eof()
    ended = await link.run(deliver, lambda _: None)
    assert len(got) == sent_frames
    return ended, got


def last_words() -> bytes:
    close = Frame(FrameType.CLOSE, Close(reason=Reason.SHUTDOWN).encode())
    sealer = Sealer(bytes(32), now_s=0.0)
    return sealer.seal([Frame(FrameType.ENVELOPE, b"x")], now_s=0.0) + sealer.seal([close], now_s=0.0)


async def test_only_a_whole_sealed_close_is_an_end_on_purpose(autojump_clock: trio.testing.MockClock) -> None:
    words = last_words()
    ended, _ = await ended_by(words, sent_frames=1)
    assert ended == Ended(Reason.CLOSED, Reason.SHUTDOWN)
    for length in range(0, len(words), 3):
        ended, _ = await ended_by(words[:length], sent_frames=int(length >= 256))
        assert ended == Ended(Reason.LOST), length


@pytest.mark.parametrize("key", [b"another key of 32 bytes ........", None])
async def test_a_close_that_the_peer_did_not_seal_is_damage(
    key: bytes | None, autojump_clock: trio.testing.MockClock
) -> None:
    close = Frame(FrameType.CLOSE, Close(reason=Reason.SHUTDOWN).encode())
    forged = Sealer(key, now_s=0.0).seal([close], now_s=0.0) if key else close.encode().ljust(256, b"\0")
    ended, _ = await ended_by(forged)
    assert ended.told is None
    assert ended.reason in {Reason.DAMAGED, Reason.LOST}


def test_an_initiator_that_claims_somebody_else_behind_its_own_key_is_not_believed() -> None:
    """Message 3 names Carl, the key is Ann's: no device of Carl lists it."""
    ann, ben = initiator(0, 1, credentials(1)), responder(1)
    ben.open(ann.start())
    ann._noise.read(ben.answer())
    carl = credentials(2)
    payload = Payload3(user=carl.user, device=device(2), head=carl.chain.head, set_hash=carl.devices.set_hash)
    ben.finish(ann._noise.write(payload.encode()))
    with pytest.raises(IdentityDiffers):
        AskCredentials(ben.claim, carl, now_ms=NOW_MS)
