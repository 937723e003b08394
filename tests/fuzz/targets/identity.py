"""Key logs, device sets, address records, cards, requests, and the files that hold an identity."""

from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Final, cast

from p2pchat.contacts.card import armour, read_card, unarmour, write_card
from p2pchat.contacts.request import Between, open_answer, open_request, seal_body
from p2pchat.ids import parse_user_id, user_id_text
from p2pchat.keys import hpke
from p2pchat.keys.devices import verify_device_set
from p2pchat.keys.identity import load_identity
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.root import RootPublic
from p2pchat.keys.seal import LIGHT, UNLOCK, open_sealed, parse, seal
from p2pchat.keys.signed import sign, verify_address_record
from p2pchat.keys.vault_file import open_gate, open_vault, seal_gate, seal_vault
from p2pchat.limits import ADDRESSES, CARD_CODE_CHARS, CARD_FILE_BYTES, DEVICE_SET_BYTES, HOST_BYTES, KEY_LOG_BYTES
from p2pchat.wire.card_code import read_card_code, write_card_code
from p2pchat.wire.own_files import VaultSecrets
from p2pchat.wire.structs import Address, AddressRecord, CardCode, ContactAnswer, ContactRequest, Signed
from tests.fuzz.target import Target
from tests.support.identities import NOW_MS, stored_identity, stored_secrets

ANN, BOB = stored_identity(0), stored_identity(1)
KEY: Final = bytes(32)
ARGON_S: Final = 0.5  # one guess at the lightest cost, which is meant to be felt
BETWEEN: Final = Between(ANN.user, BOB.user, bytes(range(32)))


class _SignsEverything:
    """A root whose signature under whatever comes is right: only what lies behind it is under test."""

    def verify(self, signature: bytes, body: bytes) -> None:
        del signature, body


CHAIN_OF_ILL_WILL: Final[KeyChain] = replace(ANN.chain, root=cast(RootPublic, _SignsEverything()))


@cache
def _address_record() -> bytes:
    record = AddressRecord(
        user=ANN.user,
        device=ANN.device.device,
        sequence=NOW_MS,
        not_after_ms=NOW_MS + 1000,
        addresses=(Address(host="192.0.2.1", port=4711, carrier="raw"), Address(host="::1", port=1, carrier="ws")),
    )
    return sign(record, ANN.device)


def read_code(data: bytes) -> None:
    read_card_code(data.decode("latin-1"))


@cache
def _card() -> bytes:
    return write_card(ANN, addresses=_address_record(), nickname="ann", now_ms=NOW_MS)


def _signed(body: bytes) -> bytes:
    """``body`` under the signature of Ann's device, whatever it is."""
    return Signed(body=body[:65536], signature=ANN.device.sign.sign(body[:65536])).encode()


def read_set(data: bytes) -> None:
    verify_device_set(data, CHAIN_OF_ILL_WILL)


def read_addresses(data: bytes) -> None:
    verify_address_record(_signed(data), ANN.devices)


def read_card_file(data: bytes) -> None:
    read_card(data, now_ms=NOW_MS)


def read_card_inside(data: bytes) -> None:
    read_card(armour(_signed(data)), now_ms=NOW_MS)


def read_request(data: bytes) -> None:
    """The first byte says which of the two the box claims to be; the rest is signed and sealed by its sender."""
    signature = ANN.device.sign.sign(BETWEEN.context(b"p2pchat/1/request-sig") + data[1:])
    inner = Signed(body=data[1:65537], signature=signature).encode()
    box = hpke.seal(BOB.record.box_mlkem768, BOB.record.box_x25519, inner, BETWEEN.context(b"p2pchat/1/request-box"))
    opener = open_request if data[:1] < b"\x80" else open_answer
    opener(box, BETWEEN, recipient=BOB.device, sender=ANN.record)


def read_box(data: bytes) -> None:
    open_request(data, BETWEEN, recipient=BOB.device, sender=ANN.record)


def read_unlock_file(data: bytes) -> None:
    """The checksum is made right, so that it stops nothing. The password's cost is paid for few."""
    whole = data + sha256(data).digest()[:8]
    cost = parse(whole, UNLOCK).cost
    if cost == LIGHT and whole[-1] < 16:
        open_sealed(whole, b"password")


def read_vault_secrets(data: bytes) -> None:
    load_identity(VaultSecrets.decode(data))


def read_user_id(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert parse_user_id(text) == parse_user_id(user_id_text(parse_user_id(text)))


def _requests() -> tuple[bytes, ...]:
    request = ContactRequest(nickname="ann", note="hello", addresses=_address_record(), sent_ms=NOW_MS)
    answer = ContactAnswer(accepted=True, reply=False, ticket=bytes(32), nickname="bob", addresses=b"")
    return (b"\x00" + request.encode(), b"\xff" + answer.encode(), b"\x00" + answer.encode())


def _box() -> tuple[bytes, ...]:
    request = ContactRequest(nickname="ann", note="", addresses=b"", sent_ms=NOW_MS)
    return (seal_body(request, BETWEEN, sender=ANN.device, to=BOB.record, hpke_seal=hpke.seal),)


def _unlock_file() -> tuple[bytes, ...]:
    return (seal(bytes(32), b"password", fresh=bytes(40), cost=LIGHT)[:-8],)


def _ids() -> tuple[bytes, ...]:
    text = user_id_text(ANN.user)
    return (text.encode(), text.upper().encode(), " - ".join(text).encode(), text[:-1].encode() + b"q")


def _card_codes() -> tuple[bytes, ...]:
    address = AddressRecord.decode(Signed.decode(_address_record()).body).addresses
    longest = (replace(address[0], host="h" * HOST_BYTES),) * ADDRESSES
    code = CardCode(
        user=ANN.user, head16=bytes(16), set_sequence=1, set_hash16=bytes(16), not_after_ms=NOW_MS, addresses=()
    )
    return tuple(write_card_code(replace(code, addresses=some)).encode() for some in ((), address, longest))


TARGETS: Final = (
    Target("key-log", verify_key_log, lambda: (ANN.chain.raw,), limit=KEY_LOG_BYTES),
    Target("device-set", read_set, lambda: (ANN.devices.raw,), limit=DEVICE_SET_BYTES),
    Target("address-record", read_addresses, lambda: (Signed.decode(_address_record()).body,)),
    Target("card", read_card_file, lambda: (_card(), b"> " + _card()), text=True, limit=CARD_FILE_BYTES),
    Target("card-inside", read_card_inside, lambda: (Signed.decode(unarmour(_card())).body,)),
    Target("card-code", read_code, _card_codes, text=True, limit=CARD_CODE_CHARS),
    Target("request-box", read_box, _box),
    Target("request-inside", read_request, _requests),
    Target("user-id", read_user_id, _ids, text=True),
    Target("unlock-file", read_unlock_file, _unlock_file, cpu_s=ARGON_S),
    Target(
        "vault-file",
        lambda data: open_vault(data, KEY),
        lambda: (seal_vault(stored_secrets(0)[0], KEY, bytes(24)),),
    ),
    Target(
        "gate-file",
        lambda data: open_gate(data, KEY),
        lambda: (seal_gate(stored_secrets(0)[1], KEY, bytes(24)),),
    ),
    Target("vault-secrets", read_vault_secrets, lambda: (stored_secrets(0)[0].encode(),)),
)
