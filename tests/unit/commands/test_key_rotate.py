"""``key rotate --compromised``: another ID for a home, made without a daemon; the new key is a stored one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from p2pchat.commands import key_rotate
from p2pchat.commands.init import only_one
from p2pchat.commands.new_home import make_home, read_primes
from p2pchat.home import Home
from p2pchat.ids import parse_recovery
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import Done, p2pchat

IDENTITIES = Path(__file__).parents[2] / "support" / "identities"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "home", tmp_path / "home")
    make_home(home, read_primes(IDENTITIES / "0.hex"), b"secret", light=True)
    password = tmp_path / "password"
    password.write_text("secret\n")
    monkeypatch.setenv("P2PCHAT_HOME", str(home.data_dir))
    monkeypatch.setenv("P2PCHAT_PASSWORD_FILE", str(password))
    monkeypatch.setattr(key_rotate, "generate_primes", lambda _count, _tick: [read_primes(IDENTITIES / "2.hex")])
    return home


def rotate(*words: str, stdin: bytes = b"", terminal: bool = False) -> Done:
    return p2pchat("--json", "key", "rotate", *words, stdin=stdin, terminal=terminal)


def test_it_prints_what_the_schema_says(home: Home) -> None:
    first = rotate("--compromised")
    assert first.status == 0, first.err
    second = rotate("--compromised", "--recovery")
    assert first.json["id"] == second.json["before"] != second.json["id"]
    assert "recovery" not in first.json and len(parse_recovery(second.json["recovery"])) == 32
    for done in (first, second):
        OUTPUTS["key rotate"].check({name: value for name, value in done.json.items() if name != "v"}, "key rotate")


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--recovery",), 2, "USAGE"),
        (("--compromised", "--recovery-file", "x"), 2, "USAGE"),
        (("--compromised", "--password-file", "-"), 4, "WRONG_PASSWORD"),
        (("--compromised", "--password-file", "nowhere"), 5, "NOT_FOUND"),
    ],
)
def test_what_does_not_fit_changes_nothing(home: Home, words: tuple[str, ...], status: int, code: str) -> None:
    before = home.vault_file.read_bytes(), home.gate_file.read_bytes()
    done = rotate(*words, stdin=b"wrong\n")
    assert (done.status, done.error["code"]) == (status, code)
    assert before == (home.vault_file.read_bytes(), home.gate_file.read_bytes())


def test_it_waits_for_nobody_and_asks_on_a_terminal(home: Home) -> None:
    before = home.vault_file.read_bytes()
    with only_one(home):
        busy = rotate("--compromised")
    assert (busy.status, busy.error["code"], busy.error["hint"]) == (1, "ALREADY_RUNNING", "p2pchat daemon stop")
    assert rotate("--compromised", stdin=b"n\n", terminal=True).status != 0
    assert home.vault_file.read_bytes() == before
    assert rotate("--compromised", stdin=b"y\n", terminal=True).status == 0
    assert home.vault_file.read_bytes() != before


def test_a_home_without_an_identity_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P2PCHAT_HOME", str(tmp_path / "empty"))
    done = rotate("--compromised")
    assert (done.status, done.error["code"], done.error["hint"]) == (5, "NOT_FOUND", "p2pchat init")


def test_a_recovery_key_that_stdout_does_not_take_goes_to_stderr(home: Home) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", _ROTATE, str(IDENTITIES / "2.hex")], stdout=full, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    (shown,) = [line for line in done.stderr.splitlines() if line.startswith("recovery key: ")]
    assert len(parse_recovery(shown.removeprefix("recovery key: "))) == 32


_ROTATE = """
import sys
from pathlib import Path
from p2pchat import cli
from p2pchat.commands import key_rotate
from p2pchat.commands.new_home import read_primes
primes = read_primes(Path(sys.argv[1]))
key_rotate.generate_primes = lambda *_: [primes]
sys.argv[1:] = ["key", "rotate", "--compromised", "--recovery", "--no-input"]
cli.main()
"""


@pytest.mark.parametrize("recovery", [True, False])
def test_an_init_whose_recovery_key_nobody_saw_leaves_nothing(tmp_path: Path, recovery: bool) -> None:
    home = Home(tmp_path / "home", tmp_path / "home")
    words = ["init", "--kdf", "light", "--new-password-file", "-", *(["--recovery"] if recovery else [])]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", _INIT, str(IDENTITIES / "2.hex"), *words], stdout=full, stderr=subprocess.PIPE,
            text=True, input="open sesame\n", env={**os.environ, "P2PCHAT_HOME": str(home.data_dir)}, check=False,
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert home.has_identity is not recovery


_INIT = """
import sys
from pathlib import Path
from p2pchat import cli
from p2pchat.commands import init
from p2pchat.commands.new_home import read_primes
primes = read_primes(Path(sys.argv[1]))
init.generate_primes = lambda *_: [primes]
del sys.argv[1]
cli.main()
"""
