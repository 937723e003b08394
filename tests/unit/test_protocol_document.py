"""docs/protocol.md against the code's structures, and against frozen vectors through the client written from it."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import pytest
from cryptography.exceptions import InvalidSignature

from p2pchat.contacts.emoji import TABLE
from p2pchat.wire import own_files, structs
from p2pchat.wire.frames import FrameType
from p2pchat.wire.shape import Range, Size, Struct
from tests.support.second_client import backups, carriers, compare, epochs, identity, key_logs, link, sealed
from tests.support.second_client.primitives import hkdf, hmac, sha256, unpack

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = (ROOT / "docs" / "protocol.md").read_text()
VECTORS: Final = ROOT / "tests" / "vectors"
NAMES_OF_RANGES: Final = {2**8 - 1: "u8", 2**16 - 1: "u16", 2**32 - 1: "u32", 2**63 - 1: "u64"}


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def hexed(shape: Any, *names: str) -> list[bytes]:
    return [bytes.fromhex(shape[name]) for name in names]


# --- structures -------------------------------------------------------------------------------------------------------


def documented() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(name and label, [(field, type)]) of every ``struct`` block."""
    for block in re.findall(r"```struct\n(.*?)```", DOCUMENT, re.DOTALL):
        for entry in block.strip().split("\n\n"):
            head, *rows = entry.split("\n")
            columns = [re.split(r"\s{2,}", row.strip()) for row in rows]
            yield head, [(row[0], row[1]) for row in columns]


def in_code() -> dict[str, list[tuple[str, str]]]:
    found = {}
    for cls in {**vars(structs), **vars(own_files)}.values():
        if isinstance(cls, type) and issubclass(cls, Struct) and cls is not Struct:
            hints = get_type_hints(cls, include_extras=True)
            head = f'{cls.__name__} "{cls.LABEL}"' if cls.LABEL else cls.__name__
            found[head] = [(field.name, in_words(hints[field.name])) for field in fields(cls)]  # type: ignore[arg-type]
    return found


def in_words(hint: Any) -> str:
    """An annotation in the document's notation."""
    size, span = None, None
    while get_origin(hint) is Annotated or hasattr(hint, "__supertype__"):
        if get_origin(hint) is Annotated:
            hint, *limits = get_args(hint)
            size = next((one for one in limits if isinstance(one, Size)), size)
            span = next((one for one in limits if isinstance(one, Range)), span)
        else:
            hint = hint.__supertype__
    if get_origin(hint) is tuple:
        assert size is not None
        return f"[{size.least}..{size.most}] of {in_words(get_args(hint)[0])}"
    if isinstance(hint, type) and issubclass(hint, Struct):
        return "any"
    if hint is int:
        assert span is not None and span.least == 0
        return NAMES_OF_RANGES[span.most]
    if hint is bool:
        return "bool"
    assert size is not None
    length = str(size.most) if size.least == size.most else f"{size.least}..{size.most}"
    return f"{'bin' if hint is bytes else 'str'} {length}"


def test_every_structure_is_documented_as_it_is() -> None:
    assert dict(documented()) == in_code()


def test_every_frame_type_has_its_row() -> None:
    rows = dict(re.findall(r"^\| (\d\d?) \| ([A-Z_]+) \|", DOCUMENT, re.MULTILINE))
    assert rows == {str(int(kind)): kind.name for kind in FrameType}


def test_every_label_in_the_code_is_in_the_document() -> None:
    """Those that stand whole in one place. An epoch's are put together; the second client checks them end to end."""
    private = {"p2pchat/1/channel-state", "p2pchat/1/book"}  # own databases, which are nobody else's business
    found = set()
    for path in (ROOT / "p2pchat").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                found |= set(re.findall(r"^p2pchat/1/[a-z-]+(?:/[a-z]+)?", text)) if " " not in text else set()
    assert len(found) > 15
    assert [label for label in sorted(found - private) if label not in DOCUMENT] == []


def test_the_second_client_shares_no_code() -> None:
    for path in (ROOT / "tests" / "support" / "second_client").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = {name for name in names if name.split(".")[0] in {"p2pchat", "tests"}}
            assert all(name.startswith("tests.support.second_client") for name in ours)


