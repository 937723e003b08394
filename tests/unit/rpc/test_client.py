"""The blocking client: restarts, silence, and daemons that are not there."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat import local_socket
from p2pchat.errors import BadFormat, ConnectionLost, NoDaemon, NotFound, TimedOut
from p2pchat.rpc import client as client_module
from p2pchat.rpc.client import RESENDS, Client
from tests.support.fake_daemon import ALICE, FakeDaemon, serving

WHO = {"id": ALICE, "fingerprint": "0" * 64, "pubkey_md5": "0" * 32, "nickname": "ada", "listen": []}


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeDaemon]:
    with serving(tmp_path, FakeDaemon({"whoami": WHO})) as daemon:
        yield daemon


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module.time, "sleep", lambda _s: None)


def test_one_connection_serves_many_calls(tmp_path: Path, fake: FakeDaemon) -> None:
    with Client(tmp_path / "rpc.sock") as client:
        assert [client.call("whoami")["nickname"] for _ in range(3)] == ["ada"] * 3


def test_an_error_is_raised_as_it_was_told(tmp_path: Path, fake: FakeDaemon) -> None:
    def missing(_params: object) -> dict[str, object]:
        raise NotFound("nobody", hint="look")

    fake.answers["contact.show"] = missing
    with Client(tmp_path / "rpc.sock") as client, pytest.raises(NotFound, match="nobody"):
        client.call("contact.show", peer="bob")


def test_a_call_is_sent_again_where_the_daemon_breaks_off(tmp_path: Path, fake: FakeDaemon) -> None:
    fake.drop = 2
    with Client(tmp_path / "rpc.sock") as client:
        assert client.call("whoami")["nickname"] == "ada"
    assert len(fake.calls) == 3


def test_a_call_that_breaks_the_daemon_each_time_is_given_up(tmp_path: Path, fake: FakeDaemon) -> None:
    fake.drop = 100
    with Client(tmp_path / "rpc.sock") as client, pytest.raises(ConnectionLost):
        client.call("whoami")
    assert len(fake.calls) == RESENDS + 1


def test_a_daemon_that_was_never_there_is_reported_at_once(tmp_path: Path) -> None:
    with Client(tmp_path / "none" / "rpc.sock", patience_s=1e9) as client, pytest.raises(NoDaemon):
        client.call("whoami")


def test_H003_a_stale_socket_file_means_that_no_daemon_runs(tmp_path: Path) -> None:
    local_socket.listen(tmp_path / "rpc.sock").close()
    assert (tmp_path / "rpc.sock").exists()
    with Client(tmp_path / "rpc.sock", patience_s=1e9) as client, pytest.raises(NoDaemon):
        client.call("whoami")


def test_a_daemon_that_goes_away_is_looked_for_and_found_again(tmp_path: Path) -> None:
    with Client(tmp_path / "rpc.sock", patience_s=30) as client:
        with serving(tmp_path, FakeDaemon({"whoami": WHO})):
            client.call("whoami")
            client.close()
        (tmp_path / "rpc.sock").unlink()
        looked = threading.Event()
        original = client_module.time.sleep

        def wait(_s: float) -> None:
            looked.set()
            back.wait(10)

        back = threading.Event()
        client_module.time.sleep = wait
        try:
            asking = threading.Thread(target=lambda: results.append(client.call("whoami")))
            results: list[object] = []
            asking.start()
            assert looked.wait(10)
            with serving(tmp_path, FakeDaemon({"whoami": WHO})):
                back.set()
                asking.join(10)
                client.close()
            assert results == [WHO]
        finally:
            client_module.time.sleep = original


def test_a_daemon_that_stays_away_is_given_up_after_the_patience(tmp_path: Path) -> None:
    with Client(tmp_path / "rpc.sock", patience_s=0) as client:
        with serving(tmp_path, FakeDaemon({"whoami": WHO})):
            client.call("whoami")
            client.close()
        with pytest.raises(NoDaemon):
            client.call("whoami")


def test_a_silent_daemon_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_S", 0.01)
    listener = local_socket.listen(tmp_path / "rpc.sock")
    with listener, Client(tmp_path / "rpc.sock") as client, pytest.raises(TimedOut, match="not answered for"):
        client.call("whoami")


def test_an_answer_to_something_else_is_refused(tmp_path: Path) -> None:
    listener = local_socket.listen(tmp_path / "rpc.sock")

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(1000)
            peer.sendall(b'{"jsonrpc":"2.0","id":99,"result":{}}\n')

    thread = threading.Thread(target=serve)
    thread.start()
    with listener, Client(tmp_path / "rpc.sock") as client, pytest.raises(BadFormat):
        client.call("whoami")
    thread.join()


def test_what_the_daemon_said_before_it_closed_is_heard(tmp_path: Path) -> None:
    """As when too many clients are there: the refusal comes before the request was read."""
    listener = local_socket.listen(tmp_path / "rpc.sock")
    closed = threading.Event()

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            data = '{"code":"RATE_LIMITED","message":"too many","hint":""}'
            peer.sendall(f'{{"jsonrpc":"2.0","id":null,"error":{{"code":1,"data":{data}}}}}\n'.encode())
        closed.set()

    thread = threading.Thread(target=serve)
    thread.start()
    with listener, Client(tmp_path / "rpc.sock") as client:
        client._connected(10)
        assert closed.wait(10)
        with pytest.raises(Exception, match="too many"):
            client.call("whoami")
    thread.join()


def test_a_socket_deeper_than_the_kernels_limit_is_reached(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with serving(deep, FakeDaemon({"whoami": WHO})), Client(deep / "rpc.sock") as client:
        assert client.call("whoami")["id"] == ALICE
    assert len(os.fsencode(deep)) > 108 and socket.AF_UNIX
