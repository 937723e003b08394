"""Write a sealed copy of the key in the form that was asked for, and say how to keep it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from p2pchat import atomic
from p2pchat.errors import Exists, Failed, NotFound, Usage


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written, and what stands beside it so that it is found again."""

    id: str
    set: str
    container: bytes
    split_key: bytes | None = None  # 32; it opens the container, and goes in parts into the shares


Write = Callable[[Sheet, str, bool], Mapping[str, bytes]]  # sheet, path, parity -> the files' contents


@dataclass(frozen=True, slots=True)
class Carrier:
    """``make`` gives files by path; ``show`` prints to the terminal."""

    make: Write
    show: Callable[[Sheet, bool], str] | None
    paths: Callable[[str], tuple[str, ...]]
    with_log: bool
    advice: str

    def refuse(self, out: str, *, force: bool) -> None:
        """Raises Usage, Exists, NotFound, Failed where nothing could be written there."""
        if out == "-":
            if self.show is None:
                raise Usage("this copy is a file, and nothing for a terminal", hint="name a file: --out backup.p2pkey")
            return
        for path in self.paths(out):
            _fit(path, force)

    def write(self, sheet: Sheet, out: str, *, parity: bool, force: bool) -> list[str]:
        """The files that were written, each mode 0600 and whole; none for ``-``."""
        if out == "-":
            assert self.show is not None  # refuse
            sys.stdout.write(self.show(sheet, parity))
            return []
        for path, content in self.make(sheet, out, parity).items():
            _fit(path, force)
            atomic.replace(Path(path), content)
        return list(self.paths(out))


def _fit(name: str, force: bool) -> None:
    path = Path(name)
    if path.is_dir() or not name or name.endswith("/"):
        raise Failed(f"{name!r} is no name for a file", hint="name a file to write, or - for the terminal")
    if not force and (path.exists() or path.is_symlink()):
        raise Exists(f"{path} is there already", hint="choose another name, or write over it with --force")
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")


def _file(sheet: Sheet, out: str, _parity: bool) -> Mapping[str, bytes]:
    return {out: sheet.container}


def _string(sheet: Sheet, out: str, _parity: bool) -> Mapping[str, bytes]:
    return {out: _lines(sheet, False).encode()}


def _lines(sheet: Sheet, _parity: bool) -> str:
    from p2pchat.keys.backup.text import to_lines

    head = f"# p2pchat backup {sheet.set} of {sheet.id}\n# p2pchat login --string FILE\n\n"
    return head + "".join(f"{line}\n" for line in to_lines(sheet.container))


def _pictures(sheet: Sheet, out: str, parity: bool) -> Mapping[str, bytes]:
    from p2pchat.keys.backup.parts import split
    from p2pchat.qr.draw import png

    parts = zip(_pages(out), split(sheet.container, parity=parity), _captions(sheet, parity), strict=True)
    return {path: png(part, caption) for path, part, caption in parts}


def _terminal(sheet: Sheet, parity: bool) -> str:
    from p2pchat.keys.backup.parts import split
    from p2pchat.qr.draw import terminal

    parts = zip(split(sheet.container, parity=parity), _captions(sheet, parity), strict=True)
    return "\n".join(f"{terminal(part)}\n{caption}\n" for part, caption in parts)


def _captions(sheet: Sheet, parity: bool) -> list[str]:
    any_two = "; any two of the three will do" if parity else ""
    return [f"p2pchat backup {sheet.set} of {sheet.id[:11]}, part {part} of 3{any_two}" for part in (1, 2, 3)]


def _pages(out: str) -> tuple[str, ...]:
    return tuple(str(Path(out) / f"part-{part}.png") for part in (1, 2, 3))


def split_in(need: int, of: int) -> Carrier:
    """Shares of a string: any ``need`` of the ``of`` texts open it."""

    def paths(out: str) -> tuple[str, ...]:
        return tuple(str(Path(out) / f"share-{number}.txt") for number in range(1, of + 1))

    def make(sheet: Sheet, out: str, _parity: bool) -> Mapping[str, bytes]:
        from p2pchat.keys.backup.shares import split, write

        assert sheet.split_key is not None
        heads = [
            f"# p2pchat backup {sheet.set} of {sheet.id}\n# share {n} of {of}; any {need} of them open it:"
            " p2pchat login --shares FILE...\n\n"
            for n in range(1, of + 1)
        ]
        shares = zip(paths(out), heads, split(sheet.split_key, need, of), strict=True)
        return {path: (head + write(sheet.container, words)).encode() for path, head, words in shares}

    return Carrier(
        make=make,
        show=None,
        paths=paths,
        with_log=False,
        advice=f"give each to somebody else and keep none beside another: any {need} open it, without a password",
    )


def _alone(out: str) -> tuple[str, ...]:
    return (out,)


CARRIERS: Final[Mapping[str, Carrier]] = {
    "string": Carrier(
        make=_string,
        show=_lines,
        paths=_alone,
        with_log=False,
        advice="print it or copy it by hand, and keep it elsewhere; whoever finds it still needs the password",
    ),
    "qr": Carrier(
        make=_pictures,
        show=_terminal,
        paths=_pages,
        with_log=False,
        advice="print the three and keep them elsewhere; whoever finds them still needs the password",
    ),
    "file": Carrier(
        make=_file,
        show=None,
        paths=_alone,
        with_log=True,
        advice="copy it to a stick or another machine: a copy on this disk is lost with this disk",
    ),
}
