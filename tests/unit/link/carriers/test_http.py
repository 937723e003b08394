"""The small web server that strangers see, and the one request that a dialler makes."""

import base64
import re
from email.utils import formatdate
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import Unreachable
from p2pchat.limits import HTTP_HEAD_BYTES
from p2pchat.link.carriers.decoy import draw
from p2pchat.link.carriers.http import REQUESTS, Accepted, Client, Server, accept_token

NOW_MS = 1_800_000_000_000
HOUR = 500_000
PAGE = draw(bytes(32)).page
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
KEY = bytes(range(16))
UPGRADE = Client("192.0.2.1", 4711, KEY).request()


def served(*pieces: bytes) -> tuple[bytes, Server]:
    server = Server(PAGE)
    return b"".join(server.feed(piece, now_ms=NOW_MS) for piece in pieces if not server.ended), server


def status(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"^HTTP/1\.1 (\d{3}) ", answer, re.MULTILINE)]


def test_the_page_is_served_and_the_connection_kept() -> None:
    answer, server = served(GET, GET)
    assert status(answer) == [200, 200] and answer.count(PAGE) == 2
    assert b"\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n" in answer
    assert not server.ended
    assert b"Server" not in answer and b"p2pchat" not in answer.lower()


def test_every_head_has_the_same_lines_in_the_same_order() -> None:
    for request in (GET, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00\r\n\r\n", b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n"):
        answer, _ = served(request)
        names = re.findall(rb"^([A-Za-z-]+): ", answer.partition(b"\r\n\r\n")[0], re.MULTILINE)
        assert names[:3] == [b"Date", b"Content-Type", b"Content-Length"]


@pytest.mark.parametrize(
    ("request_", "code", "ends"),
    [
        (b"GET /?q=1 HTTP/1.1\r\nHost: a\r\n\r\n", 200, False),
        (b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 200, False),
        (b"GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n", 404, False),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 404, False),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200, True),
        (b"GET / HTTP/1.0\r\n\r\n", 200, True),
        (b"GET / HTTP/1.1\r\n\r\n", 400, True),
        (b"GET /\r\n\r\n", 400, True),
        (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505, True),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, True),
        (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, False),
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 405, False),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405, False),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405, False),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 405, True),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405, False),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 200, True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400, True),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, True),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, True),
        (b"GET /" + b"a" * HTTP_HEAD_BYTES, 431, True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * HTTP_HEAD_BYTES, 431, True),
    ],
)
def test_strangers_are_answered_honestly(request_: bytes, code: int, ends: bool) -> None:
    answer, server = served(request_)
    assert status(answer) == [code]
    assert server.ended is ends
    assert (b"\r\nConnection: close\r\n" in answer) is ends
    assert server.upgraded is None


def test_a_head_request_gets_the_length_and_no_page() -> None:
    answer, server = served(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(PAGE) in answer and answer.endswith(b"\r\n\r\n")
    assert not server.ended


def test_half_a_request_waits_and_an_end_in_it_is_told() -> None:
    answer, server = served(GET[:20])
    assert answer == b"" and not server.ended
    assert status(server.feed(b"", now_ms=NOW_MS)) == [400] and server.ended


def test_a_visitor_who_says_nothing_gets_nothing() -> None:
    assert served(b"")[0] == b""


def test_one_connection_makes_so_many_requests() -> None:
    answer, server = served(GET * (REQUESTS + 5))
    assert status(answer) == [200] * REQUESTS and server.ended


def test_every_upgrade_is_granted_on_any_path() -> None:
    for request in (UPGRADE, UPGRADE.replace(b"GET /", b"GET /chat?x=1"), GET + UPGRADE):
        answer, server = served(request + b"early")
        assert status(answer)[-1] == 101
        assert server.upgraded is not None and (server.upgraded.key, server.upgraded.rest) == (KEY, b"early")
        assert b"Sec-WebSocket-Accept: " + accept_token(base64.b64encode(KEY)) in answer


def test_H028_what_is_offered_beside_it_is_not_taken() -> None:
    offered = UPGRADE[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    answer, server = served(offered)
    assert server.upgraded is not None
    assert b"Extensions" not in answer and b"Protocol:" not in answer


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"Version: 13", b"Version: 8", 426),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 426),
        (b"Connection: Upgrade", b"Connection: keep-alive", 400),
        (base64.b64encode(KEY), b"", 400),
        (base64.b64encode(KEY), base64.b64encode(KEY[:15]), 400),
        (base64.b64encode(KEY), base64.b64encode(KEY)[:-3] + b"x==", 400),
        (base64.b64encode(KEY), b"!" * 24, 400),
        (b"HTTP/1.1", b"HTTP/1.0", 400),
        (b"Upgrade: websocket", b"Upgrade: h2c", 200),
    ],
)
def test_an_upgrade_that_is_not_well_formed_is_none(old: bytes, new: bytes, code: int) -> None:
    answer, server = served(UPGRADE.replace(old, new))
    assert status(answer) == [code] and server.upgraded is None


