"""What a tracker remembers, in memory: a record, a question, a mailbox a slot. ``changed`` feeds a disk. Pure.

Nothing here says whose a slot is. Keys of the tables are handles (8 bytes), and a row holds the rest of its slot, so
that whoever finds another slot of the same handle reads and writes nothing of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Final

from p2pchat.wire.tracker_packets import HANDLE_BYTES

RECORD_S: Final = 5 * 3600  # a record that is not refreshed
QUESTION_S: Final = 36 * 3600
LETTER_S: Final = 7 * 24 * 3600
LETTERS: Final = 50  # a slot
LETTER_ID_BYTES: Final = 8


@dataclass(slots=True)
class Row:
    """A record or a question."""

    rest: bytes  # of the slot, behind the handle
    sequence: int
    expires_s: int
    content: bytes


@dataclass(slots=True)
class Letter:
    id: bytes  # the first 8 bytes of its SHA-256
    expires_s: int
    content: bytes


class Written(Enum):
    DONE = "done"
    AGAIN = "again"  # this very sequence: the answer was lost
    OLD = "old"
    OTHER = "other"  # the handle is another slot's
    FULL = "full"


@dataclass(slots=True)
class Table:
    """``most``: rows and letters that there may be. A new one beyond is refused; nothing that lives gives way."""

    most_rows: int
    most_letters: int
    records: dict[bytes, Row] = field(default_factory=dict)
    questions: dict[bytes, Row] = field(default_factory=dict)
    letters: dict[bytes, list[Letter]] = field(default_factory=dict)
    count_of_letters: int = 0
    changed: set[tuple[str, bytes]] = field(default_factory=set)  # (table, handle) to be written to disk

    def write(self, name: str, slot: bytes, sequence: int, content: bytes, expires_s: int, now_s: int) -> Written:
        """``name``: records or questions. The higher sequence wins."""
        rows, handle = self._rows(name), slot[:HANDLE_BYTES]
        row = rows.get(handle)
        if row is not None and row.expires_s > now_s:
            if row.rest != slot[HANDLE_BYTES:]:
                return Written.OTHER
            if sequence <= row.sequence:
                return Written.AGAIN if sequence == row.sequence else Written.OLD
        elif row is None and len(rows) >= self.most_rows:
            return Written.FULL
        rows[handle] = Row(slot[HANDLE_BYTES:], sequence, expires_s, content)
        self.changed.add((name, handle))
        return Written.DONE

    def read(self, name: str, slot: bytes, now_s: int) -> bytes | None:
        row = self._rows(name).get(slot[:HANDLE_BYTES])
        if row is None or row.expires_s <= now_s or row.rest != slot[HANDLE_BYTES:]:
            return None
        return row.content or None  # its owner left

    def refresh(self, handle: bytes, sequence: int, expires_s: int, now_s: int) -> Written:
        """Let the record of a handle live on. OTHER where it has none."""
        row = self.records.get(handle)
        if row is None or row.expires_s <= now_s:
            return Written.OTHER
        if sequence <= row.sequence:
            return Written.AGAIN if sequence == row.sequence else Written.OLD
        row.sequence, row.expires_s = sequence, expires_s
        self.changed.add(("records", handle))
        return Written.DONE

    def leave(self, handle: bytes, sequence: int, now_s: int) -> None:
        """Its owner goes: the content is forgotten. The number stays until it would have ended, against replays."""
        row = self.records.get(handle)
        if row is not None and row.expires_s > now_s and sequence > row.sequence:
            row.sequence, row.content = sequence, b""
            self.changed.add(("records", handle))

    # --- letters ------------------------------------------------------------------------------------------------------

    def put_letter(self, slot: bytes, content: bytes, now_s: int) -> Written:
        """FULL where the slot or the table has no room; nothing that waits gives way."""
        handle, letter = slot[:HANDLE_BYTES], letter_id(content)
        waiting = self._living(handle, now_s)
        if any(one.id == letter for one in waiting):
            return Written.AGAIN
        if len(waiting) >= LETTERS or self.count_of_letters >= self.most_letters:
            return Written.FULL
        self.letters.setdefault(handle, []).append(Letter(letter, now_s + LETTER_S, content))
        self.count_of_letters += 1
        self.changed.add(("letters", handle))
        return Written.DONE

    def fetch(self, handle: bytes, done: bytes, now_s: int) -> tuple[int, bytes | None]:
        """(how many wait, the oldest); ``done`` goes first."""
        waiting = self._living(handle, now_s)
        for letter in waiting:
            if letter.id == done:
                self._drop(handle, letter)
                break
        waiting = self.letters.get(handle, [])
        return len(waiting), waiting[0].content if waiting else None

    def waiting(self, handle: bytes, now_s: int) -> int:
        return len(self._living(handle, now_s))

    # --- time ---------------------------------------------------------------------------------------------------------

    def expire(self, now_s: int) -> int:
        """Forget what has ended; how much. Walks the whole table: call it now and then."""
        before = len(self.records) + len(self.questions) + self.count_of_letters
        for name in ("records", "questions"):
            rows = self._rows(name)
            for handle in [handle for handle, row in rows.items() if row.expires_s <= now_s]:
                del rows[handle]
                self.changed.add((name, handle))
        for handle in list(self.letters):
            self._living(handle, now_s)
        return before - len(self.records) - len(self.questions) - self.count_of_letters

    def take_changes(self) -> Iterator[tuple[str, bytes, list[Row] | list[Letter]]]:
        """(table, handle, what stands there now), for everything that changed since the last call."""
        changed, self.changed = self.changed, set()
        for name, handle in changed:
            if name == "letters":
                yield name, handle, list(self.letters.get(handle, []))
            else:
                row = self._rows(name).get(handle)
                yield name, handle, [row] if row is not None else []

    def _rows(self, name: str) -> dict[bytes, Row]:
        return self.records if name == "records" else self.questions

    def _living(self, handle: bytes, now_s: int) -> list[Letter]:
        waiting = self.letters.get(handle)
        if waiting is None:
            return []
        for letter in [letter for letter in waiting if letter.expires_s <= now_s]:
            self._drop(handle, letter)
        return self.letters.get(handle, [])

    def _drop(self, handle: bytes, letter: Letter) -> None:
        self.letters[handle].remove(letter)
        self.count_of_letters -= 1
        self.changed.add(("letters", handle))
        if not self.letters[handle]:
            del self.letters[handle]


def letter_id(content: bytes) -> bytes:
    return sha256(content).digest()[:LETTER_ID_BYTES]