# --- vectors, read by the second client -------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1])
def test_identities(index: int) -> None:
    known = vectors("identity_v1")["identities"][index]
    p, q = ((ROOT / "tests" / "support" / "identities" / f"{index}.hex").read_text()).split()
    names = ("genesis_random", "device", "link_x25519", "box_x25519", "sign_seed", "box_mlkem_seed")
    me = identity.Me.make(int(p, 16), int(q, 16), b"".join(hexed(known, *names)), known["now_ms"])
    shown = identity.check(*hexed(known, "key_log", "device_set"))
    assert (me.shown.user.hex(), me.shown.head.hex()) == (known["user"], known["head"])
    assert (shown.user.hex(), shown.head.hex(), shown.set_hash.hex()) == tuple(
        known[name] for name in ("user", "head", "set_hash")
    )
    assert (identity.id_text(shown.user), shown.spki_hash.hex()) == (known["id"], known["fingerprint"])
    assert shown.devices[bytes.fromhex(known["device"])][:6] == me.shown.devices[me.device][:6]


def test_what_two_people_compare_and_give_each_other() -> None:
    known = vectors("identity_v1")
    one, other = (identity.check(*hexed(each, "key_log", "device_set")) for each in known["identities"])
    assert identity.safety_number(one, other) == known["safety_number"]
    key = hkdf(bytes.fromhex(known["identities"][0]["scalar"]), b"p2pchat/1/friend-ticket")
    assert hmac(key, other.user).hex() == known["friend_ticket_0_to_1"]


def test_a_live_comparison() -> None:
    known = vectors("compare_v1")
    one, other = (
        identity.check(*hexed(each, "key_log", "device_set")) for each in vectors("identity_v1")["identities"]
    )
    link_hash, values = bytes.fromhex(known["link_hash"]), [bytes.fromhex(value) for value in known["values"]]
    sides = [
        compare.Compare(*pair, link_hash, value)
        for pair, value in zip(((one, other), (other, one)), values, strict=True)
    ]
    assert [compare.commit(s.me, s.peer, link_hash, s.value).hex() for s in sides] == known["commitments"]
    verdicts = (compare.NONE, compare.NONE, compare.NONE, compare.YES, compare.NO)
    for number, (said, verdict) in enumerate(zip(known["statements"], verdicts, strict=True)):
        by = sides[said["by"]]
        by.verdict = verdict
        assert by.statement().hex() == said["body"], f"statement {number}"
        sides[1 - said["by"]].heard(bytes.fromhex(said["body"]))
    assert sides[0].pictures == sides[1].pictures == known["pictures"]


def test_the_pictures_are_in_the_document() -> None:
    rows = re.findall(r"(?<=\| )(\d+) ([^\x00-\x7f]) ([a-z ]+?)(?= \|)", DOCUMENT)
    assert [(emoji, name) for _, emoji, name in rows] == list(TABLE)
    assert [int(number) for number, _, _ in rows] == list(range(64))


def test_cards() -> None:
    known = vectors("card_v1")
    shown, _, addresses, nickname = identity.read_card(known["file"])
    assert (identity.id_text(shown.user), nickname) == (known["id"], known["nickname"])
    assert [f"{host} {port} {carrier}" for host, port, carrier in addresses] == known["addresses"]


def test_own_files() -> None:
    known = vectors("files_v1")
    container, file = known["password_container"], known["key_file"]
    secret = identity.open_unlock_file(bytes.fromhex(container["container"]), container["password"])
    assert secret.hex() == container["secret"]
    key, sealed = hexed(file, "key", "file")
    assert identity.open_key_file(sealed, key, file["label"]).hex() == file["plaintext"]
    for purpose in ("vault", "gate"):
        kek = bytes.fromhex(known["derive"]["kek"])
        assert hkdf(kek, f"p2pchat/1/kek/{purpose}".encode()).hex() == known["derive"][purpose]
    halves = b"".join(hexed(known["store_key"], "vault_half", "gate_half"))
    assert hkdf(halves, b"p2pchat/1/store").hex() == known["store_key"]["key"]


