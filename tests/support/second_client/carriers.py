"""Sections 5.1 and 5.6: the stream of bytes over TCP as it is, or as WebSocket messages behind an HTTP upgrade."""

import base64
import hashlib
import os
import socket
import time
from typing import Protocol

from tests.support.second_client.primitives import hkdf, hmac

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


class Stream(Protocol):
    def send(self, data: bytes) -> None: ...

    def exactly(self, count: int) -> bytes: ...

    def close(self) -> None: ...


class Raw:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=15)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self.socket.recv(count - len(got))
            if not piece:
                raise ConnectionError("the other side ended the connection")
            got += piece
        return got

    def close(self) -> None:
        self.socket.close()


class WebSocket:
    def __init__(self, address: tuple[str, int], user: bytes) -> None:
        self.raw, self.stream, self.pongs = Raw(address), b"", list[bytes]()
        key = base64.b64encode(knock(user, os.urandom(8), int(time.time()) // 3600)).decode()
        lines = [
            "GET / HTTP/1.1",
            f"Host: {address[0]}:{address[1]}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        self.raw.send("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.raw.exactly(1)
        status, *fields = head.decode().strip().split("\r\n")
        answer = dict(line.split(": ", 1) for line in fields)
        token = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        assert status.split()[1] == "101"
        assert answer["Sec-WebSocket-Accept"] == base64.b64encode(token).decode()
        assert "Date" in answer and "Sec-WebSocket-Extensions" not in answer

    def send(self, data: bytes) -> None:
        """One message."""
        self.frame(BINARY, data)

    def exactly(self, count: int) -> bytes:
        while len(self.stream) < count:
            self._read()
        taken, self.stream = self.stream[:count], self.stream[count:]
        return taken

    def close(self) -> None:
        """Both say close, then the server ends TCP, then we do."""
        self.frame(CLOSE, (1000).to_bytes(2))
        while self._read() != CLOSE:
            pass
        assert self.raw.socket.recv(1) == b""
        self.raw.close()

    def frame(self, opcode: int, payload: bytes) -> None:
        mask, size = os.urandom(4), len(payload)
        head = bytes([128 | opcode, 128 | size]) if size < 126 else bytes([128 | opcode, 254]) + size.to_bytes(2)
        assert size < 65536
        self.raw.send(head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload)))

    def _read(self) -> int:
        """Take one frame; its opcode."""
        first, second = self.raw.exactly(2)
        assert second < 128, "a server does not mask"
        size = int.from_bytes(self.raw.exactly({126: 2, 127: 8}[second])) if second > 125 else second
        payload = self.raw.exactly(size)
        if first & 15 == PING:
            self.frame(PONG, payload)
        elif first & 15 == PONG:
            self.pongs.append(payload)
        elif first & 15 != CLOSE:
            self.stream += payload
        return first & 15


def knock(user: bytes, nonce: bytes, hour: int) -> bytes:
    return nonce + hmac(hkdf(user, b"p2pchat/1/knock"), nonce, hour.to_bytes(4))[:8]
