"""Secrets and tags are compared in constant time: ``==`` tells by its duration how many bytes were right."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parents[2] / "p2pchat"
# What a value is called whose bytes an attacker would like to guess one by one.
SECRET: Final = re.compile(
    r"(?:^|_)(?:h?mac|mac\d|tag|commitment|secret|psk|ticket|password|token|digest|private)s?(?:_|$)"
)
PUBLIC: Final = re.compile(r"(?:^|_)(?:bytes|length|kind|name|number|count|chars|file|path)(?:_|$)")
# (file, name): compared with == although it is called as a secret is, and why that is right.
SAID: Final = "both sides say their commitments in clear, before the values that they hide"
REASONS: Final[dict[tuple[str, str], str]] = {
    ("contacts/compare.py", "commitment"): SAID,
    ("vault/flows/compare.py", "commitment"): SAID,
    ("keys/backup/parts.py", "_digest"): "a hash that is printed in each code",
    ("link/carriers/http.py", "accept_token"): "RFC 6455: made of what the connection has just said, by anybody",
    ("launch/programs.py", "_PRIVATE"): "the name of an environment variable",
}


def names(node: ast.expr) -> Iterator[str]:
    """What the compared value is called: a variable, an attribute, or the function that makes it."""
    match node:
        case ast.Name():
            yield node.id
        case ast.Attribute():
            yield node.attr
        case ast.Call():
            yield from names(node.func)
        case ast.Subscript():
            yield from names(node.value)
        case ast.BinOp():
            yield from names(node.left)
            yield from names(node.right)


def secrets(node: ast.expr) -> list[str]:
    return [name for name in names(node) if SECRET.search(name.lower()) and not PUBLIC.search(name.lower())]


def harmless(node: ast.expr) -> bool:
    """A comparison with a constant (None, a number, empty bytes) tells nothing."""
    return isinstance(node, ast.Constant)


def leaks(source: str) -> list[str]:
    """The names of all that is compared by == or != and is called as a secret is."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
            compared = isinstance(operator, ast.Eq | ast.NotEq)
            if compared and not harmless(left) and not harmless(right):
                found += secrets(left) + secrets(right)
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("if mac == expected.mac: pass", True),
        ("ok = keys.mac_accept != accepted.mac", True),
        ("ok = hmac.digest(key, th, 'sha256') == got", True),
        ("ok = tag[:8] == got", True),
        ("ok = commitment == other", True),
        ("ok = hmac.compare_digest(a.mac, b.mac)", False),
        ("ok = mac == b''", False),
        ("ok = len(secret) == SECRET_BYTES", False),
        ("ok = head == other.head", False),
    ],
)
def test_the_lint_finds_what_it_is_for(source: str, found: bool) -> None:
    assert bool(leaks(source)) == found


def test_no_tag_or_secret_is_compared_with_equals() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in leaks(path.read_text(encoding="utf-8"))
    }
    assert found - set(REASONS) == set()
    assert set(REASONS) <= found, "a reason whose comparison has gone"
