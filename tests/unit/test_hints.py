"""What a text tells the user to type next (a hint, an event, the doctor's remedy) is a command line that parses."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from p2pchat import cli
from tests.support.shell_words import p2pchat_calls, parse

PACKAGE: Final = Path(__file__).parents[2] / "p2pchat"
COMMAND: Final = re.compile(rf"(?:^|: )(p2pchat (?:-|(?:{'|'.join(cli.VERBS)})\b).*)")
# What a text's placeholders may stand for; it has to parse with one of them.
VALUES: Final = ("bob", "0123456789abcdef", "127.0.0.1:9000", "receipts", "/tmp/file", "7", "")
WORDS: Final = {"PEER": "bob", "HOST:PORT": "127.0.0.1:9000", "IP:PORT": "192.0.2.1:9000", "ID": "0123456789abcdef"}


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every command that a string ends with, an f-string's values as ``{}``."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            text = node.value
        else:
            continue
        if "\n" not in text and (found := COMMAND.search(text)):
            yield node.lineno, found[1]


COMMANDS: Final = [
    (f"{path.relative_to(PACKAGE)}:{line}", text)
    for path in sorted(PACKAGE.rglob("*.py"))
    for line, text in texts(ast.parse(path.read_text()))
]


def parses(text: str) -> bool:
    for name, value in WORDS.items():
        text = re.sub(rf"(?<![\w/:]){name}(?![\w/:])", value, text)
    return any(_parses(text, values) for values in itertools.product(VALUES, repeat=text.count("{}")))


def _parses(text: str, values: tuple[str, ...]) -> bool:
    for value in values:
        text = text.replace("{}", value, 1)
    try:
        calls = p2pchat_calls(text)
        for words in calls:
            parse(words)
    except click.exceptions.Exit as ended:  # of --help
        return ended.exit_code == 0
    except (click.ClickException, ValueError):
        return False
    return bool(calls)


@pytest.mark.parametrize(("where", "text"), COMMANDS, ids=[where for where, _ in COMMANDS])
def test_a_command_that_a_text_names_parses(where: str, text: str) -> None:
    assert parses(text), f"{where}: {text}"


def test_there_are_such_texts() -> None:
    assert len(COMMANDS) > 150


def test_what_does_not_parse_is_found() -> None:
    for text in ("p2pchat nonsense", "p2pchat daemon stop, then start", "p2pchat contact", "p2pchat send --not {}"):
        assert not parses(text)