def test_backups_under_every_factor() -> None:
    known = vectors("backup_v1")
    key_file, challenge, answer = hexed(known["dongle"], "file", "challenge", "answer")
    assert backups.answer_of_key_file(key_file) == answer
    assert sha256(b"p2pchat/1/dongle") == challenge
    split_key = backups.combine(known["mnemonics"][1:])
    assert split_key.hex() == known["split_key"]
    factors = {
        "password": (known["password"], b""),
        "dongle": ("", answer),
        "both": (known["password"], answer),
        "shares": (split_key.hex(), b""),
    }
    for name, (password, dongle) in factors.items():
        container = bytes.fromhex(known["containers"][name]["container"])
        opened = backups.open_container(container, password, dongle)
        assert (opened.hex(), backups.read_backup(opened).user.hex()) == (known["plaintext"], known["id"])
        assert sha256(container).hex()[:8] == known["containers"][name]["set_id"]
    bare, full = (backups.read_backup(raw) for raw in hexed(known["rotated"], "plaintext", "plaintext_with_log"))
    log = key_logs.read_log(full.key_log)
    assert (bare.key_log, bare.log_length, bare.head) == (b"", 2, log.hashes[-1])
    assert bare.user == full.user == log.user
    assert log.roots[-1].public_numbers().n == bare.p * bare.q


def test_key_logs_and_what_they_lead_to() -> None:
    known = vectors("key_log_v1")
    ed25519, mldsa65, seed, commitment = hexed(known["recovery"], "ed25519", "mldsa65", "seed", "commitment")
    assert key_logs.recovery_publics(seed) == (ed25519, mldsa65)
    assert sha256(ed25519, mldsa65) == commitment
    assert identity.bech32m("pcr", seed) == known["recovery"]["text"]
    logs = {name: key_logs.read_log(bytes.fromhex(log["key_log"])) for name, log in known["logs"].items()}
    for name, log in logs.items():
        told = known["logs"][name]
        assert (log.user.hex(), log.hashes[-1].hex(), log.fingerprint) == (
            known["id"],
            told["head"],
            told["fingerprint"],
        )
    for pair, standing in known["standing"].items():
        one, other = pair.split(" to ")
        assert logs[one].stands_to(logs[other]) == standing, pair
    end = unpack(bytes.fromhex(known["log_end_of_rotated"]), label="p2pchat/1/log-end", fields=7)
    rotated = logs["rotated"]
    assert (end[0], end[2], end[3]) == (rotated.user, len(rotated.hashes), rotated.hashes[-1])
    assert int.from_bytes(end[1]) == rotated.roots[-1].public_numbers().n
    raw, successor = hexed(known["succession"], "structure", "successor")
    for pinned in (logs["genesis"], rotated):
        assert key_logs.read_succession(raw, pinned) == successor


@pytest.mark.parametrize("run", [0, 1])
def test_handshakes_and_first_records(run: int) -> None:
    document = vectors("handshake_v1")
    known, index = document["runs"][run], 0
    person = vectors("identity_v1")["identities"][index]
    names = ("genesis_random", "device", "link_x25519", "box_x25519", "sign_seed", "box_mlkem_seed")
    p, q = ((ROOT / "tests" / "support" / "identities" / f"{index}.hex").read_text()).split()
    made = identity.Me.make(int(p, 16), int(q, 16), b"".join(hexed(person, *names)), person["now_ms"])
    shown = identity.check(*hexed(document["initiator"], "key_log", "device_set"))  # its RSA signatures are random
    me = identity.Me(**{**vars(made), "shown": shown})
    peer = identity.check(*hexed(document["responder"], "key_log", "device_set"))
    held = peer if known["initiator_holds_the_responders_credentials"] else None
    fresh = b"".join(hexed(known, "initiator_ephemeral", "initiator_mlkem_seed"))

    hand = link.Initiator(me, peer.user, held, fresh)
    messages = [bytes.fromhex(message) for message in known["messages"]]
    assert hand.message1() == messages[0]
    assert hand.message3(messages[1]) == messages[2]
    assert (hand.psk.hex(), hand.link_hash.hex()) == (known["psk"], known["handshake_hash"])
    assert [secret.hex() for secret in hand.secrets] == [
        known["secret_initiator_to_responder"],
        known["secret_responder_to_initiator"],
    ]
    for number, message in enumerate(messages, 1):
        assert link.unit(message, hand.psk, number).hex() == known["units"][number - 1]

    frames = document["frames_of_the_first_records"]
    content = b"".join(link.frame(each["type"], bytes.fromhex(each["body"])) for each in frames)
    there, back = hexed(known, "first_record_initiator_to_responder", "first_record_responder_to_initiator")
    assert link.Records(hand.secrets[0]).seal(content) == there
    into = link.Records(hand.secrets[1])
    assert into.unmask(back[:2]) == len(back)
    assert into.open(back[:2], back[2:]) == content


