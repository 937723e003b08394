"""What every verb has in common: the global options, before or after the verb, and two examples under ``--help``."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # the verbs that need them load them
    from p2pchat.home import Home
    from p2pchat.rpc.client import Client


class Settings:
    """The global options of one call."""

    def __init__(self) -> None:
        self.home_dir: str | None = None
        self.json = False
        self.quiet = False
        self.verbose = 0
        self.no_input = False
        self.no_color = False
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
        self.params += _global_options()
        self.examples = examples

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


def _global_options() -> list[click.Parameter]:
    def option(flags: list[str], help_: str, name: str, **kwargs: Any) -> click.Option:
        return click.Option([*flags], help=help_, expose_value=False, callback=_stores(name), **kwargs)

    return [
        option(["--home"], "Use this home (or P2PCHAT_HOME).", "home_dir", metavar="DIR"),
        option(["--json"], "Print JSON, one object a line.", "json", is_flag=True),
        option(["--quiet"], "Print no words beside the data.", "quiet", is_flag=True),
        option(["-v", "--verbose"], "Say more.", "verbose", count=True),
        option(["--no-input"], "Never ask; fail instead.", "no_input", is_flag=True),
        option(["--no-color"], "Print no colours (or NO_COLOR).", "no_color", is_flag=True),
    ]


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
