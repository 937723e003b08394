"""Write a sealed copy of the key where the user said, and refuse before anybody types a password for nothing."""

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from p2pchat import atomic
from p2pchat.errors import Exists, Failed, NotFound, Usage


@dataclass(frozen=True, slots=True)
class Copy:
    """What is written, and what stands beside it so that it is found again."""

    id: str
    set: str
    container: bytes
    opens_with: str = "the password"
    fuller: bytes = b""  # the same identity with its key log, for a carrier that takes both
    split_key: bytes | None = None  # 32; it opens the container, and goes in parts into the shares


@dataclass(frozen=True, slots=True)
class Look:
    """How a copy is drawn, where there is a choice."""

    parity: bool = False  # any two of the three codes will do
    svg: bool = False
    paper: str = "a4"
    colours: bool = True  # on a terminal


@dataclass(frozen=True, slots=True)
class Carrier:
    """One form of a copy. ``make`` gives the contents of its files, ``show`` what a terminal prints."""

    make: Callable[[Copy, Look], Sequence[bytes]]
    advice: str
    show: Callable[[Copy, Look], str] | None = None
    names: Callable[[Look], tuple[str, ...]] | None = None  # of the files in the folder; None: it is one file
    with_log: tuple[bool, ...] = (False,)  # of the containers that it takes

    def refuse(self, out: str, look: Look, *, force: bool) -> None:
        """Raises Usage, Exists, NotFound, Failed where nothing could be written there."""
        if out == "-":
            if self.show is None:
                raise Usage("this copy is a file, and nothing for a terminal", hint="name a file: --out FILE")
            return
        if self.names is not None:
            _fit_folder(out)
            if not Path(out).is_dir():
                return
            _no_rest(Path(out), self.names(look))
        for path in self._paths(out, look):
            _fit(path, force)

    def write(self, copy: Copy, out: str, look: Look, *, force: bool) -> list[str]:
        """The files that were written, each mode 0600 and whole; none for ``-``. A missing folder is made."""
        if out == "-":
            assert self.show is not None  # refuse
            sys.stdout.write(self.show(copy, look))
            return []
        paths = self._paths(out, look)
        contents = self.make(copy, look)
        made = self.names is not None and _make_folder(Path(out))
        try:
            for path in paths:
                _fit(path, force)
            atomic.replace_all([(Path(path), content) for path, content in zip(paths, contents, strict=True)])
        except BaseException:
            if made:
                with suppress(OSError):
                    Path(out).rmdir()
            raise
        return paths

    def _paths(self, out: str, look: Look) -> list[str]:
        return [out] if self.names is None else [str(Path(out) / name) for name in self.names(look)]


def _fit_folder(name: str) -> None:
    path = Path(name)
    if not name or (path.exists() and not path.is_dir()):
        raise Failed(f"{name!r} is no name for a folder", hint="the files of this copy go into a folder")
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder {path.parent}", hint=f"mkdir -p {shlex.quote(str(path.parent))}")


def _no_rest(folder: Path, names: tuple[str, ...]) -> None:
    """What another export left there would stand among the new files, and spoil the set."""
    kind = names[0].partition("-")[0]
    rest = sorted({path.name for path in folder.glob(f"{kind}-*")} - set(names))
    if rest:
        raise Exists(f"{folder / rest[0]} is of another export", hint="choose an empty folder")


def _make_folder(path: Path) -> bool:
    """Whether it had to be made."""
    try:
        path.mkdir(mode=0o700)
        return True
    except FileExistsError:
        return False
    except OSError as error:
        raise Failed(
            f"cannot make the folder {path}: {error.strerror}", hint=f"ls -ld {shlex.quote(str(path.parent))}"
        ) from error


def _fit(name: str, force: bool) -> None:
    path = Path(name)
    if path.is_dir() or not name or name.endswith("/"):
        raise Failed(f"{name!r} is no name for a file", hint="name a file to write, or - for the terminal")
    if path.exists() and not path.is_file():
        raise Failed(f"{path} is no file that could be written over", hint="choose another name")
    if not force and (path.exists() or path.is_symlink()):
        raise Exists(f"{path} is there already", hint="choose another name, or write over it with --force")
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder {path.parent}", hint=f"mkdir -p {shlex.quote(str(path.parent))}")
