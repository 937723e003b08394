"""The control socket's methods: one table that serves the server, ``rpc call`` and ``rpc schema``.

A method bears its verb's name: ``contact add`` is ``contact.add``. Results carry no ``"v"``: the command line adds it.
Times are Unix milliseconds and end in ``_ms``; bytes are base64 in the JSON and ``bytes`` for a handler.

Lists come in pages, so that an answer always fits in one line: a result has ``next``, which the following call passes
back as ``page``; null means that this was the last page. A page ends at ``PAGE_ITEMS`` items or before its texts exceed
``PAGE_TEXT_BYTES`` (a control character takes six bytes in JSON), and always holds one item where there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from p2pchat import limits
from p2pchat.errors import Usage
from p2pchat.rpc.fields import (
    ADDRESS,
    ADDRESSES,
    ALIAS,
    AWAITABLE,
    CARD_CODE,
    COMPARISON,
    COMPARISON_STATES,
    CONTACT,
    DONGLE,
    EVENT,
    HEX64,
    HISTORY_ROW,
    ID,
    KDF,
    KEY_SHOWN,
    MESSAGE,
    MESSAGE_PREFIX,
    MESSAGE_SHOWN,
    NAMED_MESSAGE,
    NAMED_PEER,
    NET_PEER,
    NET_STATUS,
    OUTBOX_ROW,
    PAGE,
    PAGE_ITEMS,
    PASSWORD,
    PEER,
    PRIME,
    RECIPIENTS,
    REQUEST,
    SAFETY_NUMBER,
    SAMPLES,
    SENT,
    SESSION,
    SETTING,
    STATUS,
    TIME_MS,
    WAIT_MS,
    WHOAMI,
    WORD,
    YES,
    may,
    need,
    page_of,
    record,
)
from p2pchat.rpc.jsonlines import Json
from p2pchat.rpc.shape import Base64, Integer, ListOf, Nullable, OneOf, Record, Text, Value


@dataclass(frozen=True, slots=True)
class Method:
    """``socket``: ``rpc`` is answered by the vault, ``gate`` by the gate (only what the user alone may say there)."""

    name: str
    doc: str
    params: Record
    result: Record
    socket: Literal["rpc", "gate"] = "rpc"


_TABLE: Final = (
    # --- sending -----------------------------------------------------------------------------------------------
    Method(
        "send",
        "Store a text for one or more contacts and answer once it is on disk. FORBIDDEN, and nothing is stored,"
        " where a recipient is blocked; NOT_FOUND or AMBIGUOUS names the recipient.",
        record(
            need("to", ListOf(PEER, RECIPIENTS, 1), "recipients, each as a PEER; one named twice counts once"),
            need("text", Text(limits.TEXT_BYTES), "the message"),
            may("expires_s", Integer(*limits.EXPIRY_S), "give up after so many seconds"),
            may(
                "idempotency_key",
                Text(limits.IDEMPOTENCY_KEY_BYTES),
                "the same key again: the message that was stored first, and nothing is sent twice",
            ),
            may("wait", OneOf(AWAITABLE), "answer when every recipient has this state, as message.wait does"),
            may("wait_ms", Integer(0, WAIT_MS), "longest such wait; 0 unless told"),
        ),
        SENT,
    ),
    Method(
        "message.wait",
        "Wait until every recipient has the state, or can no longer get it (failed), or the time is up; then say how"
        " things stand.",
        record(
            need("message", MESSAGE, "message id"),
            need("state", OneOf(AWAITABLE), "the state to wait for; a higher one will do"),
            may("wait_ms", Integer(0, WAIT_MS), "longest wait", 0),
        ),
        SENT,
    ),
    # --- receiving ---------------------------------------------------------------------------------------------
    Method(
        "event.next",
        "Events that a reader has not confirmed, oldest first; at most PAGE_ITEMS and PAGE_TEXT_BYTES of text, at least"
        " one where there is one. `after` confirms: the reader is moved there, durably, before the answer.",
        record(
            may(
                "reader",
                Text(128),
                "durable position, at first before the oldest event; left out: cli, or cli:ID with `from`",
            ),
            may("after", Integer(), "cursor of the last event that was dealt with; never moves a reader back"),
            may("since", Integer(), "read what follows this cursor and move no reader (not with `after`, `reader`)"),
            may("peek", YES, "start at the reader, or after `after`, but move nothing", False),
            may("from", PEER, "only what this contact caused"),
            may("all", YES, "all types, not messages alone", False),
            may("limit", Integer(0, PAGE_ITEMS), "most events; 0: confirm alone", PAGE_ITEMS),
            may("wait_ms", Integer(0, WAIT_MS), "where there is none, wait for one so long", 0),
        ),
        record(
            need("events", ListOf(EVENT, PAGE_ITEMS), "empty where the time was up"),
            may("tries", Integer(), "how often a program failed at the event that follows the reader (event.failed)"),
        ),
    ),
    Method(
        "event.failed",
        "A program that deals with a reader's events failed at one. After"
        f" {limits.EXEC_RETRIES} retries the daemon gives the event up: it adds a `warning` and moves the reader on.",
        record(
            may("reader", Text(128), "as for event.next"),
            may("from", PEER, "as for event.next"),
            need("cursor", Integer(1), "of the event, the next one of this reader"),
            need("tries", Integer(1, limits.EXEC_RETRIES + 1), "how often it has failed by now"),
        ),
        record(need("given_up", YES, "whether the reader has moved past it")),
    ),
    Method(
        "history",
        "Messages with one contact, both directions, oldest first by the hybrid clock.",
        record(
            NAMED_PEER,
            may("search", Text(1024), "only texts that hold these words"),
            may("last", Integer(1), "begin so many messages before the end; otherwise at the start"),
            PAGE,
        ),
        page_of(HISTORY_ROW),
    ),
    Method("message.show", "One message with all that is known of it.", record(NAMED_MESSAGE), MESSAGE_SHOWN),
    Method(
        "message.withdraw",
        "Take an own message back: cancelled where it was not delivered, else the recipient is told to hide it.",
        record(NAMED_MESSAGE),
        MESSAGE_SHOWN,
    ),
    # --- outbox ------------------------------------------------------------------------------------------------
    Method("outbox.list", "What is not delivered yet, oldest first.", record(PAGE), page_of(OUTBOX_ROW)),
    Method(
        "outbox.show", "One message's deliveries that still wait.", record(NAMED_MESSAGE, PAGE), page_of(OUTBOX_ROW)
    ),
    Method(
        "outbox.retry",
        "Try now, without waiting for the next attempt: one message, or all.",
        record(may("message", MESSAGE_PREFIX, "only this one"), PAGE),
        page_of(OUTBOX_ROW),
    ),
    Method(
        "outbox.cancel",
        "Give up what is not delivered of one message; its deliveries become failed.",
        record(NAMED_MESSAGE),
        page_of(OUTBOX_ROW),
    ),
    # --- contacts ----------------------------------------------------------------------------------------------
    Method(
        "contact.card",
        "One's own card, to be given to somebody.",
        record(may("addresses", ADDRESSES, "write these instead of `advertise` or the bound addresses")),
        record(
            need("id", ID, "own ID"),
            need("card", Base64(limits.CARD_FILE_BYTES), "the card file"),
            need("code", CARD_CODE, "the card as the text of a QR code"),
            need("addresses", ADDRESSES, "what the card says"),
            need("expires_ms", TIME_MS, "until when it can be used"),
        ),
    ),
    Method(
        "contact.add",
        "Take a card and ask its owner for contact; of a known contact take the newer addresses and keys.",
        record(
            may("card", Base64(limits.CARD_FILE_BYTES), "the card file"),
            may("code", CARD_CODE, "the text of a card's QR code: this or the file; its addresses go to the gate"),
            may("alias", ALIAS, "own name for the contact"),
            may("message", Text(limits.NOTE_BYTES), "words that go with the request"),
        ),
        CONTACT,
    ),
    Method("contact.requests", "Requests not yet answered.", record(PAGE), page_of(REQUEST)),
    Method(
        "contact.accept",
        "Accept a request; of an accepted contact: say so.",
        record(need("id", PEER, "who asked")),
        CONTACT,
    ),
    Method(
        "contact.reject",
        "Refuse a request and forget it.",
        record(need("id", PEER, "who asked")),
        record(need("id", ID, "who asked"), need("rejected", YES, "true")),
    ),
    Method("contact.list", "All contacts, by alias, nickname, ID.", record(PAGE), page_of(CONTACT)),
    Method("contact.show", "One contact.", record(NAMED_PEER), CONTACT),
    Method(
        "contact.alias",
        "Give a contact an own name, or take it away.",
        record(NAMED_PEER, need("alias", Nullable(ALIAS), "the name; null: none")),
        CONTACT,
    ),
    Method(
        "contact.block",
        "Cut the link and refuse the contact until unblocked.",
        record(NAMED_PEER),
        CONTACT,
    ),
    Method(
        "contact.retry",
        "Try again now: dial the contact, and where the channel is healing or in error, agree keys anew without waiting"
        " for the time of the next try.",
        record(NAMED_PEER),
        CONTACT,
    ),
    Method("contact.unblock", "Undo a block.", record(NAMED_PEER), CONTACT),
    Method(
        "contact.remove",
        "Forget a contact; messages stay in the history.",
        record(NAMED_PEER),
        record(need("id", ID, "who was removed"), need("removed", YES, "true")),
    ),
    Method(
        "contact.verify",
        "The safety number of the pair: both sides see the same 60 digits, or somebody sits between. With `number`,"
        " which the other side told: equal, and the contact is verified; else UNTRUSTED, and nothing changes.",
        record(NAMED_PEER, may("number", SAFETY_NUMBER, "what the other side sees")),
        record(
            need("id", ID, "the contact"),
            need("safety_number", SAFETY_NUMBER, "60 digits"),
            may("other_safety_number", SAFETY_NUMBER, "of the other key, where two are about; `number` tells which"),
            need("verified", YES, "whether the keys were compared, now or before"),
        ),
    ),
    Method(
        "compare.begin",
        "Begin to compare keys live; what was under way with this contact is broken off. Both sides must begin."
        " RATE_LIMITED after five within a day.",
        record(NAMED_PEER),
        COMPARISON,
    ),
    Method(
        "compare.wait",
        "Wait until the state is another than `state`, or the time is up. A comparison that failed is told as the"
        " error: AUTH_FAILED where the other side did what no honest one does. Who does not ask for 90 s (shown: for"
        " 600 s) has gone, and the comparison with it.",
        record(
            NAMED_PEER,
            need("session", SESSION, "as compare.begin told"),
            need("state", OneOf(COMPARISON_STATES), "the state known"),
            may("wait_ms", Integer(0, WAIT_MS), "longest wait", 0),
        ),
        COMPARISON,
    ),
    Method(
        "compare.answer",
        "What the person in front of the screen says, once the pictures are shown: yes verifies the contact, no takes"
        " that away on both sides; cancel breaks off at any time. Only a person who compared may answer.",
        record(
            NAMED_PEER,
            need("session", SESSION, "as compare.begin told"),
            need("answer", OneOf(("yes", "no", "cancel")), "the same on both screens, or not"),
        ),
        COMPARISON,
    ),
    Method(
        "contact.address",
        "Type addresses of a contact, in place of those typed before.",
        record(
            need("id", ID, "whole ID: the gate knows no names"),
            need("addresses", ListOf(ADDRESS, limits.ADDRESSES, 1), "HOST:PORT"),
            may("lan", YES, "loopback and private ranges may be dialled", False),
            may("some", YES, "leave out what may not be dialled, rather than refuse all", False),
        ),
        record(need("id", ID, "the contact"), need("addresses", ADDRESSES, "what was typed, now in force")),
        socket="gate",
    ),
    # --- the own key -------------------------------------------------------------------------------------------
    Method("key.show", "What the own key is, and when a backup of it was last proved.", record(), KEY_SHOWN),
    Method(
        "key.backup",
        "The key in a sealed container, for the command line to put into a file, codes or a string."
        " WRONG_PASSWORD without the password of this home.",
        record(
            may("password", PASSWORD, "of this home"),
            may("dongle", DONGLE, "what this home's dongle answered; left out where it has none"),
            may("new_password", PASSWORD, "seals the container; left out, like new_dongle: as this home is sealed"),
            may("new_dongle", DONGLE, "what another dongle answered, instead of a new password or with it"),
            may("kdf", KDF, "cost of one guess at it", "standard"),
            may("split", YES, "new_password is a key, in hexadecimal, that is split in shares", False),
            may("with_log", YES, "with the public key log, for carriers that have room", False),
        ),
        record(
            need("id", ID, "whose"),
            need("set", WORD, "tells copies of this container from those of another"),
            need("container", Base64(limits.BACKUP_BYTES), "protocol.md 17"),
        ),
    ),
    Method(
        "key.verified",
        "Note that a backup was read back and restores this identity. UNTRUSTED where it is of another.",
        record(need("id", ID, "that the backup restores"), need("head", HEX64, "of its key log")),
        record(need("id", ID, "own"), need("backup_verified_ms", TIME_MS, "now")),
    ),
    Method(
        "key.passwd",
        "Seal this home's keys under another password, another dongle, or both. WRONG_PASSWORD changes nothing.",
        record(
            may("password", PASSWORD, "the present one"),
            may("dongle", DONGLE, "what the present dongle answered"),
            may("new_password", PASSWORD, "the one from now on; left out: none, but a dongle"),
            may("new_dongle", DONGLE, "what the dongle from now on answered; left out: none"),
            may("kdf", KDF, "cost of one guess at it", "standard"),
        ),
        record(need("id", ID, "own")),
    ),
    Method(
        "key.rotate",
        "Give the ID another root key, signed by the old one, or by the recovery key. Contacts learn of it on their"
        " next link; copies of the key that were made before are refused from then on.",
        record(
            may("password", PASSWORD, "of this home"),
            may("dongle", DONGLE, "what this home's dongle answered"),
            need("p", PRIME, "of the new key, big-endian"),
            need("q", PRIME, "the other one"),
            may("recovery", Text(256), "the recovery key that init printed"),
        ),
        KEY_SHOWN,
    ),
    # --- the node itself ---------------------------------------------------------------------------------------
    Method("whoami", "The own identity.", record(), WHOAMI),
    Method("status", "How the daemon fares.", record(), STATUS),
    Method("metrics", "What the vault counts.", record(), SAMPLES),
    Method("net.status", "How the gate fares.", record(), NET_STATUS, socket="gate"),
    Method("net.peers", "Links that stand or are wanted, by ID.", record(PAGE), page_of(NET_PEER), socket="gate"),
    Method("net.metrics", "What the gate counts.", record(), SAMPLES, socket="gate"),
    Method(
        "store.check",
        "Reads the whole store and says whether it is sound; TIMEOUT where 25 s do not suffice.",
        record(),
        record(
            need("sound", YES, "nothing is wrong"),
            need("problems", ListOf(Text(512), 8), "the first of them"),
            need("size_bytes", Nullable(Integer()), "of the database; null: not even that can be read"),
        ),
    ),
    Method(
        "daemon.status",
        "Which process answers.",
        record(),
        record(
            need("pid", Integer(1), "of the launcher"),
            need("version", WORD, "of the running program"),
            need("started_ms", TIME_MS, "when the daemon became ready"),
            need("listen", ADDRESSES, "where it listens"),
        ),
    ),
    Method(
        "daemon.stop",
        "Commit everything and end the daemon. The answer comes before the end.",
        record(),
        record(need("pid", Integer(1), "of the launcher, which is about to end")),
    ),
    Method(
        "config.list",
        "All settings with the values in force.",
        record(),
        record(need("items", ListOf(SETTING, PAGE_ITEMS), "by name")),
    ),
    Method("config.get", "One setting.", record(need("key", WORD, "its name")), SETTING),
    Method(
        "config.set",
        "Change one setting in the home's configuration file.",
        record(need("key", WORD, "its name"), need("value", Text(4096, 0), "as one would type it")),
        Record((*SETTING.fields, need("restart", YES, "true where it counts only after the next start"))),
    ),
)

METHODS: Final[Mapping[str, Method]] = {method.name: method for method in _TABLE}


def checked_params(name: str, params: Mapping[str, Json]) -> dict[str, Value]:
    """What a handler gets: every field checked, base64 decoded, defaults filled in.

    Raises Usage for an unknown method, BadFormat for an unknown, missing or ill field.
    """
    if name not in METHODS:
        raise Usage(f"there is no method {name[:64]!r}", hint="p2pchat rpc schema")
    return METHODS[name].params.check(dict(params), name)
