"""The user's settings: one table of keys, read from ``config.toml`` and changed one line at a time.

A file that a person wrote keeps its comments and order. Standard library only: every verb starts fast.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from p2pchat import atomic
from p2pchat.errors import BadFormat, Failed, NotFound
from p2pchat.limits import ADDRESSES, HOST_BYTES

Value: TypeAlias = str | int | bool | tuple[str, ...]

CONFIG_BYTES: Final = 32 * 1024
LINE_DOTS: Final = 128  # a key of n dotted words costs tomllib n squared; eight IPv4 addresses have 24 dots
NAME_CHARS: Final = 64  # of an unknown key in the sentence that refuses it
STATEMENT_LINES: Final = 64  # a list of addresses over several lines
CARRIERS: Final = ("ws", "raw")
RSA_EVERY: Final = "every"
RSA_CHOICES: Final = ("epoch", RSA_EVERY)
KEPT_DAYS: Final = 3650
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. ``check`` takes a value of the default's type and says what is wrong with it, or None."""

    name: str
    default: Value
    help: str
    check: Callable[[Value], str | None]


def join_address(host: str, port: int) -> str:
    """HOST:PORT, with brackets around IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_address(text: str) -> tuple[str, int] | None:
    """``HOST:PORT`` or ``[IPV6]:PORT`` as (host, port 0-65535), or None where it is neither."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%a-z]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})", text, re.ASCII)
    if match is None or int(match[3]) > 65535 or len(text) > HOST_BYTES + 8:
        return None
    return match[1] or match[2], int(match[3])


def _listen(value: Value) -> str | None:
    fits = isinstance(value, str) and split_address(value)
    return None if fits else "is HOST:PORT, with port 0 for any free one"


def _advertise(value: Value) -> str | None:
    assert isinstance(value, tuple)
    if len(value) > ADDRESSES:
        return f"holds at most {ADDRESSES} addresses"
    parsed = [split_address(address) for address in value]
    fits = all(address is not None and address[1] > 0 for address in parsed)
    return None if fits else "is a list of HOST:PORT, each with a port above 0"


def _carriers(value: Value) -> str | None:
    assert isinstance(value, tuple)
    fits = value and set(value) <= set(CARRIERS) and len(value) == len(set(value))
    return None if fits else f"is a list of {' and '.join(CARRIERS)}, the preferred one first"


def _rsa(value: Value) -> str | None:
    return None if value in RSA_CHOICES else f"is one of {', '.join(RSA_CHOICES)}"


def _keep_events(value: Value) -> str | None:
    return None if isinstance(value, int) and 1 <= value <= KEPT_DAYS else f"is a number of days from 1 to {KEPT_DAYS}"


def _log_level(value: Value) -> str | None:
    return None if value in LOG_LEVELS else f"is one of {', '.join(LOG_LEVELS)}"


def _pace(value: Value) -> str | None:
    return None if value == 0 or _between(value, 120, 60_000) else "is 120 to 60000, or 0 for no limit"


def _how_often(value: Value) -> str | None:
    return None if _between(value, 0, 1_000_000) else "is up to 1000000; 0 means no limit"


def _between(value: Value, least: int, most: int) -> bool:
    return isinstance(value, int) and least <= value <= most


def _dongle(value: Value) -> str | None:
    fits = isinstance(value, str) and value.isprintable()  # factors.py reads it
    return None if fits else "is a dongle's name"


def _anything(_value: Value) -> str | None:
    return None


_TABLE: Final = (
    Key("listen", "0.0.0.0:0", "where the daemon listens; port 0 picks a free one once and keeps it", _listen),
    Key("advertise", (), "IP addresses on cards and to contacts, instead of the bound ones", _advertise),
    Key(
        "carriers", ("ws",), "how links look: ws (HTTP and WebSocket), raw (a LAN); the preferred one first", _carriers
    ),
    Key("receipts", False, "tell contacts when their messages were read", _anything),
    Key(
        "relock_on_crash",
        False,
        "after a crash end locked, rather than start again without a password",
        _anything,
    ),
    Key("rsa", "epoch", "an RSA key for each epoch of a conversation, or for every message (20 a second)", _rsa),
    Key(
        "keep_events",
        90,
        "days that events stay for recv; a reader that still moves is waited for, and messages stay in the history",
        _keep_events,
    ),
    Key(
        "messages_per_minute",
        600,
        "how fast one contact's messages are taken; more wait at the sender, none is lost; 0: no limit",
        _pace,
    ),
    Key("strangers_per_hour", 60, "visits of strangers from one network (/24, /56); 0: no limit", _how_often),
    Key("requests_per_hour", 60, "contact requests of strangers, all together; 0: no limit", _how_often),
    Key("calls_per_minute", 60_000, "calls of one program on the local socket; 0: no limit", _how_often),
    Key(
        "dongle",
        "",
        "the dongle that opens this home, as --dongle names it: key passwd sets it",
        _dongle,
    ),
    Key("share_heads", True, "tell contacts, in secret, which keys you hold of people whom both know", _anything),
    Key("log_level", "info", f"how much goes to the log: {', '.join(LOG_LEVELS)}", _log_level),
)
KEYS: Final[Mapping[str, Key]] = {key.name: key for key in _TABLE}


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting with its value in force. The fields bear the keys' names."""

    listen: str
    advertise: tuple[str, ...]
    carriers: tuple[str, ...]
    receipts: bool
    relock_on_crash: bool
    rsa: str
    keep_events: int
    messages_per_minute: int
    strangers_per_hour: int
    requests_per_hour: int
    calls_per_minute: int
    dongle: str
    share_heads: bool
    log_level: str

    def get(self, name: str) -> Value:
        """Raises NotFound for an unknown key."""
        value: Value = getattr(self, known(name).name)
        return value


