"""Read a backup back, whatever carries it: what the file is, is seen from its first bytes. Works without a daemon."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from p2pchat.commands.frame import Settings
from p2pchat.commands.password import read_password
from p2pchat.commands.user_files import read_file
from p2pchat.errors import Corrupt
from p2pchat.limits import BACKUP_BYTES

if TYPE_CHECKING:
    from p2pchat.keys.backup.secret import Restored
    from p2pchat.keys.backup.shares import Share

Kind = Literal["string", "qr", "file", "shares"]
IMAGE_BYTES: Final = 16 * 1024 * 1024
_IMAGES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_NO_BACKUP: Final = "p2pchat key inspect --help"


@dataclass(frozen=True, slots=True)
class Found:
    """A container as its carrier held it, checked as far as that goes without a password."""

    kind: Kind
    container: bytes
    repaired: tuple[int, ...] = ()  # lines of a string
    shares: tuple["Share", ...] = ()  # of a key that was split


def read_backup(settings: Settings, paths: Sequence[str]) -> Found:
    """One file or string, the pictures of one set of codes, or shares of one key. Raises Corrupt, NotFound, Failed.

    ``-`` is stdin; on a terminal a string is asked for line by line.
    """
    if list(paths) == ["-"] and sys.stdin.isatty() and not settings.no_input:
        from p2pchat.commands.typed_string import typed_string

        return _string(typed_string())
    too_long = Corrupt("a backup is shorter than this: it is another file", hint=_NO_BACKUP)
    contents = [read_file(path, IMAGE_BYTES, too_long) for path in paths]
    pictures = [content.startswith(_IMAGES) for content in contents]
    if all(pictures):
        return _pictures(paths, contents)
    if any(pictures):
        raise Corrupt("pictures of codes and other copies do not go together", hint="name one backup at a time")
    if len(contents) == 1:
        return _file_or_string(paths[0], contents[0])
    return _shares([(path, _text(path, content)) for path, content in zip(paths, contents, strict=True)])


def password_of(settings: Settings, found: Found, file: str | None) -> bytes:
    """What opens it: asked for, or put together from the shares. Raises Locked, Corrupt."""
    if found.shares:
        from p2pchat.keys.backup.shares import combine

        return combine(found.shares).hex().encode()
    from p2pchat.keys.backup.secret import FORM
    from p2pchat.keys.seal import SHARES, parse

    if parse(found.container, FORM).factors == SHARES:
        hint = "name the shares' files, with their words"
        raise Corrupt("this copy opens with shares, and no words of a share are in it", hint=hint)
    return read_password(settings, file)


def open_backup(found: Found, password: bytes) -> "Restored":
    """The identity that it restores. Slow on purpose. Raises WrongPassword, Corrupt, Failed."""
    from p2pchat.keys.backup import secret
    from p2pchat.keys.seal import open_sealed

    return secret.unpack(open_sealed(found.container, password, secret.FORM))


def _file_or_string(path: str, content: bytes) -> Found:
    from p2pchat.keys.backup.secret import FORM
    from p2pchat.keys.seal import parse

    if content.startswith(FORM.magic):
        if len(content) > BACKUP_BYTES:
            raise Corrupt(f"{path} is longer than a backup", hint=FORM.restore)
        found = Found("file", content)
    else:
        from p2pchat.keys.backup.shares import find_words

        text = _text(path, content)
        if find_words(text):
            return _shares([(path, text)])
        found = _string(text)
    parse(found.container, FORM)
    return found


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Corrupt(f"{path} holds no backup: neither a file, a picture nor a string", hint=_NO_BACKUP) from None


def _shares(texts: Sequence[tuple[str, str]]) -> Found:
    """Of (path, text) each."""
    from p2pchat.keys.backup.secret import FORM
    from p2pchat.keys.backup.shares import one_container, read
    from p2pchat.keys.seal import parse

    shares = []
    for path, text in texts:
        try:
            shares.append(read(text))
        except Corrupt as error:
            raise Corrupt(f"{path}: {error.message}", hint=error.hint) from error
    container = one_container(shares)
    parse(container, FORM)
    repaired = sorted({line for share in shares for line in share.repaired})
    return Found("shares", container, tuple(repaired), tuple(shares))


def _string(text: str) -> Found:
    from p2pchat.keys.backup.text import from_text

    read = from_text(text)
    return Found("string", read.container, read.repaired)


def _pictures(paths: Sequence[str], contents: Sequence[bytes]) -> Found:
    from p2pchat.commands.pictures import read_codes
    from p2pchat.keys.backup.parts import join
    from p2pchat.keys.backup.secret import FORM
    from p2pchat.keys.seal import parse

    codes = [code for path, content in zip(paths, contents, strict=True) for code in read_codes(path, content)]
    container = join(codes)
    parse(container, FORM)
    return Found("qr", container)
