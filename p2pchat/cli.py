"""The command line. Only the module of the verb that runs is loaded, and neither trio nor cryptography with it."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

import click

from p2pchat.commands.frame import Noun, Settings, flag
from p2pchat.errors import Bug, DiskFull, Failed, P2PChatError, Usage

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell reports it
BROKEN_PIPE: Final = 141  # 128 + SIGPIPE
COMPLETING: Final = "_P2PCHAT_COMPLETE"  # set by a shell's completion script (commands/completion.py)


VERBS: Final = {  # verb: (module in p2pchat.commands, summary)
    "init": ("init", "Make an identity: its keys, a password, a nickname"),
    "login": ("login", "Bring an identity back from a backup"),
    "key": ("key", "The own key, and copies of it that outlive this machine"),
    "daemon": ("daemon", "Run, start, stop the daemon, or ask how it is"),
    "whoami": ("identity", "Show one's own ID"),
    "status": ("identity", "Show how the daemon fares"),
    "contact": ("contact", "Cards, requests, and the people one writes to"),
    "send": ("send", "Send a message"),
    "recv": ("recv", "Print what has come in, once"),
    "history": ("history", "Print or search the messages with a contact"),
    "message": ("message", "Show or withdraw one message"),
    "outbox": ("outbox", "See and steer what is not delivered yet"),
    "net": ("net", "Show listening sockets, links, and what is dialled"),
    "config": ("config", "Read and change settings"),
    "demo": ("demo", "Watch two nodes on this machine talk to each other"),
    "doctor": ("doctor", "Check what p2pchat needs, and say how to mend it"),
    "metrics": ("metrics", "Print what the daemon counts, for Prometheus"),
    "rpc": ("rpc", "Call the daemon's methods directly"),
    "completion": ("completion", "Print the completion script of a shell"),
    "version": ("identity", "Show the version"),
}


class _Root(Noun):
    """All verbs; their summaries stand above, so that ``--help`` and completion load none of them."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = getattr(import_module(f"p2pchat.commands.{VERBS[cmd_name][0]}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        verbs = [
            CompletionItem(name, help=summary) for name, (_, summary) in VERBS.items() if name.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> object:
        """``--version`` is the verb ``version``, wherever it stands before another."""
        if ctx.ensure_object(Settings).version:
            version = self.get_command(ctx, "version")
            assert version is not None
            return ctx.invoke(version)
        return super().invoke(ctx)


root: Final = _Root(
    "p2pchat",
    help="A messenger for people who live in a terminal: no account, no server, no plaintext but on the two screens.",
    examples=("p2pchat init --nickname ada", "p2pchat send bob 'see you at eight'"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
root.params.append(flag("--version", "Show the version, as the verb does.", "version"))


def main() -> NoReturn:
    """Run ``sys.argv`` and exit."""
    from p2pchat.commands.streams import open_missing

    open_missing()
    status = _answered_tab() if COMPLETING in os.environ else run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # it has been reported; Python would do so again, and set a status of its own
        _forget_stdout()
    sys.exit(status)


def _answered_tab() -> int:
    from p2pchat.commands.completion import answer

    return answer(root, os.environ[COMPLETING])


def run(words: Sequence[str]) -> int:
    """Run one command line; return its exit status. Data goes to stdout, words to stderr."""
    settings = Settings()
    try:
        with root.make_context("p2pchat", list(words), obj=settings) as context:
            root.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        if settings.json or "--json" in words:
            settings.json = True
            return _report(click.UsageError("a verb is missing", error.ctx), settings)
        click.echo(error.format_message(), err=True)
        return Usage.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.Abort:  # at a prompt, whose line it leaves unfinished
        click.echo(err=True)
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return BROKEN_PIPE
    except Exception as raised:  # noqa: BLE001 - the outermost frame: everything ends in one sentence and a status
        settings.json = settings.json or "--json" in words
        return _report(raised, settings)
    finally:
        for client in settings.clients.values():
            client.close()


def _report(raised: Exception, settings: Settings) -> int:
    from p2pchat.commands.output import report

    error = _as_ours(raised, settings)
    report(settings, error)
    return error.exit_status


def _as_ours(raised: Exception, settings: Settings) -> P2PChatError:
    if isinstance(raised, P2PChatError):
        return raised
    if isinstance(raised, click.UsageError):
        path = raised.ctx.command_path if raised.ctx else "p2pchat"
        return Usage(" ".join(raised.format_message().split()), hint=f"{path} --help")
    if isinstance(raised, click.ClickException):
        return Usage(raised.format_message(), hint="p2pchat --help")
    if isinstance(raised, OSError):
        what = raised.strerror or str(raised)
        from p2pchat.atomic import NO_ROOM

        if raised.errno in NO_ROOM:
            return DiskFull(f"{raised.filename or 'the output'}: {what}", hint="free some space and try again")
        return Failed(f"{raised.filename}: {what}" if raised.filename else what, hint="p2pchat doctor")
    from p2pchat.commands.bug_report import record

    return Bug(f"a bug: {type(raised).__name__}; {record(settings, raised)} has the traceback", hint="p2pchat doctor")


def _forget_stdout() -> None:
    """The reader has gone: what is left in the buffer must not raise again while Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
