"""``login``: an identity comes back from a backup, on a new device that takes the place of those before."""

import sys

import click

from p2pchat.commands import candidates
from p2pchat.commands.backup_read import Found, read_and_open, read_backup
from p2pchat.commands.factors import Given, NewGiven, fresh, present, read_new, remember, spec_named
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.init import KDF, nickname_checked, only_one, refuse_existing
from p2pchat.commands.layout import print_fields
from p2pchat.commands.new_home import restore_home
from p2pchat.commands.output import say
from p2pchat.errors import Locked, P2PChatError, Untrusted, Usage


@verb("login", "p2pchat login --string backup.txt", "p2pchat login --qr part-*.png --expect pc1... --no-input")
@click.option("--string", metavar="FILE", help="A string (-: from stdin).", shell_complete=candidates.files)
@click.option("--qr", is_flag=True, help="Pictures of the three QR codes, in any order.")
@click.option("--file", metavar="FILE", help="A file, or the PDF of a sheet.", shell_complete=candidates.files)
@click.option("--shares", is_flag=True, help="Shares of a split key, as many as open it.")
@click.argument("files", nargs=-1, metavar="[IMAGE...|FILE...]", shell_complete=candidates.files)
@click.option("--expect", metavar="ID", help="Go on only where it is this ID; without it, somebody is asked.")
@click.option("--nickname", default="", metavar="N", help="The name that contacts see; it can be changed.")
@present
@fresh
@KDF
@pass_settings
def login(
    settings: Settings,
    string: str | None,
    qr: bool,
    file: str | None,
    shares: bool,
    files: tuple[str, ...],
    expect: str | None,
    nickname: str,
    password_file: str | None,
    dongle: str | None,
    pin_file: str | None,
    new_password_file: str | None,
    new_dongle: str | None,
    kdf: str,
) -> None:
    """Bring an identity back from a backup. The machine that had it before is switched off.

    The key comes back, and with it the ID; messages do not. This home then opens with what opened the backup, or with
    what --new-password-file and --new-dongle name. Friends are listed again when their programs next reach
    this one, and what they wrote meanwhile arrives then.
    """
    home = settings.home
    paths, kind = _paths(string, file, files, qr=qr, shares=shares)
    nickname_checked(nickname)
    expected = None if expect is None else _id(expect)
    home.create()
    refuse_existing(home)
    with only_one(home):
        refuse_existing(home)
        found = read_backup(settings, paths)
        _expected_kind(found, kind)
        given, new = Given(password_file, dongle, pin_file), NewGiven(new_password_file, new_dongle, pin_file)
        restored, opened_with = read_and_open(settings, found, given)
        from p2pchat.ids import user_id_text

        for line in found.repaired:
            say(settings, f"line {line} was wrong or missing, and was repaired")
        _confirm(settings, user_id_text(restored.user), expected)
        if new or found.shares:  # a key from shares is nothing that anybody could type
            factors, spec = read_new(settings, new or new._replace(password_file=password_file))
        else:
            factors, spec = opened_with, spec_named(settings, dongle) if opened_with.dongle else ""
        made = restore_home(home, restored, factors, nickname=nickname, light=kdf == "light")
        remember(home, spec)
    print_fields(settings, {**made._asdict(), "nickname": nickname, "listen": []})
    if not restored.chain.raw:
        say(settings, "the key was replaced once, and this copy holds no log of that: the first friend who is reached")
        say(settings, "sends it; until then nobody new can be met, and there is no card. Next: p2pchat daemon start;")
        say(settings, "where this machine has another address, a friend types: p2pchat contact address YOU IP:PORT")
    else:
        say(settings, "next: p2pchat daemon start; where this machine has another address, give friends a new card")


def _paths(
    string: str | None, file: str | None, files: tuple[str, ...], *, qr: bool, shares: bool
) -> tuple[tuple[str, ...], str]:
    if sum((string is not None, file is not None, qr, shares)) != 1:
        raise Usage("one of --string, --qr, --file and --shares says what the backup is", hint="p2pchat login --help")
    if (qr or shares) != bool(files):
        what = "--qr and --shares want the names of files" if qr or shares else "several files go with --qr or --shares"
        raise Usage(what, hint="p2pchat login --help")
    if qr or shares:
        return files, "qr" if qr else "shares"
    return ((string,), "string") if string is not None else ((str(file),), "file")


def _id(text: str) -> str:
    """As it is written. Raises Usage for what is no ID."""
    from p2pchat.ids import parse_user_id, user_id_text

    try:
        return user_id_text(parse_user_id(text))
    except P2PChatError as error:
        raise Usage(f"--expect: {error.message}", hint="p2pchat login --help") from error


def _expected_kind(found: Found, kind: str) -> None:
    if found.kind != kind and (found.kind, kind) != ("pdf", "file"):
        raise Usage(
            f"this is no {kind}, but a backup as {found.kind}",
            hint=f"p2pchat login --{'file' if found.kind == 'pdf' else found.kind}",
        )


def _confirm(settings: Settings, user: str, expect: str | None) -> None:
    """Raises Untrusted where it is another ID than expected, Locked where nobody can be asked."""
    if expect is not None:
        if expect != user:
            raise Untrusted(f"this backup is of {user}, not of the ID that was expected", hint="use another backup")
        return
    if settings.no_input or not sys.stdin.isatty():
        raise Locked(f"this backup restores {user}, and there is no terminal to confirm it on", hint="give --expect ID")
    click.echo(f"This backup restores\n\n  {user}\n", err=True)
    click.confirm("Is this the ID that you know?", abort=True, err=True)
