"""Two nodes that are friends: the demo's, with its published keys, in a folder of their own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

from p2pchat import config
from p2pchat.commands import demo
from p2pchat.commands.demo_node import Node


class Pair(NamedTuple):
    a: Node
    b: Node

    def start(self) -> None:
        """Both at the same time, as two machines would."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Node.start, self))

    def stop(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Node.stop, self))


@contextmanager
def friends(folder: Path, carrier: str) -> Iterator[Pair]:
    """A running pair of accepted contacts, linked over ``carrier``; ended at exit."""
    pair = Pair(Node("a", folder), Node("b", folder))
    try:
        for node, primes in zip(pair, demo.stored_primes(), strict=True):
            node.make(primes)
            for bound in ("messages_per_minute", "calls_per_minute"):  # what is measured here is the rest
                config.change(node.home.config_file, bound, "0")
            config.change(node.home.config_file, "carriers", carrier)
        pair.start()
        pair.b.call("contact.add", card=pair.a.call("contact.card")["card"])
        pair.a.sees("contact-request")
        pair.a.call("contact.accept", id=pair.b.id)
        pair.b.sees("contact-accepted")
        yield pair
    finally:
        pair.stop()


def delivered(sender: Node, to: Node, text: str) -> str:
    """Send and wait until the other side has it on disk; the message's id."""
    sent = sender.call("send", wait_s=20, to=[to.id], text=text, wait="delivered", wait_ms=20_000)
    if sent["state"] != "delivered":
        raise SystemExit(f"a message is {sent['state']} after 20 s")
    return cast(str, sent["message"])


def await_delivery(sender: Node, message: str) -> None:
    """Wait until the recipient has the message on disk and said so; otherwise end the run."""
    state = sender.call("message.wait", wait_s=20, message=message, state="delivered", wait_ms=20_000)["state"]
    if state != "delivered":
        raise SystemExit(f"a message is {state} after 20 s")
