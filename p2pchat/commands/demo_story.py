"""What happens in the demo, step by step. A step returns what its receiver saw, never what its sender meant."""

import base64
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple, cast

from p2pchat.commands.demo_node import SEEN_S, Node
from p2pchat.commands.new_keys import Primes
from p2pchat.errors import Failed
from p2pchat.rpc.jsonlines import Json

BOTH: Final = "both"
REQUEST: Final = "It is me, from the other shell."
GREETING: Final = "Hello ada! Grüße, 世界 👋"
NOTE: Final = "Good night. You will read this tomorrow."


class Step(NamedTuple):
    """``run`` does it, waits until it was seen, and returns what was seen: plain facts, or a peer's own words."""

    name: str  # for scripts
    by: str
    seen_by: str
    does: str
    run: Callable[[], str]
    quotes: bool = False  # what was seen are a peer's words


class Story:
    """Two people meet, write to each other, and one of them writes while the other is away."""

    def __init__(self, ada: Node, ben: Node, primes: Sequence[Primes], card: Path) -> None:
        self._ada: Final = ada
        self._ben: Final = ben
        self._primes: Final = primes
        self._card: Final = card  # where ada leaves her card for ben
        self._waiting = ""  # id of the message that waits for ben

    def __iter__(self) -> Iterator[Step]:
        ada, ben = self._ada.name, self._ben.name
        yield Step("identities", BOTH, BOTH, "make a home with keys", self._make)
        yield Step("start", BOTH, BOTH, "start their daemons", self._start)
        yield Step("card", ada, ben, "gives a card, as a file", self._give_card)
        yield Step("request", ben, ada, "asks for contact", self._request, quotes=True)
        yield Step("accept", ada, ben, "accepts", self._accept)
        yield Step("message", ben, ada, "writes", self._greet, quotes=True)
        yield Step("stop", ben, ben, "stops the daemon", self._stop)
        yield Step("queued", ada, ada, "writes all the same", self._write_to_absent)
        yield Step("delivered", ben, ben, "starts again and reads", self._catch_up, quotes=True)

    def _make(self) -> str:
        nodes = (self._ada, self._ben)
        for node, primes in zip(nodes, self._primes, strict=True):
            node.make(primes)
        return ", ".join(node.short_id for node in nodes)

    def _start(self) -> str:
        with ThreadPoolExecutor(2) as pool:
            started = [pool.submit(node.start) for node in (self._ada, self._ben)]
            return ", ".join(future.result() for future in started)

    def _give_card(self) -> str:
        card = base64.b64decode(cast(str, self._ada.call("contact.card")["card"]))
        self._card.write_bytes(card)
        read = base64.b64encode(self._card.read_bytes()).decode()
        contact = self._ben.call("contact.add", card=read, message=REQUEST)
        _expect(contact["id"] == self._ada.id, f"the card that {self._ben.name} read is another's")
        return f"{len(card)} bytes, of {self._ada.short_id}"

    def _request(self) -> str:
        event = self._ada.sees("contact-request")
        _expect(event.get("from") == self._ben.id, f"the request that {self._ada.name} saw is another's")
        (asked,) = cast(list[dict[str, Json]], self._ada.call("contact.requests")["items"])
        _expect(asked["message"] == REQUEST, "the words of the request have changed on the way")
        return cast(str, asked["message"])

    def _accept(self) -> str:
        self._ada.call("contact.accept", id=self._ben.id)
        event = self._ben.sees("contact-accepted")
        _expect(event.get("from") == self._ada.id, f"somebody else accepted {self._ben.name}")
        states = [node.call("contact.show", peer=peer.id)["state"] for node, peer in self._pairs()]
        _expect(states == ["accepted", "accepted"], f"the two are not contacts: {states}")
        return "both say: accepted"

    def _greet(self) -> str:
        sent = _send(self._ben, self._ada, GREETING)
        return _read(self._ada, self._ben, sent, GREETING)

    def _stop(self) -> str:
        self._ben.stop()
        return "all three processes have ended"

    def _write_to_absent(self) -> str:
        self._waiting = _send(self._ada, self._ben, NOTE)
        waiting = cast(list[dict[str, Json]], self._ada.call("outbox.list")["items"])
        _expect([row["message"] for row in waiting] == [self._waiting], "the outbox does not hold the message")
        return f"outbox: {waiting[0]['state']}"

    def _catch_up(self) -> str:
        self._ben.start()
        text = _read(self._ben, self._ada, self._waiting, NOTE)
        told = self._ada.call(
            "message.wait", wait_s=SEEN_S, message=self._waiting, state="delivered", wait_ms=int(SEEN_S * 1000)
        )
        _expect(told["state"] == "delivered", f"{self._ada.name} was not told of the delivery")
        return text

    def _pairs(self) -> tuple[tuple[Node, Node], tuple[Node, Node]]:
        return (self._ada, self._ben), (self._ben, self._ada)


def _send(sender: Node, to: Node, text: str) -> str:
    """The message's id. The key makes a repeated call harmless, as ``Client.call`` asks."""
    sent = sender.call("send", to=[to.id], text=text, idempotency_key=f"demo: {text}")
    return cast(str, sent["message"])


def _read(reader: Node, sender: Node, message: str, text: str) -> str:
    event = reader.sees("message")
    _expect(event.get("from") == sender.id and event.get("message") == message, f"{reader.name} got another message")
    _expect(event.get("text") == text, "the text has changed on the way")
    return cast(str, event["text"])


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise, hint="p2pchat doctor")
