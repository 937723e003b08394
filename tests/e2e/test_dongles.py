"""A home and its backups behind each kind of dongle, by the real command line, daemon and drivers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import softhsm
from tests.support.authenticator import Authenticator
from tests.support.daemons import PASSWORD, Node, nodes

pytestmark = pytest.mark.slow


@dataclass
class Dongle:
    spec: str
    words: tuple[str, ...] = ()  # that go with --dongle and --new-dongle
    environ: Mapping[str, str] = field(default_factory=dict)


def key_file(folder: Path) -> Dongle:
    return Dongle(f"file:{folder / 'stick.key'}")


def card(folder: Path) -> Dongle:
    module = softhsm.module()
    if module is None:
        pytest.skip("SoftHSM2 is not installed here")
    (folder / "pin").write_text(softhsm.PIN)
    environ = softhsm.make_card(folder, "mine")
    return Dongle(f"pkcs11:{module}?token=mine", ("--pin-file", str(folder / "pin")), environ)


def security_key(folder: Path) -> Dongle:
    """Plugged in by tests/support/sealing/sitecustomize.py, in the child that asks it."""
    path = folder / "authenticator.json"
    Authenticator.load(path)
    return Dongle("fido2", environ={"TEST_SECURITY_KEY": str(path)})


KINDS: tuple[Callable[[Path], Dongle], ...] = (key_file, card, security_key)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def dongle(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dongle:
    made: Dongle = request.param(tmp_path)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, 0) as (one,):
        one.start()
        yield one


@pytest.mark.parametrize("both", [False, True], ids=["alone", "with the password"])
def test_a_home_opens_with_it_and_not_without(node: Node, dongle: Dongle, both: bool) -> None:
    spec = dongle.spec + ("+password" if both else "")
    given = ("--new-password-file", str(node.password_file)) if both else ()
    node.ok("key", "passwd", "--new-dongle", spec, *given, *dongle.words, "--kdf", "light")
    node.stop()
    node.ok("daemon", "start", *dongle.words)  # the settings remember which
    assert node.json("whoami")["id"] == node.id
    node.ok("key", "export", "file", "--out", str(node.path.parent / "copy"), *dongle.words, "--kdf", "light")
    assert node.json("key", "verify", str(node.path.parent / "copy"), "--dongle", dongle.spec, *dongle.words)["ok"]
    node.stop()
    missing = node.run("daemon", "start", "--dongle", f"file:{node.path}/nowhere")
    assert (missing.returncode, "not there" in missing.stderr) == (4, True)
    if both:
        node.password_file.write_text("another")
        wrong = node.run("daemon", "start", *dongle.words)
        assert (wrong.returncode, "the password or the dongle is wrong" in wrong.stderr) == (4, True)


def test_a_backup_opens_with_it_on_another_machine_and_so_does_the_new_home(
    node: Node, dongle: Dongle, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.txt"
    new = ("--new-dongle", dongle.spec, *dongle.words)
    node.ok("key", "export", "string", "--out", str(copy), *new, "--kdf", "light")
    assert node.json("key", "inspect", str(copy))["opens_with"] == "dongle"
    id_ = node.id
    node.stop()
    back = Node(tmp_path / "back")
    words = ("login", "--string", str(copy), "--expect", id_, "--kdf", "light")
    lost = back.run(*words)
    assert (lost.returncode, "opens with a dongle" in lost.stderr) == (4, True)
    assert back.json(*words, "--dongle", dongle.spec, *dongle.words)["id"] == id_
    try:
        back.ok("daemon", "start", "--listen", "127.0.0.1:0", *dongle.words)
        assert back.json("whoami")["id"] == id_
    finally:
        back.stop()


def test_another_dongle_of_the_kind_is_a_wrong_one(node: Node, tmp_path: Path) -> None:
    one, other = (f"file:{tmp_path / name}" for name in ("one", "other"))
    copy = str(tmp_path / "copy")
    node.ok("key", "export", "file", "--out", copy, "--new-dongle", one, "--kdf", "light")
    node.ok("key", "export", "file", "--out", copy + "2", "--new-dongle", other, "--kdf", "light")
    said = [node.run("key", "verify", copy, "--dongle", other), node.run("key", "verify", copy, "--dongle", one)]
    assert [done.returncode for done in said] == [4, 0]
    assert "another dongle" in said[0].stderr
    assert PASSWORD not in said[0].stderr
