"""Frozen vectors: what version 1 wrote, this version must read and write again (tests/vectors/SOURCES.md)."""

import json
from hashlib import sha256
from itertools import combinations, permutations
from pathlib import Path
from typing import Any, Final

import pytest

from p2pchat.contacts.ticket import friend_ticket
from p2pchat.ids import recovery_text, user_id_text
from p2pchat.keys import succession
from p2pchat.keys.backup import secret, shares
from p2pchat.keys.devices import verify_device_set
from p2pchat.keys.dongle import key_file
from p2pchat.keys.key_file import derive, open_with_key, seal_with_key
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.own_log import read_own_log, standing, whole
from p2pchat.keys.recovery import RecoveryKey
from p2pchat.keys.safety_number import safety_number
from p2pchat.keys.seal import LIGHT, Cost, open_sealed, seal
from p2pchat.keys.standing import Standing
from p2pchat.keys.user_id import genesis_fingerprint
from p2pchat.keys.vault_file import store_key
from p2pchat.wire.structs import Genesis
from tests.support.identities import NOW_MS, stored_identity, stored_root, stored_secrets

VECTORS: Final = Path(__file__).parents[2] / "vectors"
IDENTITY: Final[dict[str, Any]] = json.loads((VECTORS / "identity_v1.json").read_text())
BACKUP: Final[dict[str, Any]] = json.loads((VECTORS / "backup_v1.json").read_text())
KEY_LOGS: Final[dict[str, Any]] = json.loads((VECTORS / "key_log_v1.json").read_text())
FILES: Final[dict[str, Any]] = json.loads((VECTORS / "files_v1.json").read_text())


