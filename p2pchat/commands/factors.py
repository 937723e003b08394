"""What opens a home or a backup: a password, a dongle, or both; read only as far as the sealed bytes ask for it."""

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from p2pchat import config
from p2pchat.commands import candidates
from p2pchat.commands.ask import ask
from p2pchat.commands.frame import Settings
from p2pchat.commands.output import say
from p2pchat.commands.password import first_line, read_new_password, read_password
from p2pchat.errors import DongleMissing, Locked, NotFound, Usage
from p2pchat.home import Home
from p2pchat.launch.opening import Opening
from p2pchat.limits import KEY_FILE_BYTES
from p2pchat.show import show

Verb = TypeVar("Verb", bound=Callable[..., Any])
NO_DONGLE: Final = "none"
_SPEC: Final = "file:PATH, pkcs11:MODULE?token=LABEL or fido2"


class Factors(NamedTuple):
    """Empty where it is not among them."""

    password: bytes = b""
    dongle: bytes = b""  # 32

    def as_params(self, prefix: str = "") -> dict[str, str]:
        """For the daemon, which leaves out what is not there."""
        named = self._asdict().items()
        return {prefix + name: base64.b64encode(value).decode() for name, value in named if value}


class Given(NamedTuple):
    """The options that say where they come from."""

    password_file: str | None
    dongle: str | None
    pin_file: str | None


class NewGiven(NamedTuple):
    password_file: str | None
    dongle: str | None
    pin_file: str | None

    def __bool__(self) -> bool:
        return self.password_file is not None or self.dongle is not None


def present(verb: Verb) -> Verb:
    """The options ``--password-file``, ``--dongle`` and ``--pin-file``."""
    for option in (
        pin,
        click.option("--dongle", metavar="SPEC", help=f"The dongle that opens it: {_SPEC}."),
        _file("--password-file", "The password is its first line (-: stdin)."),
    ):
        verb = option(verb)
    return verb


def fresh(verb: Verb) -> Verb:
    """The options ``--new-password-file`` and ``--new-dongle``."""
    for option in (
        click.option("--new-dongle", metavar="SPEC", help=f"{_SPEC}; +password behind it: and a password."),
        _file("--new-password-file", "The new password is its first line."),
    ):
        verb = option(verb)
    return verb


def _file(name: str, words: str) -> Callable[[Verb], Verb]:
    return click.option(name, metavar="FILE", help=words, shell_complete=candidates.files)


pin = _file("--pin-file", "The PIN of the dongle is its first line.")


def before_a_password(settings: Settings) -> None:
    """Nobody shall type one for nothing. Raises NoDaemon."""
    ask(settings, "daemon.status")


def of_home(home: Home) -> int:
    """Which factors the home asks for, as ``keys.seal`` numbers them. Raises NotFound, Corrupt, Failed."""
    from p2pchat.keys.seal import UNLOCK, parse

    try:
        sealed = home.unlock_file.read_bytes()[: KEY_FILE_BYTES + 1]
    except FileNotFoundError as error:
        raise NotFound(f"there is no identity in {home.data_dir}", hint="p2pchat init") from error
    return parse(sealed, UNLOCK).factors


def opening(settings: Settings, given: Given) -> Opening:
    """For the launcher, which asks the dongle itself. Raises Locked, DongleMissing, Usage."""
    from p2pchat.keys.seal import DONGLE, PASSWORD

    factors = of_home(settings.home)
    _fits(factors, given)
    spec, pin = "", ""
    if factors & DONGLE:
        spec = spec_named(settings, given.dongle)
        pin = _pin(settings, spec, given.pin_file)
        _prompt_touch(settings, spec)
    return Opening(read_password(settings, given.password_file) if factors & PASSWORD else b"", spec, pin)


def read(settings: Settings, factors: int, given: Given) -> Factors:
    """What something sealed asks for: the dongle first, so that nobody types a password for nothing.

    Raises Locked, DongleMissing, WrongPassword (a PIN), Corrupt, Failed, Usage.
    """
    from p2pchat.keys.seal import DONGLE, PASSWORD

    _fits(factors, given)
    dongle = b""
    if factors & DONGLE:
        spec = spec_named(settings, given.dongle)
        dongle = _ask(settings, spec, _pin(settings, spec, given.pin_file))
    return Factors(read_password(settings, given.password_file) if factors & PASSWORD else b"", dongle)