def test_two_keys_are_no_key() -> None:
    twice = UPGRADE.replace(b"Sec-WebSocket-Version", b"Sec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version")
    assert status(served(twice)[0]) == [400]


def test_the_accept_token_is_that_of_the_rfc() -> None:
    assert accept_token(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3


# --- the dialler ------------------------------------------------------------------------------------------------------


def test_the_request_claims_nothing() -> None:
    assert UPGRADE == (
        b"GET / HTTP/1.1\r\nHost: 192.0.2.1:4711\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b"Host: [2001:db8::1]:81\r\n" in Client("2001:db8::1", 81, KEY).request()
    assert b"Host: 192.0.2.1\r\n" in Client("192.0.2.1", 80, KEY).request()


def asked(answer: bytes) -> Accepted | None:
    client = Client("192.0.2.1", 4711, KEY)
    client.request()
    return client.feed(answer)


def test_both_sides_agree_and_the_clock_is_told() -> None:
    answer, _ = served(UPGRADE)
    assert asked(answer + b"early") == Accepted(hour=HOUR, rest=b"early")
    assert asked(answer[:-1]) is None


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 01 Jan 1950 00:00:00 GMT", "Fri, 99 Jan 2027 08:00:00 GMT"])
def test_a_date_that_is_none_is_none(date: str) -> None:
    answer = served(UPGRADE)[0].replace(formatdate(NOW_MS / 1000, usegmt=True).encode(), date.encode())
    accepted = asked(answer)
    assert accepted is not None and accepted.hour is None


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"\x00" * 40 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"a" * HTTP_HEAD_BYTES,
        b"",
    ],
)
def test_other_servers_are_told_apart(answer: bytes) -> None:
    with pytest.raises(Unreachable):
        asked(answer)


@pytest.mark.parametrize("more", [b"Sec-WebSocket-Extensions: permessage-deflate", b"Sec-WebSocket-Protocol: chat"])
def test_H028_a_server_that_grants_what_nobody_asked_for_is_left(more: bytes) -> None:
    with pytest.raises(Unreachable):
        asked(served(UPGRADE)[0][:-2] + more + b"\r\n\r\n")


def test_a_wrong_accept_token_is_refused() -> None:
    good = accept_token(base64.b64encode(KEY))
    with pytest.raises(Unreachable):
        asked(served(UPGRADE)[0].replace(good, accept_token(b"another")))


PARTS = st.sampled_from(
    [GET, UPGRADE, UPGRADE[:-2], b"\r\n", b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03", b"Connection: close\r\n"]
)


@given(parts=st.lists(PARTS | st.binary(max_size=30), max_size=6), cuts=st.lists(st.integers(0, 600), max_size=8))
def test_however_the_stream_is_cut_the_answer_is_the_same(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(bounds) if start < end]
    (whole, one), (answer, other) = served(stream) if stream else served(), served(*pieces)
    assert answer == whole and other.ended is one.ended
    assert (other.upgraded is None) is (one.upgraded is None)