@pytest.mark.parametrize("name", ["epoch_reset", "epoch_next"])
def test_epochs(name: str) -> None:
    known = vectors("channel_v1")[name]
    mode, number, link_hash, offer, core, salt = hexed(
        known, "mode", "number", "link_hash", "offer", "accept_core", "salt"
    )
    lo, hi = (hexed(known, *(f"{one}_{side}" for one in ("q", "device", "head", "set"))) for side in ("lo", "hi"))
    th = epochs.transcript(mode[0], int.from_bytes(number), tuple(lo), tuple(hi), link_hash, offer, core)  # type: ignore[arg-type]
    keys = epochs.schedule(th, salt, b"".join(hexed(known, "x25519", "mlkem", "r_lo", "r_hi")))
    assert th.hex() == known["th"]
    assert keys["epoch-id"][:8].hex() == known["id"]
    for key in ("chain-lohi", "chain-hilo", "ctl-lohi", "ctl-hilo", "next"):
        assert keys[key].hex() == known[key.replace("-", "_")]
    for key in ("offer", "accept"):
        assert hmac(keys[f"confirm-{key}"], th).hex() == known[f"mac_{key}"]


def test_knocks() -> None:
    for known in vectors("knock_v1")["knocks"]:
        user, nonce = hexed(known, "user", "nonce")
        assert carriers.knock(user, nonce, known["hour"]).hex() == known["knock"]


def test_rsa_legs() -> None:
    known = vectors("channel_v1")["rsa_leg"]
    lo, hi, spki_hi, number = hexed(known, "q_lo", "q_hi", "spki_hi", "number")
    own = hexed(known, "x25519_public", "mlkem_public")
    assert epochs.leg_label(lo, hi, spki_hi, 1, int.from_bytes(number), own).hex() == known["label"]


def test_envelopes_and_control_frames() -> None:
    known = vectors("channel_v1")["envelope"]
    chain, index, epoch, route, body, nonce, frame = hexed(
        known, "chain_key", "index", "epoch", "route", "body", "nonce", "frame"
    )
    key = epochs.Chain(chain).take(int.from_bytes(index))
    assert key.hex() == known["message_key"]
    assert sealed.envelope_header(frame) == (epoch, int.from_bytes(index))
    assert sealed.seal_envelope(key, epoch, int.from_bytes(index), route, body, nonce) == frame
    assert sealed.open_envelope(key, route, frame) == body
    known = vectors("channel_v1")["envelope_with_leg"]
    key, secret, leg, spki_hash, frame = hexed(known, "message_key", "secret", "leg", "spki_hash", "frame")
    head = sealed.envelope_head(epoch, int.from_bytes(index), leg=True)
    assert sealed.leg_label(head, route, spki_hash).hex() == known["label"]
    key = sealed.mixed(key, secret)
    assert sealed.seal_envelope(key, epoch, int.from_bytes(index), route, body, nonce, leg) == frame
    assert (sealed.envelope_leg(frame), sealed.open_envelope(key, route, frame)) == (leg, body)
    known = vectors("channel_v1")["ctl"]
    key, epoch, link_hash, content, nonce, frame = hexed(
        known, "key", "epoch", "link_hash", "content", "nonce", "frame"
    )
    assert sealed.seal_ctl(key, epoch, link_hash, content, nonce) == frame
    assert sealed.open_ctl(key, link_hash, frame) == content


def test_the_second_clients_checks_bite() -> None:
    log, devices = hexed(vectors("identity_v1")["identities"][0], "key_log", "device_set")
    with pytest.raises(InvalidSignature):
        identity.check(log[:-1] + bytes([log[-1] ^ 1]), devices)
    with pytest.raises(InvalidSignature):
        identity.check(log, devices[:-1] + bytes([devices[-1] ^ 1]))
    with pytest.raises(AssertionError, match="not canonical"):
        unpack(b"\x92\xcc\x01\x00", fields=2)
