"""./dev: what it decides, without installing anything."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    top = tmp_path / "a checkout"
    (top / "requirements").mkdir(parents=True)
    for name in ("dev", "pyproject.toml", "requirements/run.txt", "requirements/build.txt", "requirements/test.txt"):
        shutil.copy(ROOT / name, top / name)
    return top


@pytest.fixture
def dev(checkout: Path) -> ModuleType:
    loader = SourceFileLoader("dev_of_a_checkout", str(checkout / "dev"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def run(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, checkout / "dev", *words], capture_output=True, text=True, check=False)


def test_alone_it_prints_what_there_is(checkout: Path) -> None:
    done = run(checkout)
    assert done.returncode == 0
    assert "./dev demo" in done.stdout


def test_an_unknown_word_is_a_usage_error(checkout: Path) -> None:
    done = run(checkout, "dance")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def installed(dev: ModuleType) -> None:
    dev.PYTHON.parent.mkdir(parents=True)
    dev.PYTHON.symlink_to(sys.executable)
    dev.stamp("run").write_text(dev.fingerprint("run"))


def test_a_second_call_only_starts_the_program(checkout: Path, dev: ModuleType) -> None:
    installed(dev)
    program = dev.VENV / "bin" / "p2pchat"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    link = checkout.parent / "linked"
    link.symlink_to(checkout / "dev")
    done = subprocess.run([link, "p2pchat", "two words", "x"], capture_output=True, text=True, check=True, cwd="/")
    assert (done.stdout, done.stderr) == ("two words x\n", "")


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/run.txt", "requirements/build.txt"])
def test_new_pins_are_installed(checkout: Path, dev: ModuleType, changed: str) -> None:
    installed(dev)
    assert dev.stamp_fits("run")
    with (checkout / changed).open("a") as file:
        file.write("# changed\n")
    assert not dev.stamp_fits("run")


def test_a_vanished_interpreter_is_noticed(dev: ModuleType) -> None:
    installed(dev)
    dev.PYTHON.unlink()
    assert not dev.stamp_fits("run")


def test_a_failed_installation_leaves_no_stamp(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "make_venv", lambda: ["false"])
    with pytest.raises(dev.CannotInstall):
        dev.install("run")
    assert not dev.stamp_fits("run")


Works = Callable[[list[str]], bool]


def only(*wanted: str) -> Works:
    """Commands work where every word of one of ``wanted`` is in them."""
    return lambda command: any(all(part in command for part in words.split()) for words in wanted)


@pytest.mark.parametrize(
    ("working", "installer"),
    [
        (only("venv", "pip --version"), "{python} -m pip install"),
        (only("--without-pip", "pip3 --python"), "pip3 --python {python} install"),
        (only("--without-pip", "uv"), "uv pip install --python {python}"),
    ],
)
def test_a_python_without_ensurepip(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, working: Works, installer: str
) -> None:
    dev.VENV.mkdir()
    monkeypatch.setattr(dev, "works", working)
    assert dev.make_venv() == [word.format(python=dev.PYTHON) for word in installer.split()]


def test_nothing_to_install_with_is_said_in_one_line(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    dev.VENV.mkdir()
    monkeypatch.setattr(dev, "works", only())
    with pytest.raises(dev.CannotInstall, match="apt-get install python3-venv"):
        dev.make_venv()


def test_a_shim_that_does_not_run_is_passed_over(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in (("python3.14", "exit 127"), ("python3.12", f'exec "{sys.executable}" "$@"')):
        shim = tmp_path / name
        shim.write_text(f"#!/bin/sh\n{body}\n")
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert dev.newer_python() == "python3.12"
