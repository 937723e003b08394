"""Planted secrets are looked for wherever they must not be: arguments, environments, logs, every file, core dumps."""

import os
import resource
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat.commands.new_home import read_primes
from tests.support.daemons import P2PCHAT, Node, children, nodes, wait_for

pytestmark = pytest.mark.slow
CANARY = "canary-in-the-coal-mine"
TEXT = "a text that nobody else may read"
P, Q = read_primes(Path(__file__).parents[1] / "support" / "identities" / "0.hex")
KEYS = [form for prime in (P, Q) for form in (prime, prime.hex().encode(), b64encode(prime))]
SECRETS = [CANARY.encode(), b64encode(CANARY.encode()), TEXT.encode(), *KEYS]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, 0) as (one,):
        one.start()
        new = tmp_path / "new"
        new.write_text(CANARY)
        one.ok("key", "passwd", "--new-password-file", str(new), "--kdf", "light")
        one.password_file.write_text(CANARY)
        yield one


def found_in(files: list[Path]) -> list[tuple[Path, int]]:
    """Which secret (its number) stands in which file."""
    found = []
    for file in files:
        try:
            data = file.read_bytes()
        except OSError:
            continue
        found += [(file, number) for number, secret in enumerate(SECRETS) if secret in data]
    return found


def everywhere(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def proc_files(pid: int) -> list[Path]:
    return [Path(f"/proc/{one}/{name}") for one in (pid, *children(pid)) for name in ("cmdline", "environ")]


def test_no_file_no_argument_and_no_environment_holds_a_secret(node: Node, tmp_path: Path) -> None:
    assert found_in([node.password_file]) == [(node.password_file, 0)]  # the search finds what is there
    seen: list[tuple[Path, int]] = []
    for words in (
        ["key", "export", "file", "--out", str(tmp_path / "copy"), "--kdf", "light"],
        ["key", "export", "pdf", "--out", str(tmp_path / "pdf"), "--kdf", "light"],
        ["key", "verify", str(tmp_path / "copy")],
        ["send", node.id, TEXT],  # refused, and it stands in the arguments of this one call alone
    ):
        with subprocess.Popen([*P2PCHAT, *words], env=node.environ, stdout=-3, stderr=-3) as process:
            while process.poll() is None:
                seen += found_in(proc_files(process.pid)) if TEXT not in words else []
                time.sleep(0.01)
    (tmp_path / "wrong").write_text(f"{CANARY}-and-more")
    assert node.run("key", "verify", str(tmp_path / "copy"), "--password-file", str(tmp_path / "wrong")).returncode == 4
    seen += [hit for pid in node.processes().values() for hit in found_in(proc_files(pid))]
    node.kill("vault")
    wait_for(lambda: node.run("daemon", "status").returncode == 0, seconds=30, what="the daemon to come back")
    mine = {node.password_file, tmp_path / "new", tmp_path / "wrong"}
    assert seen + [hit for hit in found_in(everywhere(tmp_path)) if hit[0] not in mine] == []


def dumping(folder: Path) -> Callable[[], None]:
    """For a child: core files are wanted, in ``folder``."""

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.chdir(folder)

    return prepare


def test_a_crash_leaves_no_core_file_with_secrets(node: Node, tmp_path: Path) -> None:
    cores = tmp_path / "cores"
    cores.mkdir()
    try:
        control = subprocess.run(
            [sys.executable, "-c", "import os; os.abort()"], preexec_fn=dumping(cores), check=False
        )
    except (ValueError, subprocess.SubprocessError):
        pytest.skip("this system does not let its users raise the limit of core files")
    if control.returncode != -signal.SIGABRT or not everywhere(cores):
        pytest.skip("this system writes no core files into the working directory")
    for core in everywhere(cores):
        core.unlink()
    copy = str(tmp_path / "copy")
    node.ok("key", "export", "file", "--out", copy)  # the standard cost: the guess takes long enough to be struck
    command = [*P2PCHAT, "key", "verify", copy]
    with subprocess.Popen(command, env=node.environ, preexec_fn=dumping(cores), stdout=-3, stderr=-3) as process:  # noqa: PLW1509
        wait_for(lambda: _is_guessing(process.pid), seconds=30, what="the password to be read")
        process.send_signal(signal.SIGABRT)
    assert process.returncode == -signal.SIGABRT
    before = set(Path("/").glob("core*"))
    for name in ("vault", "gate", "launcher"):
        os.kill(node.processes()[name], signal.SIGABRT)
        if name != "launcher":
            wait_for(lambda: node.run("daemon", "status").returncode == 0, seconds=30, what="the daemon to come back")
    assert everywhere(cores) == [] and set(Path("/").glob("core*")) == before


def _is_guessing(pid: int) -> bool:
    """Argon2id has its 256 MiB."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return False
    return pages * resource.getpagesize() > 200 * 1024 * 1024
