"""Every parser against kept findings, spoilt good input, and noise: taken, or refused in one clear sentence."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import rebuilt, spoilt
from tests.fuzz.target import CORPUS, refuses_or_takes
from tests.fuzz.targets import TARGETS

TARGET = pytest.mark.parametrize("name", TARGETS)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@TARGET
def test_good_input_is_taken(name: str) -> None:
    target = TARGETS[name]
    assert any(refuses_or_takes(target, seed) for seed in target.seeds())


@TARGET
def test_kept_findings_are_met(name: str) -> None:
    for data in TARGETS[name].kept():
        refuses_or_takes(TARGETS[name], data)


@TARGET
@QUICK
@given(data=st.data())
def test_spoilt_input_is_refused_in_a_sentence(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    refuses_or_takes(target, data.draw(spoilt(target) | rebuilt(target)))


@TARGET
@QUICK
@given(noise=st.binary(max_size=300))
def test_noise_is_refused_in_a_sentence(name: str, noise: bytes) -> None:
    refuses_or_takes(TARGETS[name], noise)


def test_no_corpus_is_without_its_parser() -> None:
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} <= set(TARGETS)
