"""The manual page: a short frame, and what ``--help`` says of every verb. ``python -m p2pchat.manual > FILE``.

The file in ``docs/man/`` is what packages install; a test keeps it equal to this. Source of the macros: groff_man(7).
"""

import re
import sys
from collections.abc import Iterator
from typing import Final

import click

from p2pchat import __version__, cli
from p2pchat.commands.frame import Noun, Settings, Verb
from p2pchat.errors import every_error

_DESCRIPTION: Final = """
`p2pchat` is a messenger for people who live in a terminal. There is no account and no server: a daemon on each computer
holds the keys, keeps the messages, and talks to the daemons of one's contacts.

A first session: `p2pchat init` makes an identity, `p2pchat daemon start` goes online, `p2pchat contact card --out FILE`
writes what a friend needs, `p2pchat contact add FILE` takes theirs. Then `p2pchat send` and `p2pchat recv`.

Data goes to standard output, words and errors to standard error. With `--json` every line of output is one object;
`p2pchat rpc schema` describes them all.
"""
_ENVIRONMENT: Final = (
    ("P2PCHAT_HOME", "The folder that holds everything of one identity, instead of the XDG directories."),
    ("P2PCHAT_PASSWORD_FILE", "A file whose first line is the password of the own identity."),
    ("XDG_CONFIG_HOME, XDG_DATA_HOME", "Where p2pchat/ lies without P2PCHAT_HOME: settings, and all else."),
    ("NO_COLOR", "Print no colours."),
)
_FILES: Final = (
    ("config.toml", "Settings; `p2pchat config path` says where."),
    ("unlock.key, vault.key, gate.key", "The keys, sealed. Whoever has them and the password is you."),
    ("store.db, gate.db", "Messages and contacts; addresses. Encrypted."),
    ("rpc.sock, gate.sock", "Where the daemon answers the user's own programs."),
    ("logs/daemon.log", "What the daemon had to say. No text of a message is ever in it."),
)
_OF_A_COMMAND: Final = {"--home", "--json", "--quiet", "--verbose", "--no-input", "--no-color", "--help", "-h"}
_SPECIAL: Final = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"})
_COMMANDS: Final = re.compile(r"`([^`]+)`")


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f'.TH P2PCHAT 1 "" "p2pchat {__version__}" "User Commands"'
    yield ".SH NAME"
    yield "p2pchat \\- peer\\-to\\-peer messenger for terminals"
    yield ".SH SYNOPSIS"
    yield ".B p2pchat"
    yield "[\\fIOPTIONS\\fR] \\fIVERB\\fR [\\fIARGUMENTS\\fR]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(_DESCRIPTION)
    yield ".SH OPTIONS"
    yield _text("These stand before or after the verb.")
    context = cli.root.make_context("p2pchat", ["version"], obj=Settings())
    yield from _options(cli.root, context)
    yield ".SH VERBS"
    for name in cli.root.list_commands(context):
        command = cli.root.get_command(context, name)
        assert command is not None
        yield from _command(command, context, name)
    yield from _tables()


def _tables() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    by_status: dict[int, list[str]] = {}
    for error in every_error():
        by_status.setdefault(error.exit_status, []).append(error.code)
    yield from _item("0", "Done.")
    for status, codes in sorted(by_status.items()):
        yield from _item(str(status), f"{', '.join(codes)}.")
    for title, rows in (("ENVIRONMENT", _ENVIRONMENT), ("FILES", _FILES)):
        yield f".SH {title}"
        for term, what in rows:
            yield from _item(term, what)
    yield ".SH SEE ALSO"
    yield ".BR systemd.service (5),"
    yield ".BR systemd\\-creds (1)"


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    """A verb, or the verbs of a noun one after the other."""
    context = click.Context(command, info_name=name, parent=parent)
    if isinstance(command, Noun):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from _command(found, context, below)
        return
    assert isinstance(command, Verb)
    yield f'.SS "{_escaped(context.command_path)}"'
    yield f".B {_escaped(context.command_path)}"
    if words := command.collect_usage_pieces(context)[1:]:  # behind [OPTIONS]
        yield _guarded(_escaped(" ".join(words)))
    yield from _paragraphs(command.help or "")
    yield from _options(command, context)
    yield ".PP"
    yield "Examples:"
    for example in command.examples:
        yield ".PP"
        yield ".RS 4"
        yield ".EX"
        yield _guarded(_escaped(example))
        yield ".EE"
        yield ".RE"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield ".PP"
        yield _text(" ".join(paragraph.split()))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or (context.parent is not None and _OF_A_COMMAND & set(parameter.opts)):
            continue
        yield from _item(*record)


def _item(term: str, what: str) -> Iterator[str]:
    yield ".TP"
    yield f".B {_escaped(term)}"
    yield _text(what)


def _text(words: str) -> str:
    """A paragraph; what stands in back-quotes is set in bold."""
    return _guarded("".join(_bold(part, at) for at, part in enumerate(_COMMANDS.split(words))))


def _bold(part: str, at: int) -> str:
    return f"\\fB{_escaped(part)}\\fR" if at % 2 else _escaped(part)


def _escaped(words: str) -> str:
    return words.translate(_SPECIAL)


def _guarded(line: str) -> str:
    """No line of text is taken for a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    sys.stdout.write(page())
