"""What the user's own programs and files say: the control socket's two directions, settings."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from p2pchat import config
from p2pchat.errors import BadFormat, P2PChatError
from p2pchat.limits import AVATAR_BYTES, RPC_LINE_BYTES
from p2pchat.picture import picture_size
from p2pchat.rpc import answers
from p2pchat.rpc.calls import read_response, request
from p2pchat.rpc.jsonlines import decode, encode
from p2pchat.rpc.methods import METHODS, checked_params
from tests.fuzz.target import Target
from tests.unit.test_picture import JFIF, TABLES, jpeg, png


def read_line(data: bytes) -> None:
    value = decode(data)
    assert decode(encode(value)) == value
    asked = answers.read_request(value)
    if asked.method in METHODS:
        checked_params(asked.method, asked.params)


def read_answer(data: bytes) -> None:
    """An error that the daemon tells is taken as told, whatever its words: they come from our own process."""
    value = decode(data)
    try:
        read_response(value, 1)
    except P2PChatError as error:
        raise BadFormat("told") from error


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="p2pchat-fuzz-")


def read_config(data: bytes) -> None:
    path = Path(_folder().name) / "config.toml"
    path.write_bytes(data)
    config.load(path)


def change_config(data: bytes) -> None:
    """Up to the first NUL: what the user typed for ``advertise``; behind it the file as it was."""
    path = Path(_folder().name) / "changed.toml"
    text, _, before = data.partition(b"\0")
    path.write_bytes(before)
    value = config.change(path, "advertise", text.decode("utf-8", "replace"))
    assert config.load(path).advertise == value


ARGUMENT_BYTES: Final = 128 * 1024  # the longest word of a command line (Linux)
_CONFIG: Final = b"""# where
listen = "0.0.0.0:4711"
advertise = [
  "192.0.2.1:1",  # here
  '[2001:db8::1]:2',
]
receipts = true
log_level = "info"
"""


def _lines() -> tuple[bytes, ...]:
    calls = (("status", {}), ("event.next", {"wait_ms": 0}), ("message.send", {"to": ["ben"], "text": "hello"}))
    return tuple(request(n, method, params) for n, (method, params) in enumerate(calls))


def _answers() -> tuple[bytes, ...]:
    return (
        answers.response(1, {"items": ["ä", 1, None, True]}),
        answers.error_response(1, answers.APPLICATION_ERROR, BadFormat("why", hint="what now")),
    )


def _changes() -> tuple[bytes, ...]:
    return (b"192.0.2.7:5, [::1]:6\0" + _CONFIG, b"\0" + _CONFIG, b"\0")


TOML: Final = 160.0  # the standard library's reader: 4 MiB for a number of 32,768 digits
TARGETS: Final = (
    Target("rpc-line", read_line, _lines, text=True, limit=RPC_LINE_BYTES),
    Target("rpc-answer", read_answer, _answers, text=True, limit=RPC_LINE_BYTES),
    Target("picture", picture_size, lambda: (png(3, 5), jpeg(3, 5, JFIF, TABLES)), limit=AVATAR_BYTES),
    Target("config", read_config, lambda: (_CONFIG, b""), text=True, limit=config.CONFIG_BYTES, memory=TOML),
    Target(
        "config-set", change_config, _changes, text=True, limit=config.CONFIG_BYTES, once=ARGUMENT_BYTES, memory=TOML
    ),
)
