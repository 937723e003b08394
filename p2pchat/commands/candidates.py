"""What a shell may complete where a verb wants a contact, a message or a setting: asked of the daemon, at once or not.

A shell puts a candidate on the command line as it is, so nothing that a peer chose is offered unless it is made of
letters, digits and ``_.-`` alone: a nickname such as ``$(...)`` must never stand before a finger on Enter.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import click

from p2pchat.commands.ask import Row, ask, client
from p2pchat.commands.frame import Settings
from p2pchat.errors import P2PChatError, TimedOut

BUDGET_S: Final = 0.5  # for all calls of one completion: whoever presses Tab waits no longer
_CONTACTS: Final = 512  # that are looked at
_CHATS: Final = 16  # contacts whose newest messages are offered
_NEWEST: Final = 8
_SAFE: Final = re.compile(r"\w[\w.-]*")  # letters of any script, digits, and what no shell gives a meaning

if TYPE_CHECKING:  # only a Tab needs it, and every verb names its candidates
    from click.shell_completion import CompletionItem

Candidates: TypeAlias = "Callable[[click.Context, click.Parameter, str], list[CompletionItem]]"
_Found: TypeAlias = Iterator[tuple[str, str]]  # a word, and a few words of our own about it


class _Daemon:
    """Calls within one budget of time. Raises P2PChatError where there is no daemon, or no time left."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._end_s = time.monotonic() + BUDGET_S

    def ask(self, method: str, **params: object) -> Row:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimedOut("the time for a completion is up")
        connection = client(self._settings)
        connection.answer_s, connection.patience_s = left_s, 0.0
        return ask(self._settings, method, params)

    def rows(self, method: str, **params: object) -> Iterator[Row]:
        page: dict[str, object] = {}
        while True:
            answer = self.ask(method, **params, **page)
            yield from cast(list[Row], answer["items"])
            if answer["next"] is None:
                return
            page = {"page": answer["next"]}


def _offer(find: Callable[[_Daemon, str], _Found]) -> Candidates:
    """What ``find`` comes upon in time; nothing, without a word, where no daemon answers."""

    def candidates(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        settings = ctx.ensure_object(Settings)
        settings.verbose = 0  # words would end up among the candidates
        found: dict[str, str] = {}
        with suppress(P2PChatError, OSError):
            for word, about in find(_Daemon(settings), incomplete):
                if word.startswith(incomplete):
                    found.setdefault(word, about)
        from click.shell_completion import CompletionItem

        return [CompletionItem(word, help=about) for word, about in found.items()]

    return candidates


def _contacts(daemon: _Daemon, incomplete: str) -> _Found:
    """An alias, else a nickname that is fit to be typed, else the short ID; short IDs alone where one was begun."""
    for row in islice(daemon.rows("contact.list"), _CONTACTS):
        short = _short(row["id"])
        name = row["alias"] or row["nickname"]
        if isinstance(name, str) and _SAFE.fullmatch(name) and not incomplete.startswith("pc1"):
            yield name, short
        else:
            yield short, str(row["state"])


def _requests(daemon: _Daemon, _incomplete: str) -> _Found:
    for row in islice(daemon.rows("contact.requests"), _CONTACTS):
        if row["direction"] == "in":
            yield _short(row["id"]), "asks for contact"


def _waiting(daemon: _Daemon, _incomplete: str) -> _Found:
    for row in islice(daemon.rows("outbox.list"), _CONTACTS):
        yield str(row["message"]), f"to {_short(row['to'])}"


def _messages(daemon: _Daemon, incomplete: str) -> _Found:
    yield from _waiting(daemon, incomplete)
    for contact in islice(daemon.rows("contact.list"), _CHATS):
        short = _short(contact["id"])
        for row in daemon.rows("history", peer=contact["id"], last=_NEWEST):
            yield str(row["message"]), f"{'to' if row['direction'] == 'out' else 'from'} {short}"


def _settings(_daemon: _Daemon, _incomplete: str) -> _Found:
    from p2pchat.config import KEYS

    yield from ((name, key.help) for name, key in KEYS.items())


def _methods(_daemon: _Daemon, _incomplete: str) -> _Found:
    from p2pchat.rpc.methods import METHODS

    yield from ((name, method.doc.partition(".")[0]) for name, method in METHODS.items())


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The shell itself knows its files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


contacts: Final = _offer(_contacts)
requests: Final = _offer(_requests)
waiting: Final = _offer(_waiting)
messages: Final = _offer(_messages)
settings_: Final = _offer(_settings)
methods: Final = _offer(_methods)


def _short(user: object) -> str:
    from p2pchat.show import SHORT_ID_CHARS

    return str(user)[:SHORT_ID_CHARS]
