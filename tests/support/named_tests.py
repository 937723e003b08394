"""Tests by name: ``unit/rpc/test_server.py::test_...``, relative to the tests' folder."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]


@cache
def names_of(path: Path) -> frozenset[str]:
    """Every test function of a file, whatever class it stands in; empty where there is no such file."""
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    return name in names_of(TESTS / path)
