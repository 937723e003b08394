"""``doctor``: one verdict a line, and the command that mends it."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.commands import doctor
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import FakeDaemon


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def sound(home: Path, fake: FakeDaemon, listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home where everything is as it should be."""
    for name in ("unlock.key", "vault.key", "gate.key"):
        (home / name).touch(mode=0o600)
        (home / name).chmod(0o600)
    fake.answers["daemon.status"] = {"pid": 1, "version": "0.1.0", "started_ms": 0, "listen": [listening]}
    monkeypatch.setattr(doctor, "_FREE_BYTES", 1)


def verdicts() -> dict[str, dict[str, object]]:
    return {line["check"]: line for line in p2pchat("doctor", "--json").lines}


def test_all_is_well(sound: None) -> None:
    done = p2pchat("--json", "doctor")
    assert (done.status, done.err) == (0, "")
    assert [line["check"] for line in done.lines if not line["ok"]] == []
    for line in done.lines:
        OUTPUTS["doctor"].check({k: v for k, v in line.items() if k != "v"}, "doctor")
    assert all(line.startswith("ok ") for line in p2pchat("doctor").out.splitlines())


def test_wildcards_are_reached_on_loopback(sound: None, fake: FakeDaemon, listening: str) -> None:
    wildcard = listening.replace("127.0.0.1", "0.0.0.0")
    fake.answers["daemon.status"] = {"pid": 1, "version": "0.1.0", "started_ms": 0, "listen": [wildcard]}
    assert p2pchat("doctor").status == 0


def test_an_empty_machine_is_told_what_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P2PCHAT_HOME", str(tmp_path / "none"))
    done = p2pchat("doctor")
    assert done.status == 1
    assert done.out.count("mend it with: p2pchat init") == 4
    assert not (tmp_path / "none").exists(), "looking changes nothing"


@pytest.mark.parametrize(
    ("spoil", "check", "mend"),
    [
        (lambda home: home.chmod(0o755), "home", "chmod 700"),
        (lambda home: (home / "version").write_text("99"), "home", "upgrade p2pchat"),
        (lambda home: (home / "config.toml").write_text("nonsense = 1"), "settings", "p2pchat config list"),
        (lambda home: (home / "vault.key").unlink(), "key files", "restore vault.key"),
        (lambda home: (home / "gate.key").chmod(0o644), "key files", "chmod 600"),
        (lambda home: (home / "rpc.sock").unlink(), "daemon", "p2pchat daemon start"),
        (lambda home: (home / "store.begun").touch(), "store", "p2pchat daemon start --new-store"),
    ],
    ids=["open home", "newer home", "ill settings", "missing key", "open key", "no daemon", "lost store"],
)
def test_what_is_wrong_is_named_with_its_remedy(sound: None, home: Path, spoil: object, check: str, mend: str) -> None:
    assert callable(spoil)
    spoil(home)
    try:
        verdict = verdicts()[check]
        assert verdict["ok"] is False and mend in str(verdict["mend"])
    finally:
        home.chmod(0o700)


def test_the_store_is_read_on_request(sound: None, fake: FakeDaemon) -> None:
    fake.answers["store.check"] = {"sound": True, "problems": [], "size_bytes": 8192}
    done = p2pchat("doctor", "--store")
    assert (done.status, done.out.splitlines()[-1]) == (0, "ok     store pages: 8 KiB, sound")
    fake.answers["store.check"] = {"sound": False, "problems": ["row 1 missing from index x"], "size_bytes": 8192}
    done = p2pchat("doctor", "--store")
    assert done.status == 1
    assert "WRONG  store pages: row 1 missing from index x; mend it with: " in done.out


def test_a_port_that_does_not_answer_is_wrong(sound: None, fake: FakeDaemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    for listen in ([closed], []):
        fake.answers["daemon.status"] = {"pid": 1, "version": "0.1.0", "started_ms": 0, "listen": listen}
        assert verdicts()["port"]["ok"] is False


def test_a_clock_that_is_years_off_and_a_full_disk_are_seen(sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_FREE_BYTES", 2**70)
    monkeypatch.setattr(doctor.time, "time", lambda: 1.0)
    seen = verdicts()
    assert seen["clock"]["ok"] is False and seen["disk"]["ok"] is False


def test_a_missing_package_is_named(sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PACKAGES", ("trio", "no-such-package"))
    assert verdicts()["packages"]["mend"] == "pip install no-such-package"


def test_a_frozen_daemon_is_wrong_within_seconds(
    sound: None, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    thawed = threading.Event()
    monkeypatch.setattr(doctor, "_ANSWER_S", 0.2)

    def freeze(_params: dict[str, object]) -> dict[str, object]:
        thawed.wait(10)
        return {"pid": 1, "version": "0.1.0", "started_ms": 0, "listen": []}

    fake.answers["daemon.status"] = freeze
    try:
        seen = verdicts()
    finally:
        thawed.set()
    assert seen["daemon"]["ok"] is False and str(seen["daemon"]["mend"]).startswith("p2pchat daemon stop")
    assert seen["port"]["ok"] is False
