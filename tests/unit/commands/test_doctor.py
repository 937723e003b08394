"""``doctor``: one verdict a line, and the command that mends it."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.commands.checks import daemon, machine
from p2pchat.commands.checks import home as home_checks
from p2pchat.commands.checks.machine import fits
from p2pchat.rpc.schema import OUTPUTS
from tests.support.answers import CONTACT, KEY, REQUEST, STATUS, WAITING, page
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import FakeDaemon
from tests.unit.commands.test_metrics import NET


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
    fake.answers |= {
        "daemon.status": {"pid": 1, "version": "0.1.0", "started_ms": 0, "listen": [listening]},
        "net.status": NET,
        "status": STATUS,
        "key.show": {**KEY, "backup_verified_ms": time.time_ns() // 1_000_000},
        "contact.list": page(CONTACT),
        "contact.requests": page(REQUEST),
        "outbox.list": {"items": [], "next": None},
    }
    monkeypatch.setattr(home_checks, "FREE_BYTES", 1)
    monkeypatch.setattr(home_checks, "LEAST_BYTES", 1)


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
    assert done.out.count("mend it with: p2pchat init") == 3
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
    assert (done.status, done.out.splitlines()[-1]) == (0, "ok    store pages: 8 KiB, sound")
    fake.answers["store.check"] = {"sound": False, "problems": ["row 1 missing from index x"], "size_bytes": 8192}
    done = p2pchat("doctor", "--store")
    assert done.status == 1
    assert "BAD   store pages: row 1 missing from index x; mend it with: " in done.out


def test_a_port_that_does_not_answer_is_wrong(sound: None, fake: FakeDaemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    for listen in ([closed], []):
        fake.answers["daemon.status"] = {"pid": 1, "version": "0.1.0", "started_ms": 0, "listen": listen}
        assert verdicts()["port"]["ok"] is False


def test_a_clock_that_is_years_off_and_a_full_disk_are_seen(sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_checks, "FREE_BYTES", 2**70)
    monkeypatch.setattr(machine.time, "time", lambda: 1.0)
    seen = verdicts()
    assert (seen["clock"]["verdict"], seen["disk"]["verdict"]) == ("bad", "warn")
    monkeypatch.setattr(home_checks, "LEAST_BYTES", 2**69)
    assert verdicts()["disk"]["verdict"] == "bad"


def test_a_missing_package_is_named(sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PACKAGES", ("trio", "no-such-package"))
    assert verdicts()["packages"]["mend"] == "pip install 'no-such-package'"


def test_a_frozen_daemon_is_wrong_within_seconds(
    sound: None, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    thawed = threading.Event()
    monkeypatch.setattr(daemon, "ANSWER_S", 0.2)

    def freeze(_params: dict[str, object]) -> dict[str, object]:
        thawed.wait(10)
        return {"pid": 1, "version": "0.1.0", "started_ms": 0, "listen": []}

    fake.answers["daemon.status"] = freeze
    try:
        seen = verdicts()
    finally:
        thawed.set()
    assert seen["daemon"]["ok"] is False and str(seen["daemon"]["mend"]).startswith("p2pchat daemon stop")
    assert seen["gate"]["ok"] is True, "the other process is asked all the same"
    assert "port" not in seen


def test_a_daemon_that_is_not_there_is_one_finding(sound: None, home: Path) -> None:
    for name in ("rpc.sock", "gate.sock"):
        (home / name).unlink()
    done = p2pchat("doctor")
    assert done.status == 1
    assert [line.split()[1] for line in done.out.splitlines() if not line.startswith("ok ")] == ["daemon:"]
    assert "hint: p2pchat daemon start" in done.err


def test_a_key_without_a_proved_copy_is_worth_a_word_after_a_week(sound: None, fake: FakeDaemon) -> None:
    day_ms = 24 * 3600 * 1000
    now_ms = time.time_ns() // 1_000_000
    for created, proved, verdict in ((1, None, "ok"), (9, None, "warn"), (400, 100, "ok"), (400, 190, "warn")):
        proved_ms = None if proved is None else now_ms - proved * day_ms
        fake.answers["key.show"] = {**KEY, "created_ms": now_ms - created * day_ms, "backup_verified_ms": proved_ms}
        seen = verdicts()["backup"]
        assert (seen["verdict"], bool(seen["mend"])) == (verdict, verdict == "warn")


def test_a_machine_that_was_replaced_says_so(sound: None, fake: FakeDaemon) -> None:
    fake.answers["status"] = {**STATUS, "replaced": True}
    assert verdicts()["device"]["verdict"] == "bad"


def test_a_key_log_that_is_not_here_yet_is_worth_a_word(sound: None, fake: FakeDaemon) -> None:
    fake.answers["key.show"] = {**KEY, "key_log_held": False}
    assert verdicts()["device"]["verdict"] == "warn"


def test_a_contact_in_error_and_messages_that_wait_for_days(sound: None, fake: FakeDaemon) -> None:
    fake.answers["contact.list"] = page({**CONTACT, "channel": "error"})
    fake.answers["outbox.list"] = page(WAITING)
    seen = verdicts()
    assert seen["contacts"]["verdict"] == "bad" and seen["contacts"]["mend"] == f"p2pchat contact retry {CONTACT['id']}"
    assert seen["outbox"]["verdict"] == "warn" and seen["outbox"]["mend"] == "p2pchat outbox list"
    assert "\x1b" not in p2pchat("doctor").out


@pytest.mark.parametrize(
    ("told", "verdict"),
    [({"clock": "stepped"}, "warn"), ({"clock": "wrong"}, "bad"), ({"reachable": []}, "warn"), ({}, "ok")],
)
def test_the_gate_s_word(sound: None, fake: FakeDaemon, told: dict[str, object], verdict: str) -> None:
    fake.answers["net.status"] = {**NET, **told}
    seen = verdicts()["gate"]
    assert seen["verdict"] == verdict and bool(seen["mend"]) == (verdict != "ok")


def test_a_gate_that_does_not_answer_is_bad(sound: None, home: Path) -> None:
    (home / "gate.sock").unlink()
    assert verdicts()["gate"]["verdict"] == "bad"


def test_a_password_file_that_others_can_read(sound: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.touch(mode=0o600)
    monkeypatch.setenv("P2PCHAT_PASSWORD_FILE", str(file))
    assert verdicts()["password file"]["verdict"] == "ok"
    file.chmod(0o644)
    seen = verdicts()["password file"]
    assert (seen["verdict"], seen["mend"]) == ("warn", f"chmod 600 {file}")
    file.unlink()
    assert verdicts()["password file"]["verdict"] == "bad"


def test_logs_that_grow_and_a_store_from_the_future(sound: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "logs").mkdir(mode=0o700)
    (home / "logs" / "cli.log").write_bytes(bytes(2000))
    monkeypatch.setattr(home_checks, "LOG_BYTES", 1000)
    (home / "store.db").touch()
    os.utime(home / "store.db", (4_000_000_000, 4_000_000_000))
    seen = verdicts()
    assert seen["logs"]["verdict"] == "warn" and str(seen["logs"]["mend"]).endswith("cli.log")
    assert seen["store"]["verdict"] == "warn" and "set back" in str(seen["store"]["detail"])


@pytest.mark.parametrize(
    ("version", "wanted", "fit"),
    [
        ("8.5.1", ">=8.2,<9", True),
        ("8.1", ">=8.2,<9", False),
        ("9.0", ">=8.2,<9", False),
        ("0.35.0", "==0.35.*", True),
        ("0.36.0", "==0.35.*", False),
        ("3.54.0.0", ">=3.54,<4", True),
        ("1.2", "", True),
    ],
)
def test_versions_are_compared_with_their_ranges(version: str, wanted: str, fit: bool) -> None:
    assert fits(version, wanted) is fit


def test_the_packages_are_those_of_the_project() -> None:
    import re
    import tomllib

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert sorted(re.split("[>=<]", line)[0] for line in project["dependencies"]) == sorted(machine.PACKAGES)
