"""What a figure says about its goal, and the table that shows it. Nothing is measured here."""

from pathlib import Path

import pytest

from benchmarks.figures import Figure, Goal, at_most, percentile, share_of_limit, times_limit
from benchmarks.table import table, write_into


@pytest.mark.parametrize(
    ("runs", "limit", "goal", "met"),
    [
        ((1.0, 2.0, 9.0), None, at_most(2.0), True),
        ((1.0, 2.1, 9.0), None, at_most(2.0), False),
        ((10.0,), 2.0, times_limit(5), True),
        ((10.1,), 2.0, times_limit(5), False),
        ((5.0,), 100.0, share_of_limit(0.05), True),
        ((4.9,), 100.0, share_of_limit(0.05), False),
        ((5.0,), 100.0, None, None),
    ],
)
def test_a_goal_is_judged_by_the_median(
    runs: tuple[float, ...], limit: float | None, goal: Goal | None, met: bool | None
) -> None:
    assert Figure("W0", "something", "ms", runs, limit, goal).met is met


def test_a_ratio_is_to_the_limit_of_the_same_run() -> None:
    figure = Figure("W0", "something", "ms", (4.0, 6.0, 8.0), 2.0, times_limit(5))
    assert figure.as_json() == {
        "workload": "W0",
        "what": "something",
        "unit": "ms",
        "value": 6.0,
        "runs": [4.0, 6.0, 8.0],
        "limit": 2.0,
        "ratio": 3.0,
        "goal": "ratio at most 5",
        "met": True,
        "note": "",
    }


@pytest.mark.parametrize(("q", "expected"), [(0, 1), (50, 50), (99, 99), (100, 100)])
def test_percentiles_are_nearest_ranks(q: float, expected: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], q) == expected


def test_the_table_names_goal_and_verdict() -> None:
    rows = table([Figure("W3", "one message", "ms", (6.0,), 2.0, times_limit(2.5))]).splitlines()
    assert [cell.strip() for cell in rows[2].split("|")[1:-1]] == [
        "W3", "one message", "6 ms", "2 ms", "3 ×", "≤ 2.5 ×", "no"
    ]  # fmt: skip
    assert len({len(row) for row in rows}) == 1


def test_only_the_figures_of_the_document_are_replaced(tmp_path: Path) -> None:
    document = Path(__file__).parents[3] / "docs" / "performance.md"
    copy = tmp_path / "performance.md"
    copy.write_text(document.read_text())
    for text in ("one", "two"):
        write_into(copy, text)
    before, _, rest = document.read_text().partition("<!-- figures")
    assert copy.read_text().startswith(before)
    assert copy.read_text().endswith(rest.partition("<!-- end of figures -->")[2])
    assert "\ntwo\n" in copy.read_text() and "\none\n" not in copy.read_text()
