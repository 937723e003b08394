"""What a simulation replaces must be all there is: vault and gate take time, chance and threads from ``Env`` alone."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import p2pchat

PACKAGE: Final = Path(p2pchat.__file__).parent
PARTS: Final = ("wire", "keys", "channel", "delivery", "contacts", "store", "link", "firewall", "vault")
FORBIDDEN_MODULES: Final = frozenset({"time", "random", "secrets", "uuid", "threading", "asyncio", "subprocess"})
FORBIDDEN_NAMES: Final = frozenset(
    {"trio.to_thread", "trio.run", "trio.from_thread", "os.urandom", "os.getrandom", "datetime.now", "datetime.today"}
)
PROCESSES: Final = frozenset({"vault/__main__.py", "firewall/__main__.py"})  # there the real world is put together


def sources() -> list[Path]:
    found = [path for part in PARTS for path in sorted((PACKAGE / part).rglob("*.py"))]
    return [path for path in found if path.relative_to(PACKAGE).as_posix() not in PROCESSES]


def strays(tree: ast.AST) -> Iterator[str]:
    """Names of a syntax tree that reach past ``Env``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in FORBIDDEN_MODULES:
            yield node.module
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in FORBIDDEN_NAMES:
            yield ast.unparse(node)


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_reaches_past_env(path: Path) -> None:
    assert not list(strays(ast.parse(path.read_text())))


@pytest.mark.parametrize(
    "source", ["import time", "from random import Random", "await trio.to_thread.run_sync(f)", "os.urandom(8)"]
)
def test_the_look_itself_notices(source: str) -> None:
    assert list(
        strays(ast.parse(source, mode="exec") if "await" not in source else ast.parse(f"async def f(): {source}"))
    )
