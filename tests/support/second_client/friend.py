"""Sections 8 to 12 put together: one contact over one link at a time. ``Friend`` outlives its links."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.second_client import requests
from tests.support.second_client.compare import YES, Compare
from tests.support.second_client.epochs import Epoch, Exchange
from tests.support.second_client.identity import Me, oaep
from tests.support.second_client.link import PONG, Link
from tests.support.second_client.primitives import pack, sha256, unpack
from tests.support.second_client.sealed import (
    envelope_head,
    envelope_header,
    envelope_leg,
    leg_label,
    mixed,
    open_ctl,
    open_envelope,
    seal_ctl,
    seal_envelope,
)

HELLO, REKEY, OFFER, ACCEPT, CONFIRM, ENVELOPE, CTL, REQUEST, ANSWER = 1, 3, 4, 5, 6, 7, 8, 9, 10
RESUME, RECEIPT, ADDRESSES, PROFILE, COMPARE = 1, 2, 3, 4, 7
TEXT = 1
RESET, NEXT = 0, 1
LOST, DAMAGED, STOPPED = 3, 4, 5


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Friend:
    me: Me
    link: Link
    epoch: Epoch | None = None
    pending: Epoch | None = None
    exchange: Exchange | None = None
    agreed: bool = False
    resumed: bool = False  # the peer's Resume is here
    capabilities: tuple[str, ...] = ()
    # the own queue
    incarnation: bytes = field(default_factory=lambda: os.urandom(8))
    held: dict[int, bytes] = field(default_factory=dict)  # encoded bodies by number
    tail: int = 0
    delivered: int = 0
    previous: bytes = bytes(16)
    # the peer's
    peer_incarnation: bytes = b""
    have: int = 0
    texts: list[str] = field(default_factory=list)
    profile: str = ""
    legs: int = 0  # messages that bore an RSA key
    damages: bool = False  # every message that is sealed meanwhile is spoilt on its way
    stopped: bool = False  # the peer's channel is in error
    ticket: bytes = b""
    comparison: Compare | None = None

    def ask(self, note: str) -> None:
        self.link.send(REQUEST, requests.request(self.me, self.link, "second", note, now_ms()))

    def relink(self, link: Link) -> None:
        """A new link: greet as friends who agreed an epoch before."""
        self.link, self.exchange = link, None
        self._hello()

    def part(self) -> None:
        self.agreed = self.resumed = False
        self.link.close()

    def renew(self) -> None:
        """Begin, or ask for, the next epoch while this one goes on."""
        assert self.epoch is not None
        self.exchange = Exchange(self.me, self.link)
        if self.exchange.is_lo:
            self.link.send(OFFER, self.exchange.offer(NEXT, self.epoch.number + 1))
        else:
            self.link.send(REKEY, pack(0))

    def until(self, done: Callable[["Friend"], object]) -> None:
        """Take frames until ``done``; the link's timeout bounds each wait."""
        while not done(self):
            kind, body = self.link.receive()
            if kind != PONG:
                self._TAKERS[kind](self, body)

    def text(self, words: str, *, rsa_key: bool = False) -> bytes:
        """Queue and send a text; its message id. ``rsa_key``: one for this message alone, if it can go at once."""
        self.tail += 1
        message, conversation = os.urandom(16), self._conversation()
        fixed = (message, conversation, now_ms() << 16, now_ms(), self.me.device, self.tail, self.previous)
        body = pack("p2pchat/1/body", *fixed, TEXT, "text/plain", words.encode(), b"", b"", 0, [])
        self.previous = sha256(body)[:16]
        self.held[self.tail] = body
        if self.resumed:
            self._seal(body, os.urandom(32) if rsa_key else b"")
        return message

    @property
    def idle(self) -> bool:
        return self.delivered == self.tail

    def _conversation(self) -> bytes:
        return sha256(b"p2pchat/1/pair", *sorted((self.me.shown.user, self.link.peer.user)))[:16]

    # --- what arrives -------------------------------------------------------------------------------------------------

    def _answer(self, body: bytes) -> None:
        accepted, reply, self.ticket, _, _, _ = requests.open_answer(self.me, self.link, body)
        assert accepted and not reply
        self.link.send(ANSWER, requests.answer(self.me, self.link, "second", reply=True))
        self._hello()

    def _hello(self) -> None:
        ids = [epoch.id if epoch else b"" for epoch in (self.epoch, self.pending)]
        self.link.send(HELLO, pack(*ids, ["text"]))

    def _greeted(self, body: bytes) -> None:
        epoch, pending, self.capabilities = unpack(body, fields=3)
        self.exchange = Exchange(self.me, self.link)
        if self.epoch and (self.epoch.id == epoch or (self.exchange.is_lo and self.epoch.id == pending)):
            self._agreed()
        elif self.pending and self.pending.id == epoch:
            self._promote()
        elif self.exchange.is_lo:
            self.link.send(OFFER, self.exchange.offer(RESET, self.epoch.number + 1 if self.epoch else 1))

    def _rekeyed(self, body: bytes) -> None:
        (reason,) = unpack(body, fields=1)
        assert self.epoch is not None
        if reason == STOPPED:
            self.stopped, self.agreed, self.resumed = True, False, False
            return
        self.exchange = Exchange(self.me, self.link)
        mode = RESET if reason in (LOST, DAMAGED) else NEXT
        if mode == RESET:
            self.agreed = self.resumed = False
        self.link.send(OFFER, self.exchange.offer(mode, self.epoch.number + 1))

    def _offered(self, body: bytes) -> None:
        self.exchange = Exchange(self.me, self.link)
        if unpack(body, fields=5)[0] == RESET:
            self.agreed = self.resumed = False
        self.pending, answer = self.exchange.accept(body, self.epoch.next if self.epoch else bytes(32))
        self.link.send(ACCEPT, answer)

    def _accepted(self, body: bytes) -> None:
        assert self.exchange is not None
        self.epoch = self.exchange.verify(body, self.epoch.next if self.epoch else bytes(32))
        self.link.send(CONFIRM, pack(self.epoch.mac_offer))
        self._agreed()

    def _confirmed(self, body: bytes) -> None:
        assert self.pending is not None and unpack(body, fields=1) == [self.pending.mac_offer]
        self._promote()

    def _promote(self) -> None:
        self.epoch, self.pending = self.pending, None
        self._agreed()

    def _agreed(self) -> None:
        """Say Resume, unless the channel was agreed before and only its epoch is a new one."""
        if self.agreed:
            return
        self.agreed = True
        self._say(RESUME, [self.incarnation, self.delivered + 1, self.tail, self.peer_incarnation, self.have, b""])

    def _envelope(self, frame: bytes) -> None:
        epoch, index = envelope_header(frame)
        if self.pending and epoch == self.pending.id:
            self._promote()
        assert self.epoch is not None and epoch == self.epoch.id
        key, route = self.epoch.receive.take(index), self._route(theirs=True)
        if leg := envelope_leg(frame):
            self.legs += 1
            label = leg_label(frame[:14], route, self.me.shown.spki_hash)
            key = mixed(key, self.me.root.decrypt(leg, oaep(label)))
        body = open_envelope(key, route, frame)
        fields = unpack(body, label="p2pchat/1/body", fields=14)
        assert fields[1] == self._conversation() and fields[4] == self.link.device
        if fields[5] == self.have + 1:
            self.have += 1
            if fields[7] == TEXT:
                self.texts.append(fields[9].decode())
        self._say(RECEIPT, [self.peer_incarnation, self.have, 0])

    def _ctl(self, frame: bytes) -> None:
        assert self.epoch is not None and frame[:8] == self.epoch.id
        for kind, body in unpack(open_ctl(self.epoch.ctl_receive, self.link.hash, frame), fields=1)[0]:
            if kind == RESUME:
                self._resume(*unpack(body, fields=6))
            elif kind == RECEIPT:
                incarnation, delivered, _ = unpack(body, fields=3)
                self.delivered = max(self.delivered, delivered) if incarnation == self.incarnation else self.delivered
            elif kind == PROFILE:
                self.profile = unpack(body, fields=3)[0]
            elif kind == COMPARE:
                self._compare(body)

    def _compare(self, statement: bytes) -> None:
        """Go along, and answer yes once there is something to see."""
        if self.comparison is None:
            self.comparison = Compare(self.me.shown, self.link.peer, self.link.hash)
        before = self.comparison.statement()
        self.comparison.heard(statement)
        self.comparison.verdict = YES if self.comparison.peer_value else self.comparison.verdict
        if self.comparison.statement() != before:
            self._say_encoded(COMPARE, self.comparison.statement())

    def _resume(
        self, incarnation: bytes, first: int, _tail: int, have_incarnation: bytes, have: int, _message: bytes
    ) -> None:
        if incarnation != self.peer_incarnation:
            self.peer_incarnation, self.have = incarnation, 0
        self.have = max(self.have, first - 1)
        if have_incarnation == self.incarnation:
            self.delivered = max(self.delivered, have)
        self.resumed = True
        for number in range(self.delivered + 1, self.tail + 1):
            self._seal(self.held[number])

    # --- what leaves --------------------------------------------------------------------------------------------------

    def _route(self, *, theirs: bool) -> bytes:
        mine, peer = (self.me.shown.user, self.me.device), (self.link.peer.user, self.link.device)
        one, other = (peer, mine) if theirs else (mine, peer)
        return one[0] + other[0] + one[1] + other[1]

    def _seal(self, body: bytes, secret: bytes = b"") -> None:
        assert self.epoch is not None
        index, leg = self.epoch.send.index, b""
        key, route = self.epoch.send.take(index), self._route(theirs=False)
        if secret:
            label = leg_label(envelope_head(self.epoch.id, index, leg=True), route, self.link.peer.spki_hash)
            key, leg = mixed(key, secret), self.link.peer.root.encrypt(secret, oaep(label))
        frame = seal_envelope(key, self.epoch.id, index, route, body, os.urandom(24), leg)
        self.link.send(ENVELOPE, frame[:99] + bytes([frame[99] ^ 1]) + frame[100:] if self.damages else frame)

    def _say(self, kind: int, fields: list[Any]) -> None:
        self._say_encoded(kind, pack(*fields))

    def _say_encoded(self, kind: int, body: bytes) -> None:
        assert self.epoch is not None
        content = pack([[kind, body]])
        self.link.send(CTL, seal_ctl(self.epoch.ctl_send, self.epoch.id, self.link.hash, content, os.urandom(24)))

    _TAKERS = {  # noqa: RUF012 - a table of this class's own methods
        HELLO: _greeted,
        REKEY: _rekeyed,
        OFFER: _offered,
        ACCEPT: _accepted,
        CONFIRM: _confirmed,
        ENVELOPE: _envelope,
        CTL: _ctl,
        ANSWER: _answer,
    }
