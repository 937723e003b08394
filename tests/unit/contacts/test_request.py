from dataclasses import replace

import pytest

from p2pchat.contacts.request import Between, open_answer, open_request, seal_body
from p2pchat.errors import BadFormat, BadSignature, CryptoError
from p2pchat.ids import UserId
from p2pchat.keys import hpke
from p2pchat.limits import NOTE_BYTES, SEALED_REQUEST_BYTES
from p2pchat.wire.structs import ContactAnswer, ContactRequest
from tests.support.identities import stored_identity

ANN, BOB, EVE = (stored_identity(i) for i in range(3))
BETWEEN = Between(ANN.user, BOB.user, bytes(range(32)))
REQUEST = ContactRequest(nickname="ann", note="ä" * (NOTE_BYTES // 2), addresses=bytes(4096), sent_ms=1)
ANSWER = ContactAnswer(accepted=True, reply=False, ticket=bytes(32), nickname="bob", addresses=b"")


def _seal(body: ContactRequest | ContactAnswer = REQUEST, between: Between = BETWEEN) -> bytes:
    return seal_body(body, between, sender=ANN.device, to=BOB.record, hpke_seal=hpke.seal)


def test_a_request_and_an_answer_survive() -> None:
    assert open_request(_seal(), BETWEEN, recipient=BOB.device, sender=ANN.record) == REQUEST
    assert open_answer(_seal(ANSWER), BETWEEN, recipient=BOB.device, sender=ANN.record) == ANSWER


def test_the_largest_request_fits() -> None:
    assert len(_seal()) < SEALED_REQUEST_BYTES


@pytest.mark.parametrize(
    "between",
    [
        replace(BETWEEN, link_hash=bytes(32)),
        replace(BETWEEN, sender=EVE.user),
        replace(BETWEEN, recipient=EVE.user),
        Between(BOB.user, ANN.user, BETWEEN.link_hash),
    ],
)
def test_it_means_nothing_on_another_link_or_between_others(between: Between) -> None:
    with pytest.raises(CryptoError):
        open_request(_seal(), between, recipient=BOB.device, sender=ANN.record)


def test_only_the_recipient_opens_it() -> None:
    with pytest.raises(CryptoError):
        open_request(_seal(), BETWEEN, recipient=EVE.device, sender=ANN.record)


def test_only_the_named_sender_can_have_signed_it() -> None:
    with pytest.raises(BadSignature, match="request or answer"):
        open_request(_seal(), BETWEEN, recipient=BOB.device, sender=EVE.record)


@pytest.mark.parametrize("other", [replace(BETWEEN, link_hash=bytes(32)), replace(BETWEEN, sender=EVE.user)])
def test_the_signature_itself_binds_the_context(other: Between) -> None:
    """Whoever opens a request cannot seal the signed part again for another link or in another name."""

    def under_the_true_context(kem: bytes, x: bytes, plaintext: bytes, info: bytes) -> bytes:
        return hpke.seal(kem, x, plaintext, BETWEEN.context(b"p2pchat/1/request-box"))

    moved = seal_body(REQUEST, other, sender=ANN.device, to=BOB.record, hpke_seal=under_the_true_context)
    with pytest.raises(BadSignature):
        open_request(moved, BETWEEN, recipient=BOB.device, sender=ANN.record)


def test_an_answer_is_no_request() -> None:
    with pytest.raises(BadFormat, match="no ContactRequest"):
        open_request(_seal(ANSWER), BETWEEN, recipient=BOB.device, sender=ANN.record)
    with pytest.raises(BadFormat, match="no ContactAnswer"):
        open_answer(_seal(), BETWEEN, recipient=BOB.device, sender=ANN.record)


def test_the_size_is_checked_first() -> None:
    with pytest.raises(BadFormat, match="at most"):
        open_request(bytes(SEALED_REQUEST_BYTES + 1), BETWEEN, recipient=BOB.device, sender=ANN.record)
    with pytest.raises(BadFormat, match="at most"):
        _seal(replace(REQUEST, addresses=bytes(SEALED_REQUEST_BYTES)))


def test_flipped_bits_are_one_error() -> None:
    sealed = _seal(ANSWER)
    for at in range(0, len(sealed), 11):
        wrong = sealed[:at] + bytes([sealed[at] ^ 1 << at % 8]) + sealed[at + 1 :]
        with pytest.raises(CryptoError):
            open_answer(wrong, BETWEEN, recipient=BOB.device, sender=ANN.record)


def test_garbage_that_was_really_sealed_to_us_is_refused() -> None:
    for plaintext in (b"", b"\xc0", bytes(200)):
        sealed = hpke.seal(
            BOB.record.box_mlkem768, BOB.record.box_x25519, plaintext, BETWEEN.context(b"p2pchat/1/request-box")
        )
        with pytest.raises(BadFormat):
            open_request(sealed, BETWEEN, recipient=BOB.device, sender=ANN.record)


def test_the_context_is_unambiguous() -> None:
    """IDs and link hash have fixed sizes, so their joining needs no lengths."""
    one = Between(UserId(b"a" * 32), UserId(b"b" * 32), b"c" * 32)
    assert one.context(b"label") == b"label" + b"a" * 32 + b"b" * 32 + b"c" * 32
