"""Garbage on the control socket is a BadFormat or a value; what was written is read back; texts are always harmless."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import BadFormat, P2PChatError
from p2pchat.limits import RPC_DEPTH
from p2pchat.rpc import answers
from p2pchat.rpc.jsonlines import SAFE_INTEGER, Json, decode, encode
from p2pchat.rpc.methods import METHODS, checked_params
from p2pchat.show import LINE_COLUMNS, show, show_body, width

scalars = st.none() | st.booleans() | st.integers(-SAFE_INTEGER, SAFE_INTEGER) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)
HARMFUL = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(values)
def test_what_is_written_is_read_back(value: Json) -> None:
    try:
        assert decode(encode(value)) == value
    except BadFormat as error:
        assert "nested" in error.message and str(value).count("[") + str(value).count("{") > RPC_DEPTH


@given(
    st.binary(max_size=200) | st.text(alphabet='{}[]",:0123456789eE.+-\\u d8NaNtrfalsn', max_size=80).map(str.encode)
)
def test_garbage_is_a_bad_format_or_a_value(line: bytes) -> None:
    try:
        value = decode(line)
    except BadFormat:
        return
    assert decode(encode(value)) == value


@given(st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params", "x"]), values | st.just("2.0")))
def test_any_object_is_a_request_or_a_bad_format(value: dict[str, Json]) -> None:
    try:
        request = answers.read_request(value)
    except BadFormat:
        return
    assert request.id >= 0


@given(st.sampled_from(sorted(METHODS)), st.data())
def test_any_parameters_are_checked_or_refused_in_one_sentence(method: str, data: st.DataObject) -> None:
    names = [field.name for field in METHODS[method].params.fields] or ["x"]
    params = data.draw(st.dictionaries(st.sampled_from([*names, "strange"]), values))
    try:
        checked = checked_params(method, params)
    except P2PChatError as error:
        assert "\n" not in error.message
        return
    assert checked.keys() <= set(names)


@given(st.text(max_size=300))
def test_shown_text_is_harmless_and_fits(text: str) -> None:
    for line in [show(text, 40), *show_body(text).split("\n")]:
        assert not {unicodedata.category(char) for char in line} & HARMFUL
        assert line.count("\u2068") == line.count("\u2069")
    assert width(show(text, 40)) <= 40
    assert all(width(line) <= LINE_COLUMNS + 4 for line in show_body(text).split("\n"))
