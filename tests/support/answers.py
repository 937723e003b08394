"""What a daemon might answer to each method, for tests of the command line."""

from typing import Any

from tests.support.fake_daemon import ALICE, BOB, MESSAGE

WHO = {"id": ALICE, "fingerprint": "0" * 64, "pubkey_md5": "1" * 32, "nickname": "ada", "listen": ["127.0.0.1:9000"]}
STATUS = {
    "id": ALICE,
    "running": True,
    "listen": ["127.0.0.1:9000"],
    "wall": "none",
    "contacts": 1,
    "online": 0,
    "outbox": 2,
    "last_cursor": 7,
    "backup_verified_ms": None,
    "replaced": False,
}
KEY = {
    "id": ALICE,
    "fingerprint": "0" * 64,
    "pubkey_md5": "1" * 32,
    "created_ms": 1_700_000_000_000,
    "key_log": 1,
    "key_log_held": True,
    "device": "2" * 32,
    "devices": 1,
    "devices_until_ms": 1_800_000_000_000,
    "backup_verified_ms": None,
}
CONTACT = {
    "id": BOB,
    "alias": None,
    "nickname": "bob\x1b[2J",
    "state": "accepted",
    "verified": False,
    "channel": "ok",
    "presence": "online",
    "path": "direct",
    "carrier": "raw",
    "addresses": ["192.0.2.1:9000"],
}
REQUEST = {
    "id": BOB,
    "nickname": None,
    "message": "hi\nthere",
    "direction": "in",
    "via": "card",
    "predecessor": None,
}
ROW = {
    "message": MESSAGE,
    "direction": "in",
    "state": "delivered",
    "from": BOB,
    "sent_ms": 1_700_000_000_000,
    "text": "hi",
}
SHOWN = {**ROW, "received_ms": 1_700_000_000_001, "expires_ms": None, "recipients": []}
WAITING = {
    "message": MESSAGE,
    "to": BOB,
    "state": "queued",
    "reason": "Serious connection error",
    "next_try_ms": None,
    "queued_ms": 1_700_000_000_000,
    "size_bytes": 5,
}
CARD = b"-----BEGIN P2PCHAT CARD-----\nAAAA\n-----END P2PCHAT CARD-----\n"
MADE = {
    "id": ALICE,
    "card": CARD,
    "code": "P2PCABCD",
    "addresses": ["192.0.2.7:9000"],
    "expires_ms": 1_800_000_000_000,
}
VERIFIED = {"id": BOB, "safety_number": "0123456789" * 6, "verified": False}
DAEMON = {"pid": 4711, "version": "0.1.0", "started_ms": 1_700_000_000_000, "listen": ["127.0.0.1:9000"]}
SETTING = {"key": "receipts", "value": "true", "default": "false", "help": "whether", "restart": False}


def page(row: dict[str, Any]) -> dict[str, Any]:
    return {"items": [row], "next": None}