def known(name: str) -> Key:
    """The key of that name. Raises NotFound, with the nearest names."""
    if name in KEYS:
        return KEYS[name]
    raise NotFound(f"there is no setting {name[:NAME_CHARS]!r}", hint="p2pchat config list")


def load(path: Path) -> Config:
    """Read the file; a missing one means all defaults. Raises BadFormat for what is not a setting of ours."""
    return _config(_parse(_read(path), path), path)


def change(path: Path, name: str, text: str) -> Value:
    """Set ``name`` to what the user typed (a list: words parted by commas); return the value now in force.

    The line that sets it is replaced, everything else stays. Raises NotFound, BadFormat, Failed, DiskFull.
    """
    value = _typed(known(name), text)
    old = _read(path)
    before = _parse(old, path)
    # A file that is ill already is not made worse, but this may be what mends it, where one line holds what is wrong.
    _config({key: held for key, held in before.items() if key != name or isinstance(held, dict)}, path)
    new = _edited(old, name, value)
    assert _parse(new, path) == {**before, name: _plain(value)}
    atomic.replace(path, new.encode())
    return value


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(CONFIG_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Failed(f"cannot read {path}: {error.strerror}", hint=f"ls -l {path}") from error
    if len(raw) > CONFIG_BYTES:
        raise BadFormat(f"{path} is longer than {CONFIG_BYTES} bytes", hint="p2pchat config path")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadFormat(f"{path} is not UTF-8 text", hint="p2pchat config path") from error


def _parse(text: str, path: Path) -> dict[str, object]:
    if any(line.count(".") > LINE_DOTS and not line.lstrip().startswith("#") for line in text.split("\n")):
        raise BadFormat(f"{path} has a line with more than {LINE_DOTS} dots", hint="mend that line and try again")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, or a number of thousands of digits
        raise BadFormat(f"{path} is not TOML: {error}", hint="mend that line and try again") from error


def _config(table: Mapping[str, object], path: Path) -> Config:
    strange = [name for name in table if name not in KEYS]
    if strange:
        raise BadFormat(f"{path}: there is no setting {strange[0][:NAME_CHARS]!r}", hint="p2pchat config list")
    values = {name: _checked(key, table[name], path) for name, key in KEYS.items() if name in table}
    return Config(**({name: key.default for name, key in KEYS.items()} | values))  # type: ignore[arg-type] # _checked


def _checked(key: Key, raw: object, path: Path) -> Value:
    value = tuple(raw) if isinstance(raw, list) and all(isinstance(word, str) for word in raw) else raw
    if type(value) is not type(key.default):
        wrong: str | None = f"is {_kind(key)}"
    else:
        assert isinstance(value, str | int | tuple)
        wrong = key.check(value)
        if wrong is None:
            return value
    raise BadFormat(f"{path}: {key.name} {wrong}", hint=f"p2pchat config set {key.name} VALUE")


def _typed(key: Key, text: str) -> Value:
    if len(text) > CONFIG_BYTES:
        raise BadFormat(f"a value for {key.name} has at most {CONFIG_BYTES} characters", hint="p2pchat config list")
    value: Value = text.strip()
    if isinstance(key.default, bool):
        words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
        if text.strip().lower() not in words:
            raise BadFormat(f"{key.name} is true or false", hint=f"p2pchat config set {key.name} true")
        value = words[text.strip().lower()]
    elif isinstance(key.default, tuple):
        value = tuple(word.strip() for word in text.split(",") if word.strip())
    elif isinstance(key.default, int):
        if not re.fullmatch(r"-?\d{1,18}", text.strip(), re.ASCII):
            raise BadFormat(f"{key.name} is a whole number", hint="p2pchat config list")
        value = int(text)
    wrong = key.check(value)
    if wrong is not None:
        raise BadFormat(f"{key.name} {wrong}", hint="p2pchat config list")
    return value


def _kind(key: Key) -> str:
    names = {bool: "true or false", int: "a whole number", tuple: "a list of texts"}
    return names.get(type(key.default), "a text")


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _edited(text: str, name: str, value: Value) -> str:
    assignment = f"{name} = {json.dumps(_plain(value), ensure_ascii=False)}"  # such JSON is TOML
    lines = text.splitlines()
    start = 0
    while start < len(lines):
        end, keys = _statement(lines, start)
        if name in keys:
            return "\n".join([*lines[:start], assignment, *lines[end:], ""])
        start = end
    return "\n".join([*lines, assignment, ""])


def _statement(lines: list[str], start: int) -> tuple[int, set[str]]:
    """The end (exclusive) of the statement at ``start``, which may take several lines, and what it sets."""
    for end in range(start + 1, min(start + STATEMENT_LINES, len(lines)) + 1):
        try:
            return end, set(tomllib.loads("\n".join(lines[start:end])))
        except tomllib.TOMLDecodeError:
            continue
    raise BadFormat(
        f"the setting in line {start + 1} of the configuration takes more than {STATEMENT_LINES} lines",
        hint="write it shorter (p2pchat config path) and try again",
    )
