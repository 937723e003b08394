"""The gate as a process: two of them over real sockets, this test in the place of launchers and vaults."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from p2pchat import local_socket
from p2pchat.build import build_hash
from p2pchat.errors import Forbidden, NotFound
from p2pchat.ids import UserId, user_id_text
from p2pchat.keys.vault_file import seal_gate
from p2pchat.launch.programs import environ
from p2pchat.rpc.client import Client
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason
from p2pchat.wire.frames import FrameType
from p2pchat.wire.shape import Struct
from tests.support.daemons import wait_for
from tests.support.gates import peer, user, want
from tests.support.identities import stored_secrets

KEY = bytes(range(32))
PATIENCE_S = 20.0
T = TypeVar("T", bound=Struct)


@dataclass(eq=False)
class Process:
    """A gate process with both its sockets."""

    index: int
    home: Path
    popen: subprocess.Popen[bytes]
    control: socket.socket
    boundary: socket.socket
    reader: boundary.BoundaryReader = field(default_factory=boundary.BoundaryReader)
    heard: list[Struct] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """The next line on the control socket; empty at its end."""
        with self.control.makefile("rb") as lines:
            line = lines.readline()
        return json.loads(line) if line else {}

    def say(self, *messages: Struct) -> None:
        self.boundary.sendall(b"".join(boundary.encode(message) for message in messages))

    def hello(self, build: bytes = b"", index: int | None = None) -> None:
        index = self.index if index is None else index
        vault, _ = stored_secrets(index)
        self.say(
            boundary.VaultHello(
                build=build or build_hash(),
                user=user(index),
                device=vault.device,
                key_log=vault.key_log,
                device_set=vault.device_set,
            )
        )

    def wait(self, kind: type[T], such_that: Callable[[T], bool] = lambda _: True) -> T:
        while True:
            for message in self.heard:
                if isinstance(message, kind) and such_that(message):
                    return message
            data = self.boundary.recv(65536)
            assert data, "the gate has ended"
            self.heard += self.reader.feed(data)

    def ended(self) -> int:
        return self.popen.wait(PATIENCE_S)


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def run(index: int, *, name: str = "", listen: str = "127.0.0.1:0") -> Process:
            home = tmp_path / (name or str(index))
            home.mkdir(mode=0o700, exist_ok=True)
            _, secrets = stored_secrets(index)
            (home / "gate.key").write_bytes(seal_gate(secrets, KEY, bytes(24)))
            (ours, control), (vault, gate) = socket.socketpair(), socket.socketpair()
            rpc = local_socket.listen(home / "gate.sock")
            numbers = [str(sock.fileno()) for sock in (control, gate, rpc)]
            with control, gate, rpc:
                popen = subprocess.Popen(
                    [sys.executable, "-P", "-m", "p2pchat.firewall", *numbers],
                    pass_fds=[control.fileno(), gate.fileno(), rpc.fileno()],
                    env=environ({"P2PCHAT_HOME": str(home)}),
                )
            stack.callback(popen.wait, PATIENCE_S)
            stack.callback(popen.kill)
            for sock in (ours, vault):
                sock.settimeout(PATIENCE_S)
                stack.enter_context(sock)
            ours.sendall(json.dumps({"key": KEY.hex(), "listen": [listen]}).encode() + b"\n")
            return Process(index, home, popen, ours, vault)

        yield run


def test_two_gate_processes_carry_frames_over_tcp(start: Start) -> None:
    one, other = start(0), start(1)
    host, port = other.told()["ready"]["listen"][0].split(":")
    one.told()
    for process in (one, other):
        process.hello()
        assert process.wait(boundary.Welcome).listen[0].startswith("127.0.0.1:")
    other.say(peer(0))
    one.say(peer(1, (host, int(port))), want(1))
    up, theirs = one.wait(boundary.Up), other.wait(boundary.Up)
    assert up.handshake_hash == theirs.handshake_hash
    one.say(boundary.Send(link=up.link, seq=1, kind=FrameType.ENVELOPE, body=b"e" * 60_000))
    assert one.wait(boundary.Sent).seq == 1
    assert other.wait(boundary.Arrived).body == b"e" * 60_000
    other.boundary.close()  # the other vault ends: its gate says good-bye and ends, too
    assert other.ended() == 0
    assert one.wait(boundary.Down).reason == Reason.CLOSED
    one.control.shutdown(socket.SHUT_WR)  # the launcher ends
    assert one.ended() == 0


def test_the_port_is_kept_and_taken_again(start: Start) -> None:
    first = start(0, name="home")
    listen = first.told()["ready"]["listen"]
    first.boundary.close()
    assert first.ended() == 0
    assert start(0, name="home").told()["ready"]["listen"] == listen


def test_a_kept_port_that_is_taken_gives_way_to_another(start: Start, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = squatter.getsockname()[1]
        (tmp_path / "home" / "port").write_text(f"{taken}\n")
        process = start(0, name="home")
        (listen,) = process.told()["ready"]["listen"]
    assert listen != f"127.0.0.1:{taken}"
    assert (process.home / "port").read_text().strip() == listen.split(":")[1]


@pytest.mark.parametrize(
    ("listen", "what"),
    [("{taken}", "in use"), ("203.0.113.77:4000", "cannot listen on 203.0.113.77"), ("nonsense", "not HOST:PORT")],
)
def test_an_address_that_cannot_be_had_is_told(start: Start, listen: str, what: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = "{}:{}".format(*squatter.getsockname())
        process = start(0, listen=listen.format(taken=taken))
        error = process.told()["error"]
        assert what in error["message"]
        assert error["hint"]
        assert process.ended() == 1


def test_another_build_of_the_vault_is_refused(start: Start) -> None:
    process = start(0)
    process.told()
    process.hello(build=b"\0" * 32)
    assert "same build" in process.told()["error"]["message"]
    assert process.ended() == 1


def test_a_vault_of_another_identity_is_refused(start: Start) -> None:
    process = start(0)
    process.told()
    process.hello(index=1)
    assert "do not belong together" in process.told()["error"]["message"]
    assert process.ended() == 6


def test_nonsense_on_the_boundary_ends_the_gate_with_a_sentence(start: Start) -> None:
    process = start(0)
    process.told()
    process.hello()
    process.wait(boundary.Welcome)
    process.boundary.sendall((81 * 1024).to_bytes(4))
    assert process.told()["error"]["code"] == "BAD_FORMAT"


def test_a_typed_address_is_dialled_at_once_and_outlives_the_gate(start: Start) -> None:
    other = start(1)
    listen = other.told()["ready"]["listen"][0]
    other.hello()
    other.say(peer(0))
    for life in range(2):
        one = start(0)
        one.told()
        one.hello()
        one.say(peer(1), want(1))
        if life == 0:
            assert one.wait(boundary.Cannot).reason == "no address is known"
            with Client(one.home / "gate.sock") as client:
                port = listen.split(":")[1]
                result = client.call("contact.address", id=user_id_text(user(1)), addresses=[f"localhost:{port}"])
                assert listen in result["addresses"]  # the name is resolved now, and never again
                with pytest.raises(Forbidden, match="port 25"):
                    client.call("contact.address", id=user_id_text(user(1)), addresses=["127.0.0.1:25"])
                some = ["127.0.0.1:25", "169.254.169.254:80", listen]
                result = client.call("contact.address", id=user_id_text(user(1)), addresses=some, some=True, lan=True)
                assert result["addresses"] == [listen]
                client.call("contact.address", id=user_id_text(user(2)), addresses=[listen])  # not named yet
                one.say(boundary.Peer(user=user(2), role=boundary.Role.GONE))
                wait_for(lambda: refused(client, user(2), listen), seconds=10, what="the gate to hear of it")
        assert one.wait(boundary.Up).address == listen
        one.boundary.close()
        assert one.ended() == 0


def refused(client: Client, peer: UserId, address: str) -> bool:
    try:
        client.call("contact.address", id=user_id_text(peer), addresses=[address])
    except NotFound:
        return True
    return False


def test_a_damaged_address_book_begins_anew(start: Start, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "gate.db").write_bytes(b"no database" * 1000)
    assert start(0, name="home").told()["ready"]
    assert (home / "gate.db.damaged").exists()
