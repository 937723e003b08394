"""The frame of the command line: global options, help, exit statuses, what is loaded."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from p2pchat import __version__, cli
from p2pchat.commands.frame import Noun, Verb
from p2pchat.errors import every_error
from tests.support.command_line import p2pchat
from tests.support.shell_words import p2pchat_calls, parse

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("P2PCHAT_HOME", str(tmp_path))
    return tmp_path


def every_command() -> list[tuple[str, click.Command]]:
    context = cli.root.make_context("p2pchat", ["--quiet"], resilient_parsing=True)
    found: list[tuple[str, click.Command]] = []
    for name in cli.VERBS:
        command = cli.root.get_command(context, name)
        assert command is not None
        found.append((name, command))
        found += [(f"{name} {sub}", below) for sub, below in getattr(command, "commands", {}).items()]
    return found


COMMANDS = every_command()


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_help_says_what_and_ends_with_two_examples(name: str, command: click.Command) -> None:
    done = p2pchat(*name.split(), "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.rstrip().splitlines()[-3].strip() == "Examples:"
    assert isinstance(command, Verb | Noun)
    assert len(command.examples) == 2 and all("p2pchat" in example for example in command.examples)
    assert command.help
    assert "--json" in done.out and "--home DIR" in done.out
    assert not [line for line in done.out.splitlines() if line.startswith("  ") and line.endswith("...")]


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_example_is_a_command_line_that_parses(name: str, command: click.Command) -> None:
    assert isinstance(command, Verb | Noun)
    for example in command.examples:
        for words in p2pchat_calls(example):
            parse(words)


def test_root_help_lists_every_verb_and_loads_none() -> None:
    script = (
        "import sys; from p2pchat import cli; cli.run(['--help']);"
        "print('LOADED', *[m for m in sys.modules if m.startswith('p2pchat')])"
    )
    out = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text, _, loaded = out.partition("LOADED")
    assert all(f"\n  {name} " in text for name in cli.VERBS)
    assert set(loaded.split()) == {
        "p2pchat",
        "p2pchat.cli",
        "p2pchat.errors",
        "p2pchat.commands",
        "p2pchat.commands.frame",
    }


@pytest.mark.parametrize("words", [["send", "bob", "hi"], ["recv"], ["contact", "list"], ["whoami"], ["status"]])
def test_a_verb_loads_neither_trio_nor_cryptography_nor_the_tables(words: list[str]) -> None:
    script = f"import sys; from p2pchat import cli; status = cli.run({words!r}); print(status, *sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    status, *loaded = out.split()
    assert status == "3"
    heavy = {"trio", "cryptography", "nacl", "apsw", "msgpack", "asyncio", "tempfile", "p2pchat.rpc.methods"}
    assert not heavy & set(loaded)


def test_global_options_stand_before_or_after_the_verb(tmp_path: Path) -> None:
    for words in (
        ["--json", "--home", str(tmp_path), "config", "path"],
        ["config", "--json", "--home", str(tmp_path), "path"],
        ["config", "path", "--json", "--home", str(tmp_path)],
        ["--home", str(tmp_path), "config", "path", "--json"],
    ):
        assert p2pchat(*words).json["path"] == str(tmp_path / "config.toml")


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["send", "--nonsense"], ["contact", "nonsense"], ["--nonsense"], ["history"], ["history", "a", "b"]],
)
def test_usage_errors_are_2_in_both_forms(words: list[str]) -> None:
    done = p2pchat(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ") and "\nhint: p2pchat" in done.err
    for placed in (["--json", *words], [*words, "--json"]):
        done = p2pchat(*placed)
        assert (done.status, done.error["code"]) == (2, "USAGE")
        assert done.error["hint"].endswith("--help")


@pytest.mark.parametrize("words", [[], ["contact"], ["daemon"]])
def test_no_verb_prints_the_help_as_an_error(words: list[str]) -> None:
    done = p2pchat(*words)
    assert (done.status, done.out) == (2, "")
    assert "Examples:" in done.err


def test_a_verb_that_needs_the_daemon_says_3_first() -> None:
    for name, command in COMMANDS:
        if (
            isinstance(command, Noun)
            or name in {"key verify", "key inspect", "key combine"}
            or name.split()[0]
            in {
                "init",
                "login",
                "daemon",
                "config",
                "doctor",
                "rpc",
                "version",
                "demo",
                "completion",
            }
        ):
            continue
        arguments = ["1234567a"] * sum(p.required for p in command.params if isinstance(p, click.Argument))
        if name in {"send", "contact address"}:
            arguments = ["bob", "127.0.0.1:9"]
        if name == "key export":
            arguments = ["file", "--out", "-"]
        if name == "contact add":
            arguments = [__file__]
        assert p2pchat(*name.split(), *arguments).status == 3, name


def test_exit_statuses_are_those_of_the_contract() -> None:
    table = {error.code: error.exit_status for error in every_error()}
    assert table == {
        **dict.fromkeys(["FAILED", "ALREADY_RUNNING", "EXISTS", "DISK_FULL", "BAD_FORMAT", "CRYPTO"], 1),
        **dict.fromkeys(["CONNECTION_LOST", "UNREACHABLE"], 1),
        "USAGE": 2,
        "NO_DAEMON": 3,
        **dict.fromkeys(["LOCKED", "WRONG_PASSWORD", "DONGLE_MISSING"], 4),
        **dict.fromkeys(["NOT_FOUND", "AMBIGUOUS"], 5),
        **dict.fromkeys(["UNTRUSTED", "AUTH_FAILED", "BAD_SIGNATURE", "CORRUPT", "ANSWER_NEEDED"], 6),
        "TIMEOUT": 7,
        "PARTIAL": 8,
        "RATE_LIMITED": 9,
        "FORBIDDEN": 10,
        "BUG": 70,
    }


def test_a_bug_is_70_and_names_the_file_with_the_traceback(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("p2pchat.commands.identity.print_fields", boom)
    (home / "logs").mkdir()
    done = p2pchat("--json", "version")
    assert (done.status, done.error["code"]) == (70, "BUG")
    log = home / "logs" / "cli.log"
    assert str(log) in done.error["message"] and "secret detail" not in done.err
    assert "ZeroDivisionError: secret detail" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_bug_without_a_home_goes_to_a_temporary_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def boom(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("p2pchat.commands.identity.print_fields", boom)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = p2pchat("--json", "version")
    (log,) = tmp_path.glob("p2pchat-*.log")
    assert str(log) in done.error["message"]


def test_an_interruption_is_130_without_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("p2pchat.commands.identity.print_fields", interrupt)
    done = p2pchat("version")
    assert (done.status, done.out, done.err) == (130, "", "")


def test_a_pipe_whose_reader_has_gone_is_silent() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "p2pchat", "rpc", "schema"]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_behind_stdout_is_an_error() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "p2pchat", "version"]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the output: No space left on device\n")


def test_output_that_the_terminal_cannot_write_is_escaped() -> None:
    command = [sys.executable, "-m", "p2pchat", "config", "path"]
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1", "P2PCHAT_HOME": "/tmp/Ünï-世界"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, env=environ, check=True)
    assert done.stdout == "path  /tmp/Ünï-\\u4e16\\u754c/config.toml\n".encode("latin-1")


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from p2pchat.commands.frame import Settings
    from p2pchat.commands.output import report
    from p2pchat.errors import Failed

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def reported(settings: Settings) -> str:
        monkeypatch.setattr("sys.stderr", Terminal())
        report(settings, Failed("no"))
        assert isinstance(sys.stderr, Terminal)
        return sys.stderr.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in reported(Settings())
    plain = Settings()
    plain.no_color = True
    assert "\x1b" not in reported(plain)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in reported(Settings())


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__ == json.loads(p2pchat("version", "--json").out)["version"]


def _closed(number: int, *words: str) -> subprocess.CompletedProcess[str]:
    """One command line of a process that is started with descriptor ``number`` closed, as by ``>&-`` in a shell."""
    sign = "<" if number == 0 else ">"
    shell = f'exec "$0" -m p2pchat "$@" {number}{sign}&-'
    command = ["/bin/sh", "-c", shell, sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_closed_stdout_is_an_error_and_not_a_bug() -> None:
    done = _closed(1, "version")
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "error: Bad file descriptor")
    assert len(done.stderr.splitlines()) == 2, "Python adds nothing while it ends"


def test_a_closed_stderr_costs_the_words_alone() -> None:
    done = _closed(2, "nonsense")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_closed_stdin_reads_as_empty(home: Path) -> None:
    done = _closed(0, "send", "bob", "-")
    assert done.returncode == 2
    assert "this has 0" in done.stderr


@pytest.mark.parametrize("words", [["--json"], ["--json", "contact"], ["contact", "--json"]])
def test_a_missing_verb_is_an_error_object_under_json(words: list[str]) -> None:
    done = p2pchat(*words)
    assert (done.status, done.error["code"]) == (2, "USAGE")


def test_the_short_help_and_the_version_option() -> None:
    assert p2pchat("-h").out == p2pchat("--help").out
    assert p2pchat("contact", "-h").out.startswith("Usage: p2pchat contact ")
    assert p2pchat("--version") == p2pchat("version")
    assert (
        p2pchat("--json", "--version").json == p2pchat("--version", "--json").json == p2pchat("version", "--json").json
    )
    assert p2pchat("version", "--version").status == 2


def test_an_empty_home_is_not_taken_for_the_default_one(home: Path) -> None:
    assert p2pchat("whoami", "--home", "").status == 2


def test_ctrl_c_at_a_prompt_ends_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def abort(*_: object) -> None:
        raise click.Abort

    monkeypatch.setattr(cli.root, "invoke", abort)
    done = p2pchat("version")
    assert (done.status, done.out, done.err) == (130, "", "\n")
