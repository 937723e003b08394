"""What is captured: two friends who talk, part and meet again, and two strangers. Run inside a network of its own.

``python -m tests.support.outside.scenario FOLDER CARRIER SITTINGS`` leaves ``traffic.pcap`` and ``secrets.json`` there.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

from p2pchat.home import Home
from p2pchat.ids import parse_user_id
from p2pchat.link.carriers import frames
from p2pchat.rpc.client import Client
from tests.support.daemons import Node, befriend, nodes, wait_for

MESSAGES = 100  # each way and sitting
RANDOM = Random(3)


def main(folder: Path, carrier: str, sittings: int) -> None:
    with tcpdump(folder / "traffic.pcap"), nodes(folder, 0, 1) as (a, b):
        for node in (a, b):
            node.ok("config", "set", "carriers", carrier)
        listen = str(a.start()["listen"][0])
        b.start()
        befriend(a, b)
        host, port = listen.rsplit(":", 1)
        with ThreadPoolExecutor(1) as pool:
            strangers = pool.submit(come_as_strangers, host, int(port)) if carrier == "ws" else None
            texts = [text for sitting in range(sittings) for text in sit(a, b, last=sitting == sittings - 1)]
            if strangers is not None:
                strangers.result()
        nicknames = [str(node.json("whoami")["nickname"]) for node in (a, b)]
        ids = {node.id: parse_user_id(node.id).hex() for node in (a, b)}
        (folder / "secrets.json").write_text(json.dumps({"ids": ids, "nicknames": nicknames, "texts": texts}))
        b.stop()
        a.stop()


@contextmanager
def tcpdump(path: Path) -> Iterator[None]:
    """Everything on the loopback of this network."""
    command = ["tcpdump", "-Z", "root", "-i", "lo", "-s", "0", "-B", "65536", "-U", "-w", str(path), "tcp"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "listening on" not in (line := process.stderr.readline()):
            assert line, "tcpdump ended before it listened"
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield
        time.sleep(1)  # what the kernel has captured reaches the file
        process.send_signal(signal.SIGINT)


def sit(a: Node, b: Node, *, last: bool) -> list[str]:
    """A hundred messages each way, then one side is gone for a moment."""
    written = [talk(a, b.id), talk(b, a.id)]
    by_hand = f"by hand {secrets.token_hex(12)}"
    a.ok("send", b.id, by_hand, "--wait", "delivered")
    if not last:
        b.stop()
        b.start()
        a.ok("send", b.id, "again", "--wait", "delivered", "--timeout", "60")
    return [*written[0], *written[1], by_hand]


def talk(sender: Node, to: str) -> list[str]:
    """Messages of all sizes, a few at a time; what was written."""
    texts = [secrets.token_hex(12) + "x" * RANDOM.choice((0, 5, 200, 900, 5000)) for _ in range(MESSAGES)]
    texts.append(secrets.token_hex(12) + "y" * 60_000)
    home = Home(sender.path, sender.path)

    def send(text: str) -> str:
        client = Client(home.rpc_sock)
        try:
            return str(client.call("send", to=[to], text=text)["message"])
        finally:
            client.close()

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(send, texts))
    wait_for(lambda: not sender.json("status")["outbox"], seconds=60, what="all to be delivered")
    assert len(set(sent)) == len(texts)
    return texts


def come_as_strangers(host: str, port: int) -> None:
    visit_page(host, port)
    knock_wrongly(host, port)


def visit_page(host: str, port: int) -> None:
    """A browser's visit: the page, something that is not there, a form that nobody takes."""
    visitor = http.client.HTTPConnection(host, port, timeout=10)
    for method, path in (("GET", "/"), ("GET", "/favicon.ico"), ("HEAD", "/"), ("POST", "/login")):
        visitor.request(method, path)
        answer = visitor.getresponse()
        answer.read()
    visitor.close()


def knock_wrongly(host: str, port: int) -> None:
    """A WebSocket client who knows no ID: a well-formed upgrade, one message, the refusal, the close."""
    with socket.create_connection((host, port), timeout=30) as stream:
        key = b64encode(os.urandom(16)).decode()
        stream.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += stream.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        stream.sendall(frames.encode(frames.BINARY, os.urandom(700), os.urandom(4)))
        while stream.recv(4096):
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
