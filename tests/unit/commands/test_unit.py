"""``daemon unit``: a file that systemd takes, with words that mean what they are."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from p2pchat.commands.unit import CREDENTIAL
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import p2pchat


def lines(text: str, name: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]


def test_the_unit_runs_this_program_for_this_home(home: Path, tmp_path: Path) -> None:
    done = p2pchat("daemon", "unit", "--password-file", str(tmp_path / "secret"), "--listen", "0.0.0.0:9000")
    assert (done.status, done.err) == (0, "")
    assert lines(done.out, "Environment") == [f"P2PCHAT_HOME={home}"]
    (command,) = lines(done.out, "ExecStart")
    assert command.startswith("/")
    assert command.endswith(f"daemon run --no-input --password-file {tmp_path / 'secret'} --listen 0.0.0.0:9000")
    assert lines(done.out, "Type") == ["notify"]
    shown = p2pchat("--json", "daemon", "unit", "--password-file", str(tmp_path / "secret")).json
    OUTPUTS["daemon unit"].check({name: value for name, value in shown.items() if name != "v"}, "unit")
    assert shown["unit"].startswith("# Made by")


def test_a_home_of_several_folders_is_named_by_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("P2PCHAT_HOME", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    out = p2pchat("daemon", "unit", "--password-file", "x").out
    assert lines(out, "Environment") == [f"XDG_CONFIG_HOME={tmp_path / 'c'}", f"XDG_DATA_HOME={tmp_path / 'd'}"]


def test_a_credential_is_loaded_and_read_where_systemd_puts_it(home: Path) -> None:
    out = p2pchat("daemon", "unit", "--credential", "/etc/my creds%1").out
    assert lines(out, "LoadCredentialEncrypted") == [f"{CREDENTIAL}:/etc/my creds%%1"]
    assert lines(out, "ExecStart")[0].endswith(f"--password-file %d/{CREDENTIAL}")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--password-file", "a", "--credential", "b"],
        ["--password-file", "-"],
        ["--password-file", "a\nExecStart=/bin/evil"],
    ],
)
def test_what_no_unit_can_do_is_refused(home: Path, words: list[str]) -> None:
    done = p2pchat("--json", "daemon", "unit", *words)
    assert (done.status, done.error["code"], done.out) == (2, "USAGE", "")


def complaints(file: Path) -> list[str]:
    """What systemd says of this unit; of others on the machine it may say more."""
    run = file.parent / "run"
    run.mkdir(mode=0o700)
    command = ["systemd-analyze", "--user", "--man=no", "verify", str(file)]
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(run)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if file.name in line]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
@pytest.mark.parametrize("name", ["plain", "two words", 'a"b', "100%", "dollar$x", "back\\slash"])
def test_systemd_takes_it(home: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "p2pchat.service"
    monkeypatch.setenv("P2PCHAT_HOME", str(tmp_path / name))
    file.write_text(p2pchat("daemon", "unit", "--password-file", str(tmp_path / name)).out)
    assert complaints(file) == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_would_complain(tmp_path: Path) -> None:
    file = tmp_path / "p2pchat.service"
    file.write_text("[Service]\nType=notify\nNoSuchSetting=yes\nExecStart=/bin/true\n")
    assert "NoSuchSetting" in complaints(file)[0]
