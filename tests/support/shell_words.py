"""Command lines that a text shows (an example, a hint), taken apart as a shell would and parsed as click does."""

import shlex

import click

from p2pchat import cli


def p2pchat_calls(line: str) -> list[list[str]]:
    """The words behind ``p2pchat`` of each call in ``line``; pipes, lists and redirections are taken off."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|<>&")
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    redirected = False
    for word in lexer:
        if word and set(word) <= set("<>"):
            redirected = True
        elif word and set(word) <= set(";|&"):
            commands.append([])
        elif redirected:
            redirected = False
        else:
            commands[-1].append(word)
    return [words[1:] for words in commands if words and words[0] == "p2pchat"]


def parse(words: list[str]) -> click.Command:
    """The command that ``words`` call, its options and arguments checked. Raises click.UsageError."""
    at: click.Command = cli.root
    context: click.Context | None = None
    name = "p2pchat"
    while isinstance(at, click.Group):
        context = at.make_context(name, list(words), parent=context)
        rest = [*context._protected_args, *context.args]
        if not rest:
            return at
        below = at.get_command(context, rest[0])
        if below is None:
            raise click.UsageError(f"there is no verb {rest[0]!r}", context)
        at, name, words = below, rest[0], rest[1:]
    at.make_context(name, list(words), parent=context)
    return at