def _bytes(vector: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


@pytest.mark.parametrize("vector", IDENTITY["identities"], ids=lambda vector: vector["id"])
def test_the_stored_key_log_and_device_set_prove_the_id(vector: dict[str, Any]) -> None:
    key_log, device_set = _bytes(vector, "key_log", "device_set")
    chain = verify_key_log(key_log)
    devices = verify_device_set(device_set, chain)
    genesis = Genesis.decode(chain.genesis_body)
    assert (chain.user.hex(), user_id_text(chain.user)) == (vector["user"], vector["id"])
    assert genesis.discovery.hex() == vector["discovery"]
    assert genesis_fingerprint(chain.genesis_body).hex() == vector["gfp"]
    assert (chain.head.hex(), devices.set_hash.hex()) == (vector["head"], vector["set_hash"])
    assert (chain.root.fingerprint, chain.root.pubkey_md5) == (vector["fingerprint"], vector["pubkey_md5"])
    assert (devices.sequence, devices.not_after_ms) == (vector["sequence"], vector["not_after_ms"])
    (record,) = devices.records
    assert sha256(record.encode()).hexdigest() == vector["device_record_sha256"]


@pytest.mark.parametrize("vector", IDENTITY["identities"], ids=lambda vector: vector["id"])
def test_the_same_primes_and_bytes_make_the_same_identity(vector: dict[str, Any]) -> None:
    assert vector["now_ms"] == NOW_MS
    vault, gate = stored_secrets(vector["stored_key"])
    me = stored_identity(vector["stored_key"])
    made = {
        "device": vault.device,
        "sign_seed": vault.sign_seed,
        "box_x25519": vault.box_x25519,
        "box_mlkem_seed": vault.box_mlkem_seed,
        "link_x25519": gate.link_x25519,
        "scalar": me.scalar,
        "user": me.user,
        "head": me.chain.head,
        "set_hash": me.devices.set_hash,
    }
    assert {name: value.hex() for name, value in made.items()} == {name: vector[name] for name in made}


def test_what_two_people_share() -> None:
    ann, bob = stored_identity(0), stored_identity(1)
    number = safety_number((ann.user, ann.chain.root.spki_hash), (bob.user, bob.chain.root.spki_hash))
    assert number == IDENTITY["safety_number"]
    assert friend_ticket(ann.scalar, bob.user).hex() == IDENTITY["friend_ticket_0_to_1"]


def test_the_password_container() -> None:
    vector = FILES["password_container"]
    password = vector["password"].encode()
    secret, fresh, container = _bytes(vector, "secret", "fresh", "container")
    cost = Cost(vector["memory_kib"], vector["passes"], vector["lanes"])
    assert seal(secret, password, fresh=fresh, cost=cost) == container
    assert open_sealed(container, password) == secret


def test_the_key_file() -> None:
    key, nonce, plaintext, file = _bytes(FILES["key_file"], "key", "nonce", "plaintext", "file")
    label = FILES["key_file"]["label"].encode()
    assert seal_with_key(key, plaintext, label, nonce) == file
    assert open_with_key(key, file, label) == plaintext


def test_derived_keys() -> None:
    kek, vault, gate = _bytes(FILES["derive"], "kek", "vault", "gate")
    assert (derive(kek, "vault"), derive(kek, "gate")) == (vault, gate)
    vault_half, gate_half, key = _bytes(FILES["store_key"], "vault_half", "gate_half", "key")
    assert store_key(vault_half, gate_half) == key


# --- backups ----------------------------------------------------------------------------------------------------------


def _factors(name: str) -> dict[str, Any]:
    password = BACKUP["split_key"] if name == "shares" else BACKUP["password"] if name != "dongle" else ""
    dongle = bytes.fromhex(BACKUP["dongle"]["answer"]) if name in {"dongle", "both"} else b""
    return {"password": password.encode(), "dongle": dongle}


@pytest.mark.parametrize("name", ["password", "dongle", "both", "shares"])
def test_a_backup_is_the_same_and_opens_under_any_factors(name: str) -> None:
    vector, identity = BACKUP["containers"][name], stored_identity(BACKUP["stored_key"])
    fresh, container = _bytes(vector, "fresh", "container")
    factors = _factors(name)
    sealed = secret.seal_backup(
        identity.lasting,
        factors["password"],
        dongle=factors["dongle"],
        split=name == "shares",
        with_log=False,
        fresh=fresh,
        cost=LIGHT,
    )
    assert (sealed, secret.set_id(sealed)) == (container, vector["set_id"])
    assert open_sealed(container, form=secret.FORM, **factors).hex() == BACKUP["plaintext"]
    assert secret.open_backup(container, **factors).user.hex() == BACKUP["id"]


def test_the_dongle_and_the_shares_of_the_vectors(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(bytes.fromhex(BACKUP["dongle"]["file"]))
    assert key_file.answer(str(file)).hex() == BACKUP["dongle"]["answer"]
    for pair in combinations(BACKUP["mnemonics"], 2):
        assert shares.combine([shares.Share(b"", words, 2) for words in pair]).hex() == BACKUP["split_key"]


def test_the_backup_of_a_replaced_key() -> None:
    bare, full = (secret.unpack(raw) for raw in _bytes(BACKUP["rotated"], "plaintext", "plaintext_with_log"))
    assert standing(whole(full.chain), bare.chain) is Standing.SAME
    assert bare.root.modulus == stored_root(BACKUP["rotated"]["stored_key"]).modulus


# --- key logs ---------------------------------------------------------------------------------------------------------


def test_key_logs_and_how_each_stands_to_each() -> None:
    logs = {name: verify_key_log(bytes.fromhex(log["key_log"])) for name, log in KEY_LOGS["logs"].items()}
    for name, log in logs.items():
        told = KEY_LOGS["logs"][name]
        found = (log.user.hex(), log.head.hex(), log.root.fingerprint)
        assert found == (KEY_LOGS["id"], told["head"], told["fingerprint"])
    assert {f"{a} to {b}": logs[a].standing(logs[b]).value for a, b in permutations(logs, 2)} == KEY_LOGS["standing"]
    (end,) = _bytes(KEY_LOGS, "log_end_of_rotated")
    assert standing(logs["rotated"], read_own_log(end)) is Standing.SAME
    structure, successor = _bytes(KEY_LOGS["succession"], "structure", "successor")
    (step,) = succession.steps(structure)
    succession.verify([], step, logs["genesis"])
    assert step.said.successor == successor


def test_the_recovery_key_of_the_vectors() -> None:
    seed, ed25519, mldsa65, commitment = _bytes(KEY_LOGS["recovery"], "seed", "ed25519", "mldsa65", "commitment")
    made = RecoveryKey.from_seed(seed)
    assert (*made.public, made.commitment) == (ed25519, mldsa65, commitment)
    assert recovery_text(seed) == KEY_LOGS["recovery"]["text"]
