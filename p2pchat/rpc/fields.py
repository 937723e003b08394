"""The words of the control socket: field kinds, bounds, and the objects that several methods give back."""

from typing import Final

from p2pchat import limits
from p2pchat.rpc.metrics import LABEL_VALUE
from p2pchat.rpc.shape import Base64, Boolean, Field, Integer, Kind, ListOf, Nullable, OneOf, Record, Text, Words

PAGE_ITEMS: Final = 64
PAGE_TEXT_BYTES: Final = 140_000
RECIPIENTS: Final = 64
WAIT_MS: Final = 30_000  # the longest that one request waits; a caller who wants more asks again

STATES: Final = ("queued", "sent", "delivered", "read", "failed")  # rising, but for the last
AWAITABLE: Final = STATES[:4]
COMPARISON_STATES: Final = ("waiting", "shown", "answered", "done")
ANSWERS: Final = ("none", "yes", "no")
CONTACT_STATES: Final = ("requested", "incoming", "accepted", "restored", "blocked")

ID: Final = Text(61, 61, r"pc1[02-9ac-hj-np-z]{58}")
PEER: Final = Text(limits.NICKNAME_BYTES)  # alias, nickname that only one contact bears, ID or 8 characters of it
MESSAGE: Final = Text(32, 32, r"[0-9a-f]{32}")
MESSAGE_PREFIX: Final = Text(32, 8, r"[0-9a-f]{8,32}")
SAFETY_NUMBER: Final = Text(60, 60, "[0-9]{60}")
SESSION: Final = Text(16, 16, "[0-9a-f]{16}")
HEX32: Final = Text(32, 32, r"[0-9a-f]{32}")
HEX64: Final = Text(64, 64, r"[0-9a-f]{64}")
CARD_CODE: Final = Text(limits.CARD_CODE_CHARS)
ADDRESS: Final = Text(limits.HOST_BYTES + 8)  # HOST:PORT
ADDRESSES: Final = ListOf(ADDRESS, limits.ADDRESSES)
ALIAS: Final = Text(limits.NICKNAME_BYTES, 1, r"(?!pc1)[^-@#\s\x00-\x1f\x7f-\x9f][^\s\x00-\x1f\x7f-\x9f]{0,63}")
NICKNAME: Final = Text(limits.NICKNAME_BYTES, 0)
TIME_MS: Final = Integer()
WORD: Final = Text(64)
REASON: Final = Text(256, 0)
YES: Final = Boolean()


def need(name: str, kind: Kind, doc: str) -> Field:
    return Field(name, kind, doc)


def may(name: str, kind: Kind, doc: str, default: bool | int | str | None = None) -> Field:
    return Field(name, kind, doc, required=False, default=default)


def record(*fields: Field) -> Record:
    return Record(fields)


def page_of(item: Kind) -> Record:
    return record(
        need("items", ListOf(item, PAGE_ITEMS), "in the documented order"),
        need("next", Nullable(Text(128)), "pass it as `page` for what follows; null: that was all"),
    )


PAGE: Final = may("page", Text(128), "`next` of the page before")
NAMED_PEER: Final = need("peer", PEER, "alias, unique nickname, ID, or 8 or more first characters of an ID")
NAMED_MESSAGE: Final = need("message", MESSAGE_PREFIX, "message id, or 8 or more first characters of it")

WHOAMI: Final = record(
    need("id", ID, "own ID"),
    need("fingerprint", HEX64, "SHA-256 of the root public key"),
    need("pubkey_md5", HEX32, "MD5 of the root public key; decides nothing"),
    need("nickname", NICKNAME, "own nickname, empty where none was chosen"),
    need("listen", ADDRESSES, "where the daemon listens"),
)

STATUS: Final = record(
    need("id", ID, "own ID"),
    need("running", YES, "true: the daemon answered"),
    need("listen", ADDRESSES, "where the daemon listens"),
    need("wall", OneOf(("A", "B", "C", "none")), "how far the operating system seals the vault"),
    need("contacts", Integer(), "accepted contacts"),
    need("online", Integer(), "contacts with a link now"),
    need("outbox", Integer(), "deliveries that still wait"),
    need("last_cursor", Integer(), "number of the newest event"),
    need("backup_verified_ms", Nullable(TIME_MS), "when a copy of the key was last proved; null: never"),
    need("replaced", YES, "this identity was logged in on another machine: this one has no links any more"),
)

RECIPIENT: Final = record(
    need("id", ID, "recipient"),
    need("state", OneOf(STATES), "how far the message came"),
    may("reason", REASON, "why it waits or failed"),
)

