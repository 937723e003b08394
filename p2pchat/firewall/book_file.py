"""gate.db: the address book, and which knocks were used. It can be rebuilt: a damaged one is replaced, not mourned."""

import contextlib
import logging
from pathlib import Path
from typing import Any, Final

import apsw
import trio

from p2pchat.env import Env
from p2pchat.errors import BadFormat, Corrupt, DiskFull, Failed
from p2pchat.firewall.address_book import AddressBook, Page
from p2pchat.ids import UserId
from p2pchat.link.carriers.knock import REMEMBERED_KNOCKS, UsedKnocks

WRITE_EVERY_S: Final = 5.0  # how long news that can be learnt again may wait
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS pages (user BLOB PRIMARY KEY, page BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS knocks (number INTEGER PRIMARY KEY, nonce BLOB NOT NULL) -- in the order of their use
"""
_log = logging.getLogger(__name__)


class BookFile:
    """Loads both, and writes what changes in them."""

    def __init__(self, env: Env, db: Any, book: AddressBook, knocks: UsedKnocks) -> None:
        self._env = env
        self._db = db
        self._lock = trio.Lock()
        self.book = book
        self.knocks = knocks

    @classmethod
    async def open(cls, env: Env, path: Path, key: bytes) -> "BookFile":
        """Open or make ``path``; a damaged file is started anew. Raises Failed, DiskFull."""
        try:
            return cls(env, *await env.db_work(_load, env, path, key))
        except Corrupt as error:
            _log.warning("gate.db is damaged and begins anew: %s", error.message)
            _set_aside(path)
            return cls(env, *await env.db_work(_load, env, path, key))

    async def save(self) -> None:
        """Write what has changed. Raises Failed where the disk does not take it; the changes wait for the next call."""
        async with self._lock:
            pages, nonces = self.book.take_changes(), self.knocks.take_changes()
            if not pages and not nonces:
                return
            try:
                await self._env.db_work(_write, self._db, pages, nonces)
            except BaseException as error:  # whatever the disk says, or who is cancelled: the changes are not lost
                self.book.put_back(pages)
                self.knocks.put_back(nonces)
                if not isinstance(error, Exception):
                    raise
                raise Failed(f"the address book cannot be written: {error}", hint="p2pchat doctor") from error

    async def run(self) -> None:
        """Save every few seconds, for ever."""
        while True:
            await trio.sleep(WRITE_EVERY_S)
            await self.try_to_save()

    async def try_to_save(self) -> None:
        """Save where the disk allows it; the gate serves on where it does not."""
        try:
            await self.save()
        except Failed as error:
            _log.warning("%s", error.message)

    def close(self) -> None:
        _let_go(self._db)


def _set_aside(path: Path) -> None:
    """Keep the damaged files beside their names; SQLite would play an old log into a new database."""
    for suffix in ("", "-wal", "-shm"):
        damaged = path.with_name(path.name + suffix)
        try:
            damaged.replace(path.with_name(f"{path.name}.damaged{suffix}"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Failed(f"cannot set {damaged} aside: {error.strerror}", hint=f"ls -ld {path.parent}") from error


def _let_go(db: Any) -> None:
    """Close it, also where the disk fails: the log keeps what was committed for the next start."""
    with contextlib.suppress(apsw.Error):
        db.close()


def _load(env: Env, path: Path, key: bytes) -> tuple[Any, AddressBook, UsedKnocks]:
    db = env.disk.open_db(path, key)
    try:
        db.execute(_SCHEMA)
        pages = {}
        for user, raw in db.execute("SELECT user, page FROM pages"):
            try:
                pages[UserId(bytes(user))] = Page.decode(bytes(raw))
            except BadFormat as error:
                _log.warning("a page of gate.db is dropped: %s", error.message)
        knocks = UsedKnocks([bytes(nonce) for (nonce,) in db.execute("SELECT nonce FROM knocks ORDER BY number")])
    except apsw.CorruptError as error:
        _let_go(db)
        raise Corrupt(f"{path} is damaged", hint="p2pchat doctor") from error
    except apsw.FullError as error:
        _let_go(db)
        raise DiskFull(f"no room to write {path}", hint="free some space and try again") from error
    except apsw.Error as error:  # not a reason to throw away what the user typed: it may be read another time
        _let_go(db)
        raise Failed(f"cannot use {path}: {error}", hint="p2pchat doctor") from error
    except BaseException:  # a cancellation, too, leaves no open database
        _let_go(db)
        raise
    return db, AddressBook(pages), knocks


def _write(db: Any, pages: dict[UserId, Page], nonces: list[bytes]) -> None:
    with db:  # one transaction
        for user, page in pages.items():
            db.execute("INSERT OR REPLACE INTO pages VALUES (?, ?)", (user, page.encode()))
        for nonce in nonces:
            db.execute("INSERT INTO knocks (nonce) VALUES (?)", (nonce,))
        if nonces:
            db.execute("DELETE FROM knocks WHERE number <= (SELECT max(number) FROM knocks) - ?", (REMEMBERED_KNOCKS,))
