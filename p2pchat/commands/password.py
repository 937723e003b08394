"""Passwords of the own identity: from a file for scripts, from a prompt for people, never from an argument."""

import codecs
import os
import sys

import click

from p2pchat.commands.frame import Settings
from p2pchat.commands.output import say
from p2pchat.commands.password_strength import describe, generated_phrase, strength_bits
from p2pchat.commands.user_files import read_file
from p2pchat.errors import Locked, Usage
from p2pchat.hardening import refuse_dumps
from p2pchat.limits import PASSWORD_BYTES

_FILE_BYTES = 64 * 1024  # a password file may hold notes below its first line
_ASK_AGAIN_BITS = 30.0


def read_password(settings: Settings, file: str | None) -> bytes:
    """The password that opens the own identity. Raises Locked where nobody can be asked."""
    named = file or os.environ.get("P2PCHAT_PASSWORD_FILE")
    if named:
        return first_line(named)
    _require_terminal(settings, "--password-file FILE")
    refuse_dumps()
    return str(click.prompt("Password", hide_input=True, err=True)).encode()


def typed(settings: Settings, file: str | None) -> bool:
    """Whether ``read_password`` asks a person."""
    named = file or os.environ.get("P2PCHAT_PASSWORD_FILE")
    return not named and not settings.no_input and sys.stdin.isatty()


def new_password_given(file: str | None) -> bytes | None:
    """The new password of ``--new-password-file``; None where none is named."""
    return None if file is None else _checked(first_line(file))


def read_new_password(settings: Settings, file: str | None, *, own: bool = True) -> bytes:
    """A password for a new identity, typed twice; its strength is shown, and a phrase offered for an empty one.

    ``own``: it may be the one of ``P2PCHAT_PASSWORD_FILE``, which opens the own identity.
    """
    named = file or (os.environ.get("P2PCHAT_PASSWORD_FILE") if own else None)
    if named:
        return _checked(first_line(named))
    _require_terminal(settings, "--new-password-file FILE")
    refuse_dumps()
    say(settings, "The password protects the keys on this disk. Nobody can restore it. Enter alone: have one made.")
    while True:
        typed = str(click.prompt("New password", hide_input=True, err=True, default="", show_default=False))
        if not typed:
            typed = generated_phrase(os.urandom(10))
            click.echo(f"A phrase of 80 random bits; write it down:\n\n  {typed}\n", err=True)
        else:
            say(settings, describe(typed))
            if strength_bits(typed) < _ASK_AGAIN_BITS and not click.confirm("Use it all the same?", err=True):
                continue
        if click.prompt("Once more", hide_input=True, err=True) == typed:
            return _checked(typed.encode())
        click.echo("The two are not the same.", err=True)


def _checked(password: bytes) -> bytes:
    """Refuse now what sealing would refuse later, after the ten seconds that a new key takes. Raises Usage."""
    from p2pchat.keys.seal import normalise_password

    normalise_password(password)
    return password


def first_line(file: str) -> bytes:
    """A secret of the user's. From here on this process leaves no core file. Raises Usage, NotFound, Failed."""
    refuse_dumps()
    too_long = Usage(f"the password file {file} is longer than {_FILE_BYTES} bytes", hint="is it the right file?")
    if file == "-" and sys.stdin.isatty():  # a person types it: it shall not stand on the screen
        line = str(click.prompt("First line of stdin", hide_input=True, err=True)).encode()
    elif file == "-":
        line = sys.stdin.buffer.readline(PASSWORD_BYTES + 2)
        if not line:
            raise Usage("stdin has ended, and a password was to come from it", hint="- can stand for one thing alone")
    else:
        line = read_file(file, _FILE_BYTES, too_long).partition(b"\n")[0]
    password = line.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
    if not password:
        raise Usage("the password file has an empty first line", hint="write the password into its first line")
    return password


def _require_terminal(settings: Settings, instead: str) -> None:
    if settings.no_input or not sys.stdin.isatty():
        raise Locked("a password is needed, and there is no terminal to ask on", hint=f"give {instead}")
