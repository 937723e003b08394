"""Where one identity lives on disk, and whether that place is fit to hold it.

``--home DIR`` or ``P2PCHAT_HOME`` holds everything; otherwise configuration goes to ``XDG_CONFIG_HOME`` and
all else, sockets included, to ``XDG_DATA_HOME``: a runtime directory would vanish at logout under a running
daemon, and a cron job, which has none, would look for the socket elsewhere.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from p2pchat import atomic
from p2pchat.errors import Corrupt, DiskFull, Exists, Failed, NotFound

FORMAT: Final = 1  # raised when an older p2pchat can no longer read a home
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Home:
    """The files of one identity. Paths are absolute; nothing is touched before ``create`` or ``check``."""

    config_dir: Path
    data_dir: Path

    @classmethod
    def find(cls, option: str | None, environ: Mapping[str, str]) -> "Home":
        """The home that ``--home`` (``option``) or the environment names. Raises Failed where none does."""
        chosen = option or environ.get("P2PCHAT_HOME")
        if chosen:
            whole = Path(os.path.abspath(_expand(chosen, environ)))  # noqa: PTH100 - a link stays the name the user gave
            return cls(whole, whole)
        config = _xdg("XDG_CONFIG_HOME", ".config", environ)
        data = _xdg("XDG_DATA_HOME", ".local/share", environ)
        return cls(config / "p2pchat", data / "p2pchat")

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """``base`` changed so that a process started with it finds this very home."""
        if self.config_dir == self.data_dir:
            return {**base, "P2PCHAT_HOME": str(self.data_dir)}
        rest = {name: value for name, value in base.items() if name != "P2PCHAT_HOME"}
        return rest | {
            "XDG_CONFIG_HOME": str(self.config_dir.parent),
            "XDG_DATA_HOME": str(self.data_dir.parent),
        }

    @property
    def config_file(self) -> Path:
        return self.config_dir / "config.toml"

    @property
    def unlock_file(self) -> Path:
        """The key-encryption key, sealed under the password: what a new password rewrites."""
        return self.data_dir / "unlock.key"

    @property
    def vault_file(self) -> Path:
        return self.data_dir / "vault.key"

    @property
    def gate_file(self) -> Path:
        return self.data_dir / "gate.key"

    @property
    def store_db(self) -> Path:
        return self.data_dir / "store.db"

    @property
    def store_mark(self) -> Path:
        """There from the first moment that a store was there: one that is missing later was lost, and is not new."""
        return self.data_dir / "store.begun"

    @property
    def gate_db(self) -> Path:
        return self.data_dir / "gate.db"

    @property
    def lock_file(self) -> Path:
        return self.data_dir / "lock"

    @property
    def rpc_sock(self) -> Path:
        return self.data_dir / "rpc.sock"

    @property
    def gate_sock(self) -> Path:
        return self.data_dir / "gate.sock"

    @property
    def log_file(self) -> Path:
        return self.data_dir / "logs" / "daemon.log"

    @property
    def port_file(self) -> Path:
        """The port that was picked the first time somebody asked for port 0."""
        return self.data_dir / "port"

    @property
    def version_file(self) -> Path:
        return self.data_dir / "version"

    @property
    def has_identity(self) -> bool:
        return self.unlock_file.exists()

    def holds(self, path: Path) -> bool:
        """Whether ``path`` lies in it, by whatever name."""
        whole = path.resolve()
        return bool({self.data_dir.resolve(), self.config_dir.resolve()} & {whole, *whole.parents})

    def create(self) -> None:
        """Make the directories (0700) and the version file, or find them fit. Raises Failed as ``check``."""
        for directory in self._directories():
            _make_private(directory)
        self._check_version()
        if not self.version_file.exists():
            atomic.replace(self.version_file, f"{FORMAT}\n".encode())

    def check(self) -> None:
        """Raise NotFound where no identity is, Failed where the home is unsafe, unwritable or too new."""
        for directory in self._directories():
            if _exists(directory):
                _check_private(directory)
        self._check_version()
        if not _exists(self.data_dir) or not self.has_identity:
            raise NotFound(f"there is no identity in {self.data_dir}", hint="p2pchat init")

    def remove_identity(self) -> None:
        """Undo an ``init`` that came to nothing. Only whoever made it a moment ago may call this."""
        for file in (self.unlock_file, self.gate_file, self.vault_file):
            file.unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """What a crash left of key files that were being rewritten. Only whoever holds the lock may call it."""
        for file in (self.unlock_file, self.vault_file, self.gate_file):
            for rest in self.data_dir.glob(f".{file.name}.*"):
                rest.unlink(missing_ok=True)

    def check_store(self) -> None:
        """Raise Corrupt where the store was lost: nobody's messages shall begin anew without a word."""
        if _exists(self.store_mark) and not _exists(self.store_db):
            raise Corrupt(
                f"{self.store_db} is gone, and with it contacts and messages: put it back from a copy of the home, or"
                " begin an empty one",
                hint="p2pchat daemon start --new-store",
            )

    def begin_new_store(self) -> None:
        """The user's word that a lost store shall not come back; its log, if that is left, is moved aside.

        Raises Exists where there is a store, Failed where the files cannot be moved.
        """
        if _exists(self.store_db):
            raise Exists(f"there is a store: {self.store_db}", hint="p2pchat daemon start")
        try:
            for suffix in ("-wal", "-shm"):
                rest = self.store_db.with_name(self.store_db.name + suffix)
                if rest.exists():
                    rest.replace(rest.with_name(rest.name + ".old"))
            self.store_mark.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self.data_dir, error) from error

    def _directories(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.config_dir, self.data_dir, self.log_file.parent)))

    def _check_version(self) -> None:
        try:
            text = self.version_file.read_bytes()[:32].decode("ascii", "replace").strip()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unusable(self.data_dir, error) from error
        if not text.isdecimal():
            hint = f"write the number {FORMAT} into it if you know that this p2pchat made the home"
            raise Failed(f"the version file {self.version_file} is damaged", hint=hint)
        if int(text) > FORMAT:
            hint = "upgrade p2pchat, or choose another home with --home"
            raise Failed(f"the home {self.data_dir} was made by a newer p2pchat", hint=hint)


