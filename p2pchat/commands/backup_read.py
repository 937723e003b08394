"""Read a backup back, whatever carries it: what the file is, is seen from its first bytes. Works without a daemon."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from p2pchat.commands import factors
from p2pchat.commands.factors import Factors, Given
from p2pchat.commands.frame import Settings
from p2pchat.commands.output import say
from p2pchat.commands.password import typed
from p2pchat.commands.pictures import is_picture
from p2pchat.commands.user_files import read_file
from p2pchat.errors import Corrupt, WrongPassword
from p2pchat.limits import PICTURE_BYTES

if TYPE_CHECKING:
    from p2pchat.keys.backup.shares import Share
    from p2pchat.keys.identity import Lasting
    from p2pchat.keys.seal import Header

Kind = Literal["string", "qr", "file", "pdf", "shares"]
_PDF: Final = b"%PDF-"
_SVG: Final = (b"<svg", b"<?xml")
TRIES: Final = 3  # of a password that is typed
_NO_BACKUP: Final = "p2pchat key inspect --help"


@dataclass(frozen=True, slots=True)
class Found:
    """A container as its carrier held it, checked as far as that goes without a password."""

    kind: Kind
    container: bytes
    header: "Header"
    repaired: tuple[int, ...]  # lines of a string
    shares: tuple["Share", ...]  # of a key that was split
    fuller: bytes | None = None  # the same identity with its key log, where the carrier has room for both

    @property
    def needs_shares(self) -> bool:
        from p2pchat.keys.seal import SHARES

        return self.header.factors == SHARES


def read_backup(settings: Settings, paths: Sequence[str]) -> Found:
    """One file or string, the pictures of one set of codes, or shares of one key. Raises Corrupt, NotFound, Failed.

    ``-`` is stdin; on a terminal a string is asked for line by line.
    """
    if list(paths) == ["-"] and sys.stdin.isatty() and not settings.no_input:
        from p2pchat.commands.typed_string import typed_string

        return _string(typed_string())
    from p2pchat.keys.backup.secret import FORM

    too_long = Corrupt("a backup is shorter than this: it is another file", hint=_NO_BACKUP)
    contents = [(path, read_file(path, PICTURE_BYTES, too_long)) for path in paths]
    pictures = [is_picture(content) for _, content in contents]
    if all(pictures):
        return _pictures(contents)
    if any(pictures):
        raise Corrupt("pictures of codes and other copies do not go together", hint="name one backup at a time")
    if len(contents) > 1:
        for path, content in contents:
            _no_drawing(path, content)
        if any(content.startswith((FORM.magic, _PDF)) for _, content in contents):
            raise Corrupt("only codes and shares come in several files", hint="name one backup at a time")
        return _shares([(path, _text(path, content)) for path, content in contents])
    return _file_or_text(*contents[0])


def factors_of(settings: Settings, found: Found, given: Given) -> Factors:
    """What opens it: asked for, or put together from the shares. Raises as ``factors.read``, and Corrupt."""
    if not found.needs_shares:
        return factors.read(settings, found.header.factors, given)
    if not found.shares:
        hint = "name the shares' files, with their words"
        raise Corrupt("this copy opens with shares, and no words of a share are in it", hint=hint)
    from p2pchat.keys.backup.shares import combine

    return Factors(combine(found.shares).hex().encode())


def read_and_open(settings: Settings, found: Found, given: Given) -> tuple["Lasting", Factors]:
    """The identity, and what opened it. Who types a password may do so three times. Raises as the two it is made of."""
    for _ in range(TRIES - 1):
        opener = factors_of(settings, found, given)
        try:
            return open_backup(found, opener), opener
        except WrongPassword as error:
            if not (opener.password and typed(settings, given.password_file)) or found.shares:
                raise
            say(settings, f"{error.message}; try again")
    opener = factors_of(settings, found, given)
    return open_backup(found, opener), opener


def open_backup(found: Found, given: Factors) -> "Lasting":
    """The identity that it restores. Slow on purpose. Raises WrongPassword, DongleMissing, Corrupt, Failed."""
    from p2pchat.keys.backup import secret

    restored = secret.open_backup(found.container, given.password, dongle=given.dongle)
    if found.fuller is None:
        return restored
    fuller = secret.open_backup(found.fuller, given.password, dongle=given.dongle)
    if fuller.user != restored.user:
        raise Corrupt("the pages and the file inside of this PDF are of two identities", hint="use another copy of it")
    return fuller


def _found(kind: Kind, container: bytes, repaired: Sequence[int] = (), shares: Sequence["Share"] = ()) -> Found:
    from p2pchat.keys.backup.secret import FORM
    from p2pchat.keys.seal import parse

    return Found(kind, container, parse(container, FORM), tuple(repaired), tuple(shares))


def _file_or_text(path: str, content: bytes) -> Found:
    from p2pchat.keys.backup.secret import FORM
    from p2pchat.keys.backup.shares import holds_words

    if content.startswith(FORM.magic):
        return _found("file", content)
    if content.startswith(_PDF):
        return _pdf(path, content)
    _no_drawing(path, content)
    text = _text(path, content)
    return _shares([(path, text)]) if holds_words(text) else _string(text)


def _no_drawing(path: str, content: bytes) -> None:
    if content.startswith(_SVG):
        raise Corrupt(f"{path} is a drawing", hint="print it, and name a photo of it")


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Corrupt(f"{path} is neither the text nor the picture of a backup", hint=_NO_BACKUP) from None


def _string(text: str) -> Found:
    from p2pchat.keys.backup.text import from_text

    read = from_text(text)
    return _found("string", read.container, read.repaired)


def _shares(texts: Sequence[tuple[str, str]]) -> Found:
    """Of (path, text) each."""
    from p2pchat.keys.backup.shares import one_container, read

    shares = []
    for path, text in texts:
        try:
            shares.append(read(text))
        except Corrupt as error:
            raise Corrupt(f"{path}: {error.message}", hint=error.hint) from error
    repaired = sorted({line for share in shares for line in share.repaired})
    return _found("shares", one_container(shares), repaired, shares)


def _pictures(contents: Sequence[tuple[str, bytes]]) -> Found:
    from p2pchat.commands.pictures import read_codes
    from p2pchat.keys.backup.parts import join

    return _found("qr", join(code for path, picture in contents for code in read_codes(path, picture)))


def _pdf(path: str, content: bytes) -> Found:
    """Proves what is printed, from the pages as they are drawn; the file inside says more, where it is there."""
    from p2pchat.commands.pictures import read_sheet
    from p2pchat.keys.backup.parts import join
    from p2pchat.keys.backup.secret import FORM

    codes, files = read_sheet(path, content)
    fuller = next((file for file in files if file.startswith(FORM.magic)), None)
    return replace(_found("pdf", join(codes)), fuller=fuller)
