"""The table of metrics and their text form."""

import re

import pytest

from p2pchat.rpc import metrics
from p2pchat.rpc.fields import SAMPLES
from p2pchat.rpc.metrics import FAMILIES, SECONDS, Sample, counts, number, of_process, sample, text

# Prometheus, "Exposition formats", the text form, as far as we use it.
LINE = re.compile(
    r"# HELP [a-z_][a-z0-9_]* [^\n\\]+"
    r"|# TYPE [a-z_][a-z0-9_]* (?:counter|gauge)"
    r'|[a-z_][a-z0-9_]*(?:\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? [0-9.e+-]+'
)


def test_names_follow_the_conventions() -> None:
    for family in FAMILIES.values():
        assert re.fullmatch(r"p2pchat_[a-z_]+", family.name)
        assert (family.type == "counter") == family.name.endswith("_total")
        assert family.help.endswith(".")


def test_the_text_form_groups_families_in_the_table_s_order() -> None:
    given: list[Sample] = [
        sample("p2pchat_cpu_seconds_total", 1_500_000, process="vault"),
        sample("p2pchat_half_open", 3),
        sample("p2pchat_cpu_seconds_total", 2 * SECONDS, process="gate"),
        *counts("p2pchat_dials", "state", {"linked": 1, "waiting": 0}),
    ]
    assert list(text(given)) == [
        "# HELP p2pchat_dials Wanted links by what is being done for them.",
        "# TYPE p2pchat_dials gauge",
        'p2pchat_dials{state="linked"} 1',
        'p2pchat_dials{state="waiting"} 0',
        "# HELP p2pchat_half_open Visitors who have not proven who they are.",
        "# TYPE p2pchat_half_open gauge",
        "p2pchat_half_open 3",
        "# HELP p2pchat_cpu_seconds_total Processor time since the start.",
        "# TYPE p2pchat_cpu_seconds_total counter",
        'p2pchat_cpu_seconds_total{process="vault"} 1.5',
        'p2pchat_cpu_seconds_total{process="gate"} 2.0',
    ]
    assert all(LINE.fullmatch(line) for line in text(given))


def test_a_process_tells_of_itself_within_the_schema() -> None:
    given = list(of_process("gate", started_ms=1_800_000_000_000, delay_s=-1e-9))
    SAMPLES.check({"metrics": [dict(one) for one in given]}, "metrics")  # type: ignore[dict-item]
    values = {one["name"]: number(one) for one in given}
    assert values["p2pchat_start_time_seconds"] == 1_800_000_000
    assert values["p2pchat_loop_delay_seconds"] == 0
    assert values["p2pchat_resident_peak_bytes"] > 1_000_000
    assert 0 < values["p2pchat_cpu_seconds_total"] < 10_000
    assert all(LINE.fullmatch(line) for line in text(given))


def test_a_family_that_is_in_no_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        sample("p2pchat_secrets", 1)


@pytest.mark.parametrize("value", ["pc1 ada", 'a"b', "a\nb", "", "Ada", "10.0.0.1"])
def test_a_label_holds_no_name_and_no_address(value: str) -> None:
    assert not re.fullmatch(metrics.LABEL_VALUE, value)
