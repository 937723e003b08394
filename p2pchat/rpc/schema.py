"""What ``rpc schema`` prints: JSON Schemas (2020-12) of methods and each verb's ``--json`` output, and the errors."""

from dataclasses import replace
from typing import Final

from p2pchat.errors import P2PChatError, every_error
from p2pchat.rpc.fields import (
    ADDRESSES,
    CONTACT,
    EVENT,
    HISTORY_ROW,
    ID,
    KEY_SHOWN,
    MESSAGE_SHOWN,
    NET_PEER,
    NET_STATUS,
    OUTBOX_ROW,
    REQUEST,
    SENT,
    SETTING,
    STATUS,
    TIME_MS,
    WHOAMI,
    WORD,
    YES,
    may,
    need,
    record,
)
from p2pchat.rpc.jsonlines import Json
from p2pchat.rpc.methods import METHODS
from p2pchat.rpc.metrics import LABEL_VALUE
from p2pchat.rpc.shape import Field, Integer, ListOf, Number, OneOf, Record, Text, Words

_PATH: Final = Text(4096)
_KIND: Final = OneOf(("string", "qr", "file", "pdf", "shares"))
_PID: Final = need("pid", Integer(1), "of the launcher")
_LISTEN: Final = need("listen", ADDRESSES, "where the daemon listens")
_SOCKET: Final = need("socket", _PATH, "the control socket")
_CARD_FIELDS: Final = (
    may("card", Text(400_000), "the card file's text, without --out"),
    may("file", _PATH, "where it was written, with --out"),
    need("id", ID, "own ID"),
    need("addresses", ADDRESSES, "what the card says"),
    need("expires_ms", TIME_MS, "until when it can be used"),
)

_COMPARED: Final = METHODS["compare.wait"].result.fields
_LIVE_FIELDS: Final = tuple(
    may(field.name, field.kind, f"with --live: {field.doc}")
    for field in _COMPARED
    if field.name in {"emoji", "answer", "peer_answer"}
)

