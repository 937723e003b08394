"""The daemon, as far as it answers: vault, gate, port, contacts, what waits."""

import socket
import time
from collections.abc import Iterator
from typing import Final, cast

from p2pchat import config
from p2pchat.commands.ask import Row, ask, ask_list, client
from p2pchat.commands.checks.verdict import Verdict, guarded
from p2pchat.commands.frame import Settings
from p2pchat.errors import NoDaemon, TimedOut
from p2pchat.show import show_name

ANSWER_S: Final = 5.0  # a daemon that takes longer is what one asks the doctor about
CONNECT_S: Final = 2.0
CHECK_S: Final = 40.0  # longer than the daemon gives itself to read its whole store
GRACE_DAYS: Final = 7  # of a new key, until its lack of a copy is a finding
BACKUP_DAYS: Final = 180  # since a copy was last read back
WAITS_S: Final = 24 * 3600  # a message that waits longer is worth a word
_CLOCK_MEND: Final = "timedatectl set-ntp true"


def checks(settings: Settings, *, pages: bool) -> Iterator[Verdict]:
    """Where none runs that is the one verdict: what hangs on it is no further finding."""
    try:
        answer = _daemon(settings)
    except NoDaemon as error:
        yield Verdict("daemon", "bad", error.message, error.hint)
        return
    except TimedOut:
        detail = f"it runs, but has not answered for {ANSWER_S:.0f} s"
        yield Verdict("daemon", "bad", detail, "p2pchat daemon stop; p2pchat daemon start")
        yield guarded("gate", lambda: _gate(settings))
        return
    yield Verdict("daemon", "ok", f"process {answer['pid']}, version {answer['version']}")
    yield guarded("gate", lambda: _gate(settings))
    yield guarded("port", lambda: _port(cast(list[str], answer["listen"])))
    yield guarded("device", lambda: _device(settings))
    yield guarded("backup", lambda: _backup(settings))
    yield guarded("contacts", lambda: _contacts(settings))
    yield guarded("outbox", lambda: _outbox(settings))
    if pages:
        yield guarded("store pages", lambda: _pages(settings))


def _daemon(settings: Settings) -> Row:
    for name in ("rpc", "gate"):
        client(settings, "rpc" if name == "rpc" else "gate").answer_s = ANSWER_S
    return ask(settings, "daemon.status")


def _gate(settings: Settings) -> Verdict:
    """The process with the sockets, and its word on the clock."""
    answer = ask(settings, "net.status", socket="gate")
    reachable = cast(list[str], answer["reachable"])
    detail = f"links: {answer['links']}, visitors at the door: {answer['half_open']}"
    if answer["clock"] == "wrong":
        return Verdict("gate", "bad", f"{detail}; the clock cannot be right", _CLOCK_MEND)
    if answer["clock"] == "stepped":
        return Verdict("gate", "warn", f"{detail}; the clock was set while it ran", _CLOCK_MEND)
    if not reachable:
        mend = "p2pchat config set advertise IP:PORT"
        return Verdict("gate", "warn", f"{detail}; it knows no address that others could dial", mend)
    return Verdict("gate", "ok", f"{detail}; reachable as {', '.join(reachable)}")


def _port(listen: list[str]) -> Verdict:
    """Whether the port takes connections from this host; the world's view only somebody outside can tell."""
    for address in listen:
        host, port = config.split_address(address) or ("", 0)
        try:
            socket.create_connection((_reachable(host), port), CONNECT_S).close()
        except OSError as error:
            return Verdict("port", "bad", f"{address}: {error.strerror or error}", "p2pchat config get listen")
    if not listen:
        return Verdict("port", "bad", "the daemon listens nowhere", "p2pchat config get listen")
    return Verdict("port", "ok", ", ".join(listen))


def _reachable(host: str) -> str:
    """A wildcard is no address to connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _device(settings: Settings) -> Verdict:
    """Whether this machine still is where the identity lives."""
    if ask(settings, "status")["replaced"]:
        detail = "this identity was logged in on another machine; this one only shows what it has"
        return Verdict("device", "bad", detail, "p2pchat --home NEW login --help")
    if not ask(settings, "key.show")["key_log_held"]:
        detail = "restored without the log of a replaced key; the first contact that is reached sends it"
        return Verdict("device", "warn", detail, "p2pchat net status")
    return Verdict("device", "ok", "in use")


def _backup(settings: Settings) -> Verdict:
    """A copy that nobody has read back is a hope, and a disk may end today."""
    shown = ask(settings, "key.show")
    proved_ms = cast(int | None, shown["backup_verified_ms"])
    days = max(0.0, time.time() - (proved_ms or cast(int, shown["created_ms"])) / 1000) / 86400
    if proved_ms is None:
        mend = "p2pchat key export string --out backup.txt; p2pchat key verify backup.txt"
        detail = f"no copy of the key, made {days:.0f} days ago, was ever proved"
        return Verdict("backup", "warn", detail, mend) if days > GRACE_DAYS else Verdict("backup", "ok", detail)
    detail = f"a copy of the key was proved {days:.0f} days ago"
    if days > BACKUP_DAYS:
        return Verdict("backup", "warn", detail, "p2pchat key verify COPY")
    return Verdict("backup", "ok", detail)


def _contacts(settings: Settings) -> Verdict:
    rows = list(ask_list(settings, "contact.list"))
    ill = [row for row in rows if row["channel"] == "error"]
    if ill:
        names = ", ".join(show_name(_name(row), str(row["id"])) for row in ill)
        return Verdict("contacts", "bad", f"{len(ill)} in error: {names}", f"p2pchat contact retry {ill[0]['id']}")
    asking = sum(row["direction"] == "in" for row in ask_list(settings, "contact.requests"))
    return Verdict("contacts", "ok", f"{len(rows)}, none in error; {asking} ask for contact")


def _name(row: Row) -> str | None:
    return cast(str | None, row["alias"] or row["nickname"])


def _outbox(settings: Settings) -> Verdict:
    queued = [cast(int, row["queued_ms"]) / 1000 for row in ask_list(settings, "outbox.list")]
    if not queued:
        return Verdict("outbox", "ok", "nothing waits")
    days = (time.time() - min(queued)) / 86400
    detail = f"{len(queued)} deliveries wait, the oldest for {days:.1f} days"
    late = days * 86400 > WAITS_S
    return Verdict("outbox", "warn" if late else "ok", detail, "p2pchat outbox list" if late else "")


def _pages(settings: Settings) -> Verdict:
    """Only the daemon has the store's key; it reads every page, and compares indexes with tables."""
    client(settings).answer_s = CHECK_S
    answer = ask(settings, "store.check")
    if answer["sound"]:
        return Verdict("store pages", "ok", f"{cast(int, answer['size_bytes']) // 1024} KiB, sound")
    problems = cast(list[str], answer["problems"])
    return Verdict("store pages", "bad", "; ".join(problems), "p2pchat daemon stop; restore store.db from a copy")
