"""The figures as a Markdown table, for the terminal and for docs/performance.md."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure

_HEAD: Final = ("", "what", "figure", "limit", "ratio", "goal", "met")
_BEGIN: Final = "<!-- figures: written by python -m benchmarks --write -->"
_END: Final = "<!-- end of figures -->"


def table(figures: Sequence[Figure]) -> str:
    rows = [_HEAD, *(_row(figure) for figure in figures)]
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * max(3, width) for width in widths) + " |")
    return "\n".join(lines)


def write_into(path: Path, text: str) -> None:
    """Put ``text`` between the two marks of the document, in place of what stands there."""
    before, _, rest = path.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    path.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")


def _row(figure: Figure) -> tuple[str, ...]:
    goal = figure.goal
    wanted = ""
    if goal is not None:
        sign = "≤" if goal.sense == "at most" else "≥"
        wanted = f"{sign} {goal.bound:g} " + (figure.unit if goal.of == "value" else "×")
    return (
        figure.workload,
        figure.what,
        f"{_number(figure.value)} {figure.unit}",
        "" if figure.limit is None else f"{_number(figure.limit)} {figure.unit}",
        "" if figure.ratio is None else f"{_number(figure.ratio)} ×",
        wanted,
        {None: "", True: "yes", False: "no"}[figure.met],
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