def _fits(factors: int, given: Given) -> None:
    """Nobody shall believe that a dongle, or a password with it, was asked for. Raises Usage."""
    if given.dongle is None:
        return
    from p2pchat.keys.dongle.spec import parse_spec
    from p2pchat.keys.seal import DONGLE, PASSWORD

    spec = parse_spec(_expanded(given.dongle))
    if not factors & DONGLE:
        raise Usage("this opens without a dongle", hint="leave out --dongle")
    if spec.with_password and not factors & PASSWORD:
        raise Usage("this opens with the dongle alone", hint=f"--dongle {spec.text}")


def read_new(settings: Settings, given: NewGiven, *, own: bool = True) -> tuple[Factors, str]:
    """What is to be sealed with, and the dongle's name ("" for none); asks for a password where none is named.

    A dongle that has no key of p2pchat yet is given one. ``own``: as ``read_new_password``. Raises as ``read``.
    """
    if given.dongle in {None, NO_DONGLE}:
        return Factors(read_new_password(settings, given.password_file, own=own)), ""
    from p2pchat.keys.dongle.spec import parse_spec

    spec = parse_spec(_expanded(str(given.dongle)))
    if spec.kind == "file" and settings.home.holds(Path(spec.path)):
        raise Usage("a key that lies beside what it opens protects nothing", hint="name a file on a stick")
    new = spec.kind == "file" and not Path(spec.path).exists()
    if given.password_file is not None and not spec.with_password:
        raise Usage("a dongle replaces the password", hint=f"for both: {spec.text}+password")
    dongle = _make(settings, spec.text, given.pin_file)
    if new:
        say(settings, f"a new key was made in {show(spec.path)}: whoever loses that file cannot open what it seals")
    password = read_new_password(settings, given.password_file, own=own) if spec.with_password else b""
    return Factors(password, dongle), spec.text


def remember(home: Home, spec: str) -> None:
    """Note in the settings which dongle opens the home, so that ``daemon start`` finds it."""
    if spec or config.load(home.config_file).dongle:
        config.change(home.config_file, "dongle", spec)


def spec_named(settings: Settings, named: str | None) -> str:
    """As the user named it, here or once before. Raises DongleMissing, Usage."""
    text = named or config.load(settings.home.config_file).dongle
    if not text:
        raise DongleMissing("this opens with a dongle, and none was named", hint=f"--dongle SPEC: {_SPEC}")
    from p2pchat.keys.dongle.spec import parse_spec

    return parse_spec(_expanded(text)).text


def _expanded(text: str) -> str:
    """A file's path is absolute, since others open it: ``file:~/x`` and ``file:x`` mean what they do in a shell."""
    kind, colon, path = text.partition(":")
    return f"{kind}:{Path(path).expanduser().absolute()}" if kind == "file" and path else f"{kind}{colon}{path}"


def _pin(settings: Settings, spec: str, file: str | None) -> str:
    """A smart card always wants one, a security key only when it is given its key."""
    if file is not None:
        return _text(first_line(file))
    if not spec.startswith("pkcs11:"):
        return ""
    return _typed_pin(settings, "the smart card")


def _typed_pin(settings: Settings, what: str) -> str:
    if settings.no_input or not sys.stdin.isatty():
        raise Locked(f"{what} wants its PIN, and there is no terminal to ask on", hint="give --pin-file FILE")
    return str(click.prompt(f"PIN of {what}", hide_input=True, err=True))


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise Usage("the PIN is not UTF-8 text", hint="check the file") from error


def _make(settings: Settings, spec: str, pin_file: str | None) -> bytes:
    pin = _pin(settings, spec, pin_file)
    try:
        return _ask(settings, spec, pin, create=True)
    except Locked as error:
        if pin or spec != "fido2" or type(error) is not Locked:  # a missing dongle, say, is one, too
            raise
    return _ask(settings, spec, _typed_pin(settings, "the security key"), create=True)


def _ask(settings: Settings, spec: str, pin: str, *, create: bool = False) -> bytes:
    from p2pchat.launch import dongles, programs

    _prompt_touch(settings, spec)
    return dongles.ask(programs.own().dongle, spec, pin, programs.environ(os.environ), create=create)


def _prompt_touch(settings: Settings, spec: str) -> None:
    if spec == "fido2":
        say(settings, "touch the security key when it blinks")