SENT: Final = record(
    need("message", MESSAGE, "message id"),
    need("state", OneOf(STATES), "the lowest of the recipients' states; failed only where all failed"),
    need("recipients", ListOf(RECIPIENT, RECIPIENTS), "one a recipient, in the order given"),
)

HISTORY_ROW: Final = record(
    need("message", MESSAGE, "message id"),
    need("direction", OneOf(("in", "out")), "received or sent"),
    need("state", OneOf(STATES), "how far it came; an incoming one is delivered, or read"),
    need("from", ID, "sender"),
    need("sent_ms", TIME_MS, "by the sender's clock"),
    need("text", Text(limits.TEXT_BYTES, 0), "whole and unchanged; empty where withdrawn or cancelled"),
    may("withdrawn", YES, "true where the sender withdrew it"),
    may("needs_newer_version", YES, "true for a kind that this version does not know"),
)

MESSAGE_SHOWN: Final = Record(
    (
        *HISTORY_ROW.fields,
        need("received_ms", Nullable(TIME_MS), "when it was stored here; null for an own message"),
        need("expires_ms", Nullable(TIME_MS), "when it is given up; null: never"),
        need("recipients", ListOf(RECIPIENT, RECIPIENTS), "of an own message; else empty"),
    )
)

OUTBOX_ROW: Final = record(
    need("message", MESSAGE, "message id"),
    need("to", ID, "recipient"),
    need("state", OneOf(STATES), "queued, sent; after a cancel failed"),
    need("reason", REASON, "why it waits; empty where nothing is wrong"),
    need("next_try_ms", Nullable(TIME_MS), "next attempt to reach the contact; null: linked, or paused"),
    need("queued_ms", TIME_MS, "when it was written"),
    need("size_bytes", Integer(), "size of the text"),
)

CONTACT: Final = record(
    need("id", ID, "the contact's ID"),
    need("alias", Nullable(ALIAS), "one's own name for the contact"),
    need("nickname", Nullable(NICKNAME), "the contact's name for itself"),
    need("state", OneOf(CONTACT_STATES), "requested: by me; incoming: by the contact"),
    need("verified", YES, "whether the safety number was compared"),
    need("channel", OneOf(("ok", "healing", "error")), "the end-to-end channel"),
    need("presence", OneOf(("online", "away", "busy", "offline", "unknown")), "as far as known here"),
    need("path", OneOf(("direct", "relayed", "tor", "none")), "of the link that stands now"),
    need("carrier", OneOf(("ws", "poll", "tls", "raw", "none")), "of the link that stands now"),
    need("addresses", ADDRESSES, "HOST:PORT, as far as known"),
    may(
        "fork",
        ListOf(HEX64, 2),
        "contact.show, contact.retry: fingerprints where two keys are about, the pinned one's first",
    ),
    may("successor", Nullable(ID), "contact.show, contact.retry: who says to be this contact, its key being stolen"),
    may("epoch", Integer(), "contact.show, contact.retry: number of the epoch of keys in use; 0: none is agreed"),
)

COMPARISON: Final = record(
    need("id", ID, "the contact"),
    need("session", SESSION, "names this comparison in compare.wait and compare.answer"),
    need(
        "state", OneOf(COMPARISON_STATES), "waiting: for the other side; shown: look; answered: by the own user; done"
    ),
    need("online", YES, "whether the contact can be reached at the moment"),
    need(
        "emoji", ListOf(record(need("emoji", WORD, "one character"), need("name", WORD, "its name")), 4), "once shown"
    ),
    need("answer", OneOf(ANSWERS), "the own user's"),
    need("peer_answer", OneOf((*ANSWERS, "ended")), "the other side's; ended: it went without one"),
    need("verified", YES, "whether the contact counts as verified now"),
)

REQUEST: Final = record(
    need("id", ID, "who asks, or is asked"),
    need("nickname", Nullable(NICKNAME), "null until the link tells"),
    need("message", Nullable(Text(limits.NOTE_BYTES, 0)), "the words that came with it; null until the link tells"),
    need("direction", OneOf(("in", "out")), "in: somebody asks me"),
    need("via", OneOf(("tracker", "card", "question", "link")), "how the two met"),
    need("predecessor", Nullable(ID), "the contact that it says to be, whose key was stolen"),
)

EVENT_TYPES: Final = (
    "message",
    "withdrawn",
    "contact-request",
    "contact-accepted",
    "contact-restored",
    "contact-verified",
    "key-changed",
    "delivery",
    "warning",
)

