"""The documents name files that are there."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FOLDERS: Final = (".", "p2pchat", "p2pchat/link", "docs", "tests", "tests/support", "tests/vectors")
BASES: Final = [ROOT / name for name in _FOLDERS]
NAMES: Final = {path.name for path in (ROOT / "p2pchat").rglob("*.py")}
PLACEHOLDERS: Final = {"commands/NOUN.py", "vault/methods/NOUN.py", "store/schema/NNN.sql", "schema/NNN.sql"}
OF_A_HOME: Final = {"config.toml"}


def is_there(name: str) -> bool:
    """A path from one of the bases, or the bare name of a source beside the one named before it."""
    return name in NAMES or any(any(base.glob(name)) if "*" in name else (base / name).exists() for base in BASES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_a_document_names_exist(document: Path) -> None:
    quoted = re.findall(r"`([^`\n]+)`", document.read_text())
    files = [name for name in quoted if re.fullmatch(r"[\w./*-]+\.(?:py|md|sql|toml|json)|[\w-]+(?:/[\w-]+)*/", name)]
    assert [name for name in files if name not in PLACEHOLDERS | OF_A_HOME and not is_there(name)] == []


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    packages = sorted(path.parent.name for path in (ROOT / "p2pchat").glob("*/__init__.py"))
    assert [name for name in packages if f"`{name}/`" not in text] == []


def test_sections_that_the_source_names_exist() -> None:
    protocol = (ROOT / "docs" / "protocol.md").read_text()
    sections = {number.rstrip(".") for number in re.findall(r"(?m)^##+ (\d+(?:\.\d+)?)\.? ", protocol)}
    named = {
        (path.relative_to(ROOT), section)
        for folder in ("p2pchat", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for numbers in re.findall(r"protocol\.md (\d[\d., to]*)", path.read_text())
        for section in re.findall(r"\d+(?:\.\d+)?", numbers)
    }
    assert len(named) > 50
    elsewhere = re.compile(r"\b(?:DESIGN|PROTOCOL|CLI)(?: rule)? \d")  # papers that are not in this repository
    assert [path.name for path in (ROOT / "p2pchat").rglob("*.py") if elsewhere.search(path.read_text())] == []
    assert sorted((path, section) for path, section in named if section not in sections) == []
