"""``doctor``: what p2pchat needs here, one verdict a line, and the command that mends what is wrong."""

import importlib.metadata
import os
import platform
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, cast

import click

from p2pchat import config
from p2pchat.commands.ask import ask, client
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.output import print_json, print_line
from p2pchat.errors import Failed, NoDaemon, P2PChatError, TimedOut
from p2pchat.home import Home
from p2pchat.show import show

_FREE_BYTES: Final = 256 * 1024 * 1024
_PACKAGES: Final = ("apsw_sqlite3mc", "click", "cryptography", "msgpack", "pynacl", "trio")
_BUILT_S: Final = 1_767_225_600  # 2026-01-01: a clock before it is wrong
_SANE_S: Final = 4_102_444_800  # 2100-01-01: and one after it, too
_CONNECT_S: Final = 2.0
_CHECK_S: Final = 40.0  # longer than the daemon gives itself
_ANSWER_S: Final = 5.0  # a daemon that takes longer is what one asks the doctor about


@dataclass(frozen=True, slots=True)
class Verdict:
    check: str
    ok: bool
    detail: str
    mend: str = ""  # the command that mends it


@verb("doctor", "p2pchat doctor", "p2pchat doctor --json | jq 'select(.ok | not)'")
@click.option("--store", is_flag=True, help="Read the whole store, too: seconds for a long history.")
@pass_settings
def doctor(settings: Settings, store: bool) -> None:
    """Check Python, packages, clock, home, disk, daemon and port. Exit status 1 where something is wrong."""
    wrong = 0
    for verdict in [*verdicts(settings), *([_guarded("store pages", lambda: _pages(settings))] if store else [])]:
        wrong += not verdict.ok
        if settings.json:
            shape = {"check": verdict.check, "ok": verdict.ok, "detail": verdict.detail, "mend": verdict.mend}
            print_json(shape)
        else:
            mend = f"; mend it with: {verdict.mend}" if verdict.mend else ""
            print_line(f"{'ok   ' if verdict.ok else 'WRONG'}  {verdict.check}: {show(verdict.detail + mend)}")
    if wrong:
        raise Failed(f"{wrong} of the checks found something wrong", hint="see the lines above")


def verdicts(settings: Settings) -> Iterator[Verdict]:
    """All checks, each made when it is asked for."""
    yield _python()
    yield _packages()
    yield _clock()
    yield _guarded("home", lambda: _home(settings.home))
    yield _guarded("settings", lambda: _settings(settings.home))
    yield _guarded("disk", lambda: _disk(settings.home))
    yield _guarded("key files", lambda: _key_files(settings.home))
    yield _guarded("store", lambda: _store(settings.home))
    yield _guarded("daemon", lambda: _daemon(settings))
    yield _guarded("port", lambda: _port(settings))


def _guarded(check: str, look: Callable[[], Verdict]) -> Verdict:
    try:
        return look()
    except P2PChatError as error:
        return Verdict(check, False, error.message, error.hint)
    except OSError as error:
        return Verdict(check, False, f"{error.filename}: {error.strerror}")


def _python() -> Verdict:
    fit = sys.version_info >= (3, 11)
    return Verdict("python", fit, platform.python_version(), "" if fit else "install Python 3.11 or newer")


def _packages() -> Verdict:
    missing = []
    for name in _PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    detail = f"missing: {', '.join(missing)}" if missing else f"{len(_PACKAGES)} found"
    return Verdict("packages", not missing, detail, f"pip install {' '.join(missing)}" if missing else "")


def _clock() -> Verdict:
    fit = _BUILT_S < time.time() < _SANE_S
    detail = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    return Verdict("clock", fit, detail, "" if fit else "timedatectl set-ntp true")


def _home(home: Home) -> Verdict:
    home.check()
    return Verdict("home", True, str(home.data_dir))


def _settings(home: Home) -> Verdict:
    config.load(home.config_file)
    return Verdict("settings", True, str(home.config_file))


def _disk(home: Home) -> Verdict:
    place = next(folder for folder in (home.data_dir, *home.data_dir.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free // 2**20} MiB free"
    return Verdict("disk", free >= _FREE_BYTES, detail, "" if free >= _FREE_BYTES else f"df -h {place}")


def _key_files(home: Home) -> Verdict:
    files = (home.unlock_file, home.vault_file, home.gate_file)
    for path in files:
        try:
            status = path.lstat()
        except FileNotFoundError:
            some = any(file.exists() for file in files)
            mend = f"restore {path.name} from a copy of the home" if some else "p2pchat init"
            return Verdict("key files", False, f"{path} is missing", mend)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return Verdict("key files", False, f"{path} is not a file of one's own", f"ls -l {path}")
        if status.st_mode & 0o077:
            return Verdict("key files", False, f"{path} is open to other users", f"chmod 600 {path}")
    return Verdict("key files", True, "three, private")


def _store(home: Home) -> Verdict:
    home.check_store()
    return Verdict(
        "store", True, str(home.store_db) if home.store_db.exists() else "begins with the first daemon start"
    )


def _pages(settings: Settings) -> Verdict:
    """Only the daemon has the store's key; it reads every page, and compares indexes with tables."""
    client(settings).answer_s = _CHECK_S
    answer = ask(settings, "store.check")
    if answer["sound"]:
        return Verdict("store pages", True, f"{cast(int, answer['size_bytes']) // 1024} KiB, sound")
    problems = cast(list[str], answer["problems"])
    return Verdict("store pages", False, "; ".join(problems), "p2pchat daemon stop; restore store.db from a copy")


def _daemon(settings: Settings) -> Verdict:
    client(settings).answer_s = _ANSWER_S
    try:
        answer = ask(settings, "daemon.status")
    except TimedOut:
        detail = f"it runs, but has not answered for {_ANSWER_S:.0f} s"
        return Verdict("daemon", False, detail, "p2pchat daemon stop; p2pchat daemon start")
    return Verdict("daemon", True, f"process {answer['pid']}, version {answer['version']}")


def _port(settings: Settings) -> Verdict:
    """Whether the port takes connections from this host; the world's view only somebody outside can tell."""
    try:
        listen = cast(list[str], ask(settings, "daemon.status")["listen"])
    except NoDaemon as error:
        return Verdict("port", False, "nothing listens", error.hint)
    except TimedOut:
        return Verdict("port", False, "the daemon does not say where it listens")
    for address in listen:
        host, port = config.split_address(address) or ("", 0)
        try:
            socket.create_connection((_reachable(host), port), _CONNECT_S).close()
        except OSError as error:
            return Verdict("port", False, f"{address}: {error.strerror or error}", "p2pchat config get listen")
    return Verdict("port", bool(listen), ", ".join(listen) or "the daemon listens nowhere")


def _reachable(host: str) -> str:
    """A wildcard is no address to connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