def _expand(path: str, environ: Mapping[str, str]) -> str:
    if path == "~" or path.startswith("~/"):  # a shell leaves --home=~/x as it is
        return str(_user_dir(environ)) + path[1:]
    return path


def _xdg(name: str, default: str, environ: Mapping[str, str]) -> Path:
    value = environ.get(name, "")
    # The XDG Base Directory Specification: a relative path is invalid and to be ignored.
    return Path(value) if value.startswith("/") else _user_dir(environ) / default


def _user_dir(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise Failed("HOME is not set, so there is no place for a home", hint="name one with --home DIR")
    return Path(home)


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # a path that is too long, or that we may not look at
        raise _unusable(path, error) from error
    return True


def _make_private(directory: Path) -> None:
    try:
        atomic.make_directory(directory)
        if directory.stat().st_uid == os.geteuid() and not any(directory.iterdir()):
            directory.chmod(0o700)  # a fresh mkdir of the user's, perhaps; nothing in it was ever open to others
    except OSError as error:
        raise _unusable(directory, error) from error
    _check_private(directory)


def _check_private(directory: Path) -> None:
    try:
        status = directory.stat()
    except OSError as error:
        raise _unusable(directory, error) from error
    if not stat.S_ISDIR(status.st_mode):
        raise Failed(f"{directory} is not a directory", hint="choose another home with --home DIR")
    if status.st_uid != os.geteuid():
        raise Failed(f"{directory} belongs to another user", hint="choose another home with --home DIR")
    if status.st_mode & _OTHERS:
        raise Failed(f"{directory} is open to other users", hint=f"chmod 700 {directory}")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise Failed(f"{directory} cannot be written", hint=f"chmod 700 {directory}")


def _unusable(path: Path, error: OSError) -> Failed:
    where = str(path) if len(str(path)) <= 200 else f"{str(path)[:200]}..."
    if error.errno in atomic.NO_ROOM:
        return DiskFull(f"no room to make {where}", hint="free some space and try again")
    return Failed(f"cannot use {where} as a home: {error.strerror}", hint="choose another home with --home DIR")
