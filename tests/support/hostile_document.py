"""Writes ``docs/hostile-inputs.md`` from the two tables in the tests: ``python -m tests.support.hostile_document``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.hostile_inputs import WHAT

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "hostile-inputs.md"
HEAD: Final = """# Hostile input

What comes in from people, files and networks that mean ill, and the test that shows what becomes of it. Written by
`tests/support/hostile_document.py` from `tests/unit/test_hostile_catalogue.py` and `tests/unit/test_named_attacks.py`,
which fail where an entry has neither a test nor a reason, or where a test is gone. Paths are relative to `tests/`.

Beside these, every parser is fuzzed: `tests/fuzz/` holds a table of parsers with what each is fed. Every test run
replays the kept findings, spoils good input with Hypothesis, and holds each parser to 50 ms of processor time and a
bounded multiple of memory for a mebibyte of anything; CI also runs each under a coverage-guided fuzzer. To look for
more: `python -m tests.fuzz TARGET --seconds 600`.

"""
Rows = Mapping[int, Sequence[str]]


def hostile_table(met: Rows, reasons: Mapping[int, str]) -> str:
    return _table("## Inputs\n\n| number | what comes | test |", "H{:03}", WHAT, met, reasons)


def attack_table(what: Mapping[int, str], met: Rows, reasons: Mapping[int, str]) -> str:
    return _table("## Named attacks\n\n| row | attack | test |", "{}", what, met, reasons)


def _table(head: str, number: str, what: Mapping[int, str], met: Rows, reasons: Mapping[int, str]) -> str:
    rows = [f"| {number.format(n)} | {words} | {_cell(n, met, reasons)} |" for n, words in sorted(what.items())]
    return "\n".join([head, "|---|---|---|", *rows, ""])


def _cell(n: int, met: Rows, reasons: Mapping[int, str]) -> str:
    return "<br>".join(f"`{test}`" for test in met[n]) if n in met else f"*not yet: {reasons[n]}*"


def main() -> None:
    from tests.unit import test_hostile_catalogue as inputs
    from tests.unit import test_named_attacks as attacks

    reasons = {number: later.why for number, later in inputs.NOT_YET.items()}
    tables = (hostile_table(inputs.MET, reasons), attack_table(attacks.WHAT, attacks.MET, attacks.NOT_YET))
    DOCUMENT.write_text(HEAD + "\n".join(tables))


if __name__ == "__main__":
    main()
