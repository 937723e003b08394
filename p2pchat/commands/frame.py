"""What every verb has in common: the global options, before or after the verb, and two examples under ``--help``."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:  # the verbs that need them load them
    from click.shell_completion import CompletionItem

    from p2pchat.home import Home
    from p2pchat.rpc.client import Client

SUMMARY_CHARS: Final = 200  # longer than any first sentence


class Settings:
    """The global options of one call."""

    def __init__(self) -> None:
        self.home_dir: str | None = None
        self.json = False
        self.quiet = False
        self.verbose = 0
        self.no_input = False
        self.no_color = False
        self.version = False  # --version
        self.clients: dict[str, Client] = {}  # by socket, kept for the verb's next call

    @property
    def home(self) -> "Home":
        """Raises Failed where no place is named."""
        from p2pchat.home import Home

        return Home.find(self.home_dir, os.environ)


class Verb(click.Command):
    """A command with the global options; ``examples`` end its help."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _global_options()
        self.examples = examples

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_examples(formatter, self.examples)


class Noun(click.Group):
    """A command whose next word says what to do."""

    command_class = Verb

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subcommand_metavar = "VERB [ARGS]..."
        self.params += _global_options()
        self.examples = examples

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each verb with the whole first sentence of its help, which click would cut at the edge."""
        verbs = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        summaries = [(name, verb.get_short_help_str(SUMMARY_CHARS)) for name, verb in verbs.items() if verb is not None]
        with formatter.section("Verbs"):
            formatter.write_dl(summaries)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_examples(formatter, self.examples)

    def verb(self, name: str, *examples: str) -> Callable[[Callable[..., None]], Verb]:
        """Decorate the function that runs ``NOUN name``; its docstring is the help."""

        def decorate(function: Callable[..., None]) -> Verb:
            made = self.command(name, cls=Verb, examples=examples)(function)
            assert isinstance(made, Verb)
            return made

        return decorate


def verb(name: str, *examples: str) -> Callable[[Callable[..., None]], Verb]:
    """Decorate the function that runs a verb of its own; its docstring is the help."""
    return click.command(name, cls=Verb, examples=examples)


def pass_settings(function: Callable[..., None]) -> Callable[..., None]:
    return click.make_pass_decorator(Settings)(function)


def flag(name: str, help_: str, field: str) -> click.Option:
    """An option without a value that sets a field of ``Settings``."""
    return _option([name], help_, field, is_flag=True)


def _global_options() -> list[click.Parameter]:
    return [
        _option(["--home"], "Use this home (or P2PCHAT_HOME).", "home_dir", metavar="DIR", shell_complete=_folders),
        flag("--json", "Print JSON, one object a line.", "json"),
        flag("--quiet", "Print no words beside the data.", "quiet"),
        _option(["-v", "--verbose"], "Say more.", "verbose", count=True),
        flag("--no-input", "Never ask; fail instead.", "no_input"),
        flag("--no-color", "Print no colours (or NO_COLOR).", "no_color"),
    ]


def _option(flags: list[str], help_: str, field: str, **kwargs: Any) -> click.Option:
    return click.Option(flags, help=help_, expose_value=False, callback=_stores(field), **kwargs)


def _folders(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def _stores(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback: an option that was given anywhere counts; one that was not given undoes nothing."""

    def store(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value == "":  # an unset variable in a script must not lead to another home
            raise click.BadParameter("it is empty", ctx, parameter)
        if value:
            setattr(ctx.ensure_object(Settings), name, value)

    return store


def _write_examples(formatter: click.HelpFormatter, examples: tuple[str, ...]) -> None:
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
