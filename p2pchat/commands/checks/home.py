"""The home's files: permissions, settings, room, keys, store, logs, and who works in it."""

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from p2pchat import config
from p2pchat.commands.checks.verdict import Verdict, guarded
from p2pchat.home import Home
from p2pchat.launch import lock

LEAST_BYTES: Final = 16 * 1024 * 1024  # below it a commit may fail any moment
FREE_BYTES: Final = 256 * 1024 * 1024
LOG_BYTES: Final = 64 * 1024 * 1024
AHEAD_S: Final = 24 * 3600.0  # files from so far in the future were written under another clock


def checks(home: Home) -> Iterator[Verdict]:
    yield guarded("home", lambda: _home(home))
    yield guarded("settings", lambda: _settings(home))
    yield guarded("disk", lambda: _disk(home))
    yield guarded("key files", lambda: _key_files(home))
    yield guarded("password file", _password_file)
    yield guarded("store", lambda: _store(home))
    yield guarded("logs", lambda: _logs(home))
    yield guarded("lock", lambda: _lock(home))


def _home(home: Home) -> Verdict:
    home.check()
    return Verdict("home", "ok", str(home.data_dir))


def _settings(home: Home) -> Verdict:
    config.load(home.config_file)
    return Verdict("settings", "ok", str(home.config_file))


def _disk(home: Home) -> Verdict:
    place = next(folder for folder in (home.data_dir, *home.data_dir.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free // 2**20} MiB free"
    if free >= FREE_BYTES:
        return Verdict("disk", "ok", detail)
    return Verdict("disk", "bad" if free < LEAST_BYTES else "warn", detail, f"df -h {place}")


def _key_files(home: Home) -> Verdict:
    files = (home.unlock_file, home.vault_file, home.gate_file)
    for path in files:
        try:
            status = path.lstat()
        except FileNotFoundError:
            some = any(file.exists() for file in files)
            mend = f"restore {path.name} from a copy of the home" if some else "p2pchat init"
            return Verdict("key files", "bad", f"{path} is missing", mend)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return Verdict("key files", "bad", f"{path} is not a file of one's own", f"ls -l {path}")
        if status.st_mode & 0o077:
            return Verdict("key files", "bad", f"{path} is open to other users", f"chmod 600 {path}")
    return Verdict("key files", "ok", "three, private")


def _password_file() -> Verdict:
    """The one that the environment names; one that is given by an option nobody can know here."""
    named = os.environ.get("P2PCHAT_PASSWORD_FILE")
    if not named or named == "-":
        return Verdict("password file", "ok", "the environment names none")
    try:
        status = Path(named).stat()
    except FileNotFoundError:
        return Verdict("password file", "bad", f"{named} is missing", "unset P2PCHAT_PASSWORD_FILE")
    if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
        return Verdict("password file", "warn", f"{named} is open to other users", f"chmod 600 {named}")
    return Verdict("password file", "ok", named)


def _store(home: Home) -> Verdict:
    home.check_store()
    if not home.store_db.exists():
        return Verdict("store", "ok", "begins with the first daemon start")
    ahead_s = home.store_db.stat().st_mtime - time.time()
    if ahead_s > AHEAD_S:
        detail = f"{home.store_db} was written {ahead_s / 86400:.0f} days from now: the clock was set back"
        return Verdict("store", "warn", detail, "timedatectl set-ntp true")
    return Verdict("store", "ok", str(home.store_db))


def _logs(home: Home) -> Verdict:
    folder = home.log_file.parent
    sizes = {path: path.stat().st_size for path in folder.iterdir()} if folder.is_dir() else {}
    detail = f"{sum(sizes.values()) // 1024} KiB in {folder}"
    if sum(sizes.values()) <= LOG_BYTES:
        return Verdict("logs", "ok", detail)
    largest = max(sizes, key=lambda path: sizes[path])
    return Verdict("logs", "warn", detail, f"truncate -s 0 {largest}")


def _lock(home: Home) -> Verdict:
    pid = lock.holder(home.lock_file)
    if pid is None:
        return Verdict("lock", "ok", "free: no daemon runs")
    if pid == 0:
        return Verdict("lock", "warn", "held by what is left of a daemon, or by one that begins", "p2pchat doctor")
    return Verdict("lock", "ok", f"held by process {pid}")