_NEW_KEY: Final = {"id", "fingerprint", "pubkey_md5"}  # which a daemon that does not run can say nothing beyond
OUTPUTS: Final[dict[str, Record]] = {
    "init": Record((*WHOAMI.fields, may("recovery", Text(62), "with --recovery: the recovery key, shown this once"))),
    "login": WHOAMI,
    "key show": KEY_SHOWN,
    "key export": record(need("files", ListOf(_PATH, 16), "what was written; nothing with --out -")),
    "key verify": record(
        need("ok", YES, "true: it restores the identity below, and this home's where that is at work"),
        need("id", ID, "whose key it is"),
        need("kind", _KIND, "what carries it"),
    ),
    "key inspect": record(
        need("kind", _KIND, "what carries it"),
        need("set", WORD, "the same for all copies of one export"),
        need("opens_with", WORD, "password, or how many shares of how many are here"),
        need("kdf", Text(64), "what one guess costs"),
        need("size_bytes", Integer(), "of the sealed container"),
        need("repaired", ListOf(Integer(1), 255), "lines of a string that were wrong or missing"),
    ),
    "key combine": record(
        need("files", ListOf(_PATH, 1), "the copy that was written"), need("id", ID, "whose key it is")
    ),
    "key passwd": METHODS["key.passwd"].result,
    "key rotate": Record(
        (
            *(replace(field, required=field.name in _NEW_KEY) for field in KEY_SHOWN.fields),
            may("before", ID, "with --compromised: the ID that was given up"),
            may("recovery", Text(62), "with --compromised --recovery: the recovery key, shown this once"),
        )
    ),
    "whoami": Record((*WHOAMI.fields, may("file", _PATH, "with --qr and --out: where the code was written"))),
    "status": STATUS,
    "version": record(need("version", WORD, "of p2pchat"), need("python", WORD, "of Python")),
    "doctor": record(
        need("check", WORD, "what was looked at"),
        need("verdict", OneOf(("ok", "warn", "bad")), "warn: it works, and somebody should look"),
        need("ok", YES, "whether the verdict is ok"),
        need("detail", Text(16_384, 0), "what was found"),
        need("mend", Text(16_384, 0), "the command that mends it; empty where it is fit"),
    ),
    "demo": record(
        need("step", WORD, "what was done; the last line is done"),
        may("by", WORD, "whose step it was"),
        may("seen_by", WORD, "who saw what came of it"),
        may("seen", Text(4096, 0), "what they saw"),
        need("began_ms", TIME_MS, "when it began"),
        need("ended_ms", TIME_MS, "when it was seen; the difference is how long it took"),
    ),
    "metrics": record(
        need("name", Text(96), "of the family"),
        need("type", OneOf(("counter", "gauge")), "a counter only rises, from each start of the daemon"),
        need("help", Text(256), "what is counted"),
        need("labels", Words("[a-z_]{1,32}", LABEL_VALUE, 4), "words of closed sets"),
        need("value", Number(), "in the unit that the name ends with"),
    ),
    "net status": Record(
        (*NET_STATUS.fields, need("peers", ListOf(NET_PEER, 100_000), "links that stand or are wanted, by ID"))
    ),
    "daemon run": record(_PID, _LISTEN, _SOCKET),
    "daemon start": record(_PID, _LISTEN, _SOCKET),
    "daemon unit": record(
        need("unit", Text(16_384), "the whole unit file"), need("file", _PATH, "where a user's units are kept")
    ),
    "daemon stop": record(_PID, need("running", YES, "false: it has ended")),
    "daemon status": Record((need("running", YES, "true"), *METHODS["daemon.status"].result.fields, _SOCKET)),
    "send": SENT,
    "recv": EVENT,
    "history": HISTORY_ROW,
    "message show": MESSAGE_SHOWN,
    "message withdraw": MESSAGE_SHOWN,
    "outbox list": OUTBOX_ROW,
    "outbox show": OUTBOX_ROW,
    "outbox retry": OUTBOX_ROW,
    "outbox cancel": OUTBOX_ROW,
    "contact card": Record(_CARD_FIELDS),
    "contact add": CONTACT,
    "contact requests": REQUEST,
    "contact accept": CONTACT,
    "contact reject": METHODS["contact.reject"].result,
    "contact list": CONTACT,
    "contact show": CONTACT,
    "contact alias": CONTACT,
    "contact address": METHODS["contact.address"].result,
    "contact block": CONTACT,
    "contact retry": CONTACT,
    "contact unblock": CONTACT,
    "contact remove": METHODS["contact.remove"].result,
    "contact verify": Record((*METHODS["contact.verify"].result.fields, *_LIVE_FIELDS)),
    "config path": record(need("path", _PATH, "the configuration file")),
    "config list": SETTING,
    "config get": SETTING,
    "config set": METHODS["config.set"].result,
}
"""What one line of each verb's ``--json`` output holds beside ``"v"``; ``rpc call`` prints the method's own result."""

_VERSION: Final = Field("v", Integer(1, 1), "version of this contract")


def schema() -> dict[str, Json]:
    """The whole description, without ``"v"``."""
    methods: dict[str, Json] = {
        name: {
            "description": method.doc,
            "socket": method.socket,
            "params": method.params.schema(),
            "result": method.result.schema(),
        }
        for name, method in METHODS.items()
    }
    outputs: dict[str, Json] = {verb: Record((_VERSION, *shape.fields)).schema() for verb, shape in OUTPUTS.items()}
    errors: list[Json] = [_error(cls) for cls in every_error()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "methods": methods,
        "outputs": outputs,
        "errors": errors,
    }


def _error(cls: type[P2PChatError]) -> dict[str, Json]:
    shape: dict[str, Json] = {"code": cls.code, "exit": cls.exit_status}
    return shape if cls.number is None else {**shape, "number": cls.number}
