"""Words in a history, oldest first. Slow: for ``Store.read_slow``.

Each word of a query must begin a word of the text; case and accents do not count. In scripts that set no blanks between
words the index knows only whole runs of signs, so a query in such a script is looked for as it stands.

The index follows the texts (``index``): whoever searches brings it up to date first.
"""

from typing import Final

from p2pchat.store import meta
from p2pchat.store.messages import COLUMNS, TABLES, Message, Position, from_row
from p2pchat.store.tx import Reader, Tx

INDEX_TEXTS: Final = 256  # in one transaction,
INDEX_BYTES: Final = 128 * 1024  # of so many bytes or one text: about 10 ms, in which no message is stored

_ORDER: Final = "m.clock, m.sent_ms, m.device, m.message"
# Thai to Khmer, kana, CJK ideographs and their extensions: written without blanks.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0xA4CF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def behind(reader: Reader) -> bool:
    """Whether there are texts that the index does not know."""
    newest = reader.value("SELECT seq FROM sqlite_sequence WHERE name = 'contents'") or 0
    return bool(newest > meta.integer(reader, meta.INDEXED))


def index(tx: Tx) -> bool:
    """Let the index learn the next texts; whether there are more."""
    known = meta.integer(tx, meta.INDEXED)
    rows = tx.all("SELECT id, octet_length(content) FROM contents WHERE id > ? ORDER BY id LIMIT ?", known, INDEX_TEXTS)
    upto, total = known, 0
    for content, size in rows:
        upto, total = content, total + size
        if total >= INDEX_BYTES:
            break
    if not rows:  # what is missing was deleted meanwhile
        upto = tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'contents'") or 0
    tx.execute(
        "INSERT INTO texts (rowid, content)"
        " SELECT id, content FROM contents WHERE id > ? AND id <= ? AND typeof(content) = 'text'",
        *(known, upto),
    )
    meta.put(tx, meta.INDEXED, upto)
    return behind(tx)


def search(reader: Reader, contact: int, query: str, *, after: Position | None = None, limit: int) -> list[Message]:
    """Messages with ``contact`` whose text matches, from ``after`` on (None: from the start)."""
    condition, value = _condition(query)
    if not value:
        return []
    place = (after.clock, after.sent_ms, after.device, after.message) if after else (-1, -1, b"", b"")
    rows = reader.all(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE m.contact = ? AND {condition}"
        f" AND ({_ORDER}) > (?, ?, ?, ?) ORDER BY {_ORDER} LIMIT ?",
        *(contact, value, *place, limit),
    )
    return [from_row(row) for row in rows]


def before_last(reader: Reader, contact: int, query: str, count: int) -> Position | None:
    """The place from which ``search`` finds the last ``count`` matches; None: from the start."""
    condition, value = _condition(query)
    if not value:
        return None
    row = reader.one(
        f"SELECT {_ORDER} FROM {TABLES} WHERE m.contact = ? AND {condition}"
        " ORDER BY m.clock DESC, m.sent_ms DESC, m.device DESC, m.message DESC LIMIT 1 OFFSET ?",
        *(contact, value, count),
    )
    return Position(*row) if row else None


def _condition(query: str) -> tuple[str, str]:
    """(SQL with one parameter, its value); the value is empty where nothing can match."""
    if any(low <= ord(sign) <= high for sign in query for low, high in _UNSPACED):
        return "instr(t.content, ?) > 0", query.strip()
    words = [word.replace('"', '""') for word in query.replace("\0", " ").split() if any(map(str.isalnum, word))]
    return "m.content IN (SELECT rowid FROM texts WHERE texts MATCH ?)", " ".join(f'"{word}"*' for word in words)