EVENT: Final = record(
    need("cursor", Integer(1), "number of the event in the daemon's log"),
    need(
        "type",
        OneOf(EVENT_TYPES),
        "what happened",
    ),
    may("from", ID, "who caused it, where somebody did"),
    may("nickname", Nullable(NICKNAME), "message, contact-...: theirs"),
    may("message", MESSAGE, "message, withdrawn, delivery: which one"),
    may("group", Nullable(WORD), "message: group id, or null"),
    may("sent_ms", TIME_MS, "message: by the sender's clock"),
    may("received_ms", TIME_MS, "message, warning, ...: when it was stored here"),
    may("text", Text(limits.TEXT_BYTES, 0), "message: its text; contact-request: its words; warning: what is wrong"),
    may("files", ListOf(WORD, 0), "message: attachments; always empty as yet"),
    may("state", OneOf(STATES), "delivery: the state now reached"),
    may("to", ID, "delivery: the recipient"),
    may("reason", REASON, "delivery: why it failed"),
    may("fingerprint", HEX64, "key-changed: of the root key"),
    may("login", YES, "key-changed: true where the root key stayed, and another device is in use under it"),
    may("needs_newer_version", YES, "message: true for a kind that this version does not know"),
)

PASSWORD: Final = Base64(limits.PASSWORD_BYTES)
PRIME: Final = Base64(limits.RSA_BYTES // 2)
DONGLE: Final = Base64(32)
KDF: Final = OneOf(("standard", "light"))  # keys/seal.py

KEY_SHOWN: Final = record(
    need("id", ID, "own"),
    need("fingerprint", HEX64, "SHA-256 of the root key"),
    need("pubkey_md5", HEX32, "MD5 of the same, to notice damage"),
    need("created_ms", TIME_MS, "the day on which the key was made"),
    need("key_log", Integer(1), "entries of the key log: 1 until the key is rotated"),
    need("key_log_held", YES, "false: restored without the log, and no contact has sent it yet"),
    need("device", HEX32, "this device"),
    need("devices", Integer(1), "in the set that the root signed"),
    need("devices_until_ms", TIME_MS, "when that set expires; it is renewed before"),
    need("backup_verified_ms", Nullable(TIME_MS), "when a backup was last proved; null: never"),
)

NET_STATUS: Final = record(
    need("listen", ADDRESSES, "where the gate listens"),
    need("carriers", ListOf(WORD, 8), "what it serves and dials, the preferred one first"),
    need("reachable", ADDRESSES, "own addresses, as cards and contacts get them"),
    need("links", Integer(), "authenticated links"),
    need("half_open", Integer(), "visitors who have not proven yet who they are"),
    need("half_open_limit", Integer(1), "most of them"),
    need("clock", OneOf(("ok", "stepped", "wrong")), "stepped: it was set since the start; wrong: it cannot be right"),
)

NET_PEER: Final = record(
    need("id", ID, "who"),
    need(
        "state",
        OneOf(("linked", "dialling", "waiting", "probing", "refused", "idle")),
        "probing: many tries failed, the next are rare; refused: no address may be dialled; idle: not wanted",
    ),
    need("path", OneOf(("direct", "relayed", "tor", "none")), "of the link"),
    need("carrier", OneOf(("ws", "poll", "tls", "raw", "none")), "of the link"),
    need("dialled", Nullable(YES), "whether this side made the link; null: there is none"),
    need("address", Nullable(ADDRESS), "of the other end"),
    need("since_ms", Nullable(TIME_MS), "when the link was authenticated"),
    need("next_try_ms", Nullable(TIME_MS), "when it is dialled again; null: not by itself"),
    need("reason", REASON, "why there is no link; empty where none was tried"),
)

SAMPLE: Final = record(
    need("name", Text(96, 1, "[a-z][a-z0-9_]*"), "of the family; rpc/metrics.py holds all"),
    need("labels", Words("[a-z_]{1,32}", LABEL_VALUE, 4), "words of closed sets"),
    need("value", Integer(), "of a family in seconds: microseconds"),
)
SAMPLES: Final = record(need("metrics", ListOf(SAMPLE, 512), "in no particular order"))

SETTING: Final = record(
    need("key", WORD, "name"),
    need("value", Text(4096, 0), "value in force, as `config set` takes it; a list is joined with commas"),
    need("default", Text(4096, 0), "value where nothing is set"),
    need("help", Text(256), "what it does"),
)
