"""The HTTP/1.1 around the WebSocket carrier, over h11: what a server answers, what a client asks. Pure.

The server answers 101 to every well-formed upgrade, whoever asks; who may go on from there is decided inside. All
else gets an honest small web server: one page, and one way of saying no.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import h11

from p2pchat.errors import Unreachable
from p2pchat.limits import HTTP_HEAD_BYTES
from p2pchat.link.carriers.decoy import html
from p2pchat.link.carriers.knock import HOUR_MS, KNOCK_BYTES

REQUESTS: Final = 100  # that one connection may make
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 4.2.2
_VERSION: Final = b"13"
_UPGRADE: Final = (b"upgrade", b"connection", b"sec-websocket-key", b"sec-websocket-version")
_OTHER: Final = "p2pchat contact address PEER HOST:PORT"
DEFAULT_PORT: Final = 80


def accept_token(key: bytes) -> bytes:
    """Sec-WebSocket-Accept for a Sec-WebSocket-Key as it stands in the request."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The connection speaks WebSocket from now on."""

    key: bytes  # 16, as decoded from Sec-WebSocket-Key
    rest: bytes  # came behind the request


class Server:
    """The HTTP phase of one connection. Feed it; send what it says; stop once ``ended`` or ``upgraded``."""

    def __init__(self, page: bytes) -> None:
        self._page = page
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HTTP_HEAD_BYTES)
        self._request: h11.Request | None = None  # that has not been answered yet
        self._requests = 0
        self.upgraded: Upgraded | None = None
        self.ended = False

    def feed(self, data: bytes, *, now_ms: int) -> bytes:
        """What to answer to the next bytes (empty: the visitor has ended)."""
        answers = b""
        try:
            self._http.receive_data(data)
            while not self.ended and self.upgraded is None:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    break
                answers += self._take(event, now_ms)
        except h11.RemoteProtocolError as error:
            answers += self._answer(HTTPStatus(error.error_status_hint), now_ms, last=True)
        return answers

    def _take(self, event: object, now_ms: int) -> bytes:
        if isinstance(event, h11.Request):
            self._request = event
            self._requests += 1
            if _has_body(event):  # which nobody here reads, so the connection cannot go on
                return self._respond(event, now_ms, last=True)
        elif isinstance(event, h11.EndOfMessage) and self._request is not None:
            return self._respond(self._request, now_ms, last=self._requests >= REQUESTS)
        elif isinstance(event, h11.ConnectionClosed):
            self.ended = True
        return b""

    def _respond(self, request: h11.Request, now_ms: int, *, last: bool) -> bytes:
        wanted = {name: b", ".join(value for each, value in request.headers if each == name) for name in _UPGRADE}
        if request.http_version not in {b"1.0", b"1.1"}:
            return self._answer(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, now_ms, last=True)
        if request.method == b"GET" and b"websocket" in _tokens(wanted[b"upgrade"]):
            return self._upgrade(wanted, request, now_ms, last)
        if request.method not in {b"GET", b"HEAD"}:
            return self._answer(HTTPStatus.METHOD_NOT_ALLOWED, now_ms, (b"Allow", b"GET, HEAD"), last=last)
        if _path(request.target) != b"/":
            return self._answer(HTTPStatus.NOT_FOUND, now_ms, last=last)
        return self._answer(HTTPStatus.OK, now_ms, last=last)

    def _upgrade(self, wanted: dict[bytes, bytes], request: h11.Request, now_ms: int, last: bool) -> bytes:
        key = _decoded(wanted[b"sec-websocket-key"])
        if wanted[b"sec-websocket-version"] != _VERSION:
            version = (b"Sec-WebSocket-Version", _VERSION)
            return self._answer(HTTPStatus.UPGRADE_REQUIRED, now_ms, version, last=last)
        if last or key is None or request.http_version == b"1.0" or b"upgrade" not in _tokens(wanted[b"connection"]):
            return self._answer(HTTPStatus.BAD_REQUEST, now_ms, last=last)
        headers = [
            _date(now_ms),
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
            (b"Sec-WebSocket-Accept", accept_token(wanted[b"sec-websocket-key"])),
        ]
        status = HTTPStatus.SWITCHING_PROTOCOLS
        answer = self._http.send(h11.InformationalResponse(status_code=status, headers=headers, reason=status.phrase))
        assert answer is not None
        self.upgraded = Upgraded(key, bytes(self._http.trailing_data[0]))
        return answer

    def _answer(self, status: HTTPStatus, now_ms: int, *more: tuple[bytes, bytes], last: bool) -> bytes:
        """Every answer but 101 comes from here. ``last``: the connection ends with it."""
        head = self._request is not None and self._request.method == b"HEAD"
        body = self._page if status is HTTPStatus.OK else html(status.phrase, f"<h1>{status} {status.phrase}</h1>\n")
        headers = [
            _date(now_ms),
            (b"Content-Type", b"text/html; charset=utf-8"),
            (b"Content-Length", b"%d" % len(body)),
        ]
        headers += [*more, *([(b"Connection", b"close")] if last else [])]
        response = h11.Response(status_code=status, headers=headers, reason=status.phrase.encode())
        parts = [response, *([] if head else [h11.Data(data=body)]), h11.EndOfMessage()]
        answer = b"".join(self._http.send(part) or b"" for part in parts)
        self._request = None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.ended = True
        return answer


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server speaks WebSocket from now on."""

    hour: int | None  # since 1970, as its Date says
    rest: bytes  # came behind its answer


class Client:
    """One upgrade request and its answer. The headers are those of a WebSocket library; they claim no browser."""

    def __init__(self, host: str, port: int, key: bytes) -> None:
        """``host`` is an IP literal, ``key`` the 16 bytes of Sec-WebSocket-Key."""
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HTTP_HEAD_BYTES)
        self._key = base64.b64encode(key)
        host = f"[{host}]" if ":" in host else host
        self._host = host if port == DEFAULT_PORT else f"{host}:{port}"

    def request(self) -> bytes:
        headers = [
            (b"Host", self._host.encode()),
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
            (b"Sec-WebSocket-Key", self._key),
            (b"Sec-WebSocket-Version", _VERSION),
        ]
        request = self._http.send(h11.Request(method="GET", target="/", headers=headers))
        assert request is not None
        return request + (self._http.send(h11.EndOfMessage()) or b"")

    def feed(self, data: bytes) -> Accepted | None:
        """The answer once its head is whole, else None. Raises Unreachable where it is no WebSocket server."""
        self._http.receive_data(data)
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise Unreachable("no web server answers there", hint=_OTHER) from error
        if event is h11.NEED_DATA:
            return None
        if not isinstance(event, h11.InformationalResponse) or event.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            raise Unreachable("a web server answers there, but not with a WebSocket", hint=_OTHER)
        headers = dict(event.headers)
        agreed = (
            headers.get(b"upgrade", b"").lower() == b"websocket"
            and b"upgrade" in _tokens(headers.get(b"connection", b""))
            and headers.get(b"sec-websocket-accept") == accept_token(self._key)
            and not headers.keys() & {b"sec-websocket-extensions", b"sec-websocket-protocol"}  # nobody asked for any
        )
        if not agreed:
            raise Unreachable("a web server answers there, but not as WebSocket demands", hint=_OTHER)
        return Accepted(_hour(headers.get(b"date", b"")), bytes(self._http.trailing_data[0]))


def _has_body(request: h11.Request) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in request.headers
    )


def _path(target: bytes) -> bytes:
    """The path of ``/path?query`` or ``http://host/path``."""
    path = target.partition(b"?")[0]
    if path.lower().startswith(b"http://"):
        path = b"/" + path[len(b"http://") :].partition(b"/")[2]
    return path


def _tokens(value: bytes) -> set[bytes]:
    return {token.strip().lower() for token in value.split(b",")}


def _decoded(key: bytes) -> bytes | None:
    """16 bytes, or None where the value is not their base64."""
    try:
        decoded = base64.b64decode(key, validate=True)
    except binascii.Error:
        return None
    return decoded if len(decoded) == KNOCK_BYTES and base64.b64encode(decoded) == key else None


def _date(now_ms: int) -> tuple[bytes, bytes]:
    return b"Date", formatdate(now_ms / 1000, usegmt=True).encode()


def _hour(date: bytes) -> int | None:
    try:
        hour = int(parsedate_to_datetime(date.decode("ascii")).timestamp() * 1000) // HOUR_MS
    except (ValueError, OverflowError):  # no date, or none that this computer can reckon with
        return None
    return hour if hour >= 0 else None
