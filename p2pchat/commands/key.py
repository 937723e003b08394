"""``key ...``: what the own key is, and copies of it that outlive the machine."""

import base64
import os
from pathlib import Path
from typing import Final

import click

from p2pchat.commands import candidates
from p2pchat.commands.arguments import Shares
from p2pchat.commands.ask import ask, given
from p2pchat.commands.backup_read import Found, open_backup, password_of, read_backup
from p2pchat.commands.backup_write import CARRIERS, Sheet, split_in
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.init import KDF
from p2pchat.commands.layout import print_fields
from p2pchat.commands.output import say
from p2pchat.commands.password import new_password_given, read_new_password, read_password
from p2pchat.errors import NoDaemon, Usage

_PASSWORD: Final = click.option(
    "--password-file",
    metavar="FILE",
    help="The password is its first line (-: stdin).",
    shell_complete=candidates.files,
)
_NEW_PASSWORD: Final = click.option(
    "--new-password-file",
    metavar="FILE",
    help="The new password is its first line.",
    shell_complete=candidates.files,
)

key = Noun(
    "key",
    help="The own key, and copies of it that outlive this machine. A copy is sealed: it takes a password to open it.",
    examples=("p2pchat key export string --out backup.txt", "p2pchat key verify backup.txt"),
)


@key.verb("show", "p2pchat key show", "p2pchat key show --json | jq .backup_verified_ms")
@pass_settings
def show(settings: Settings) -> None:
    """Show the own key, its devices, and when a backup of it was last proved."""
    print_fields(settings, ask(settings, "key.show"))


@key.verb("export", "p2pchat key export qr --out backup/", "p2pchat key export string --out - | lp")
@click.argument("carrier", type=click.Choice(sorted(CARRIERS)))
@click.option(
    "--out",
    required=True,
    metavar="PATH",
    help="A file, for qr a folder; -: this terminal.",
    shell_complete=candidates.files,
)
@click.option("--parity", is_flag=True, help="qr: any two of the three codes will do.")
@click.option("--shares", type=Shares(), help="string: M/N, as 2/3: a folder of N texts, of which any M open it.")
@click.option("--force", is_flag=True, help="Write over what is there.")
@_PASSWORD
@_NEW_PASSWORD
@KDF
@pass_settings
def export(
    settings: Settings,
    carrier: str,
    out: str,
    parity: bool,
    shares: tuple[int, int] | None,
    force: bool,
    password_file: str | None,
    new_password_file: str | None,
    kdf: str,
) -> None:
    """Write a sealed copy of the key: a string of letters, three QR codes, or a file.

    It restores the identity on another machine (`p2pchat login`), not the messages. It opens with the password of this
    home, with the one of --new-password-file, or, if it is split in shares for friends to keep, with some of them.
    """
    if parity and carrier != "qr":
        raise click.UsageError("--parity is for qr")
    if shares is not None and (carrier != "string" or new_password_file is not None or out == "-"):
        raise click.UsageError("--shares is for string, into a folder; shares open it, and no password")
    made = CARRIERS[carrier] if shares is None else split_in(*shares)
    if out == "-" and settings.json:
        raise click.UsageError("--out - is for people: name files under --json")
    _before_a_password(settings)
    _outside_home(settings, out)
    made.refuse(out, force=force)
    split_key = os.urandom(32) if shares is not None else None
    params = {
        "password": _base64(read_password(settings, password_file)),
        "new_password": _base64(split_key.hex().encode() if split_key else new_password_given(new_password_file)),
        "split": split_key is not None,
    }
    answer = ask(settings, "key.backup", given(**params, kdf=kdf, with_log=made.with_log), wait_s=30)
    container = base64.b64decode(str(answer["container"]))
    sheet = Sheet(id=str(answer["id"]), set=str(answer["set"]), container=container, split_key=split_key)
    files = made.write(sheet, out, parity=parity, force=force)
    if settings.json or files:
        print_fields(settings, {"files": files})
    say(settings, made.advice)
    say(settings, f"then prove the copy: p2pchat key verify {' '.join(files) or 'COPY'}")


@key.verb("verify", "p2pchat key verify backup.txt", "p2pchat key verify part-3.png part-1.png part-2.png")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=candidates.files)
@_PASSWORD
@pass_settings
def verify(settings: Settings, paths: tuple[str, ...], password_file: str | None) -> None:
    """Read a copy of the key back, open it, and prove that it restores this identity.

    PATH is a file, a string (-: from stdin), pictures of the QR codes in any order, or shares. Where the daemon runs
    the day is noted, and `status` shows it.
    """
    found = read_backup(settings, paths)
    restored = open_backup(found, password_of(settings, found, password_file))
    from p2pchat.ids import user_id_text

    user = user_id_text(restored.user)
    _note(settings, user)
    for line in found.repaired:
        say(settings, f"line {line} was wrong or missing, and was repaired: write it anew")
    print_fields(settings, {"ok": True, "id": user, "kind": found.kind})


@key.verb("inspect", "p2pchat key inspect backup.txt", "p2pchat key inspect photo.jpg --json")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=candidates.files)
@pass_settings
def inspect(settings: Settings, paths: tuple[str, ...]) -> None:
    """Say what a copy of a key is and whether it is whole, without a password."""
    found = read_backup(settings, paths)
    from p2pchat.keys.backup.secret import set_id

    cost = found.header.cost
    shape: dict[str, object] = {
        "kind": found.kind,
        "set": set_id(found.container),
        "opens_with": _opens_with(found),
        "kdf": f"Argon2id, {cost.memory_kib // 1024} MiB, {cost.passes} passes",
        "size_bytes": len(found.container),
        "repaired": list(found.repaired),
    }
    print_fields(settings, shape)


@key.verb(
    "combine", "p2pchat key combine share-1.txt share-3.txt --out copy.p2pkey", "p2pchat key combine *.txt --out k"
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=candidates.files)
@click.option("--out", required=True, metavar="FILE", help="The copy to write.", shell_complete=candidates.files)
@click.option("--force", is_flag=True, help="Write over what is there.")
@_NEW_PASSWORD
@KDF
@pass_settings
def combine(
    settings: Settings, paths: tuple[str, ...], out: str, force: bool, new_password_file: str | None, kdf: str
) -> None:
    """Put shares of a key together into one copy, a file under a password."""
    carrier = CARRIERS["file"]
    _outside_home(settings, out)
    carrier.refuse(out, force=force)
    found = read_backup(settings, paths)
    if not found.shares:
        raise click.UsageError(f"these are no shares, but a backup as {found.kind}")
    identity = open_backup(found, password_of(settings, found, None))
    password = new_password_given(new_password_file) or read_new_password(settings, None, own=False)
    from p2pchat.ids import user_id_text
    from p2pchat.keys.backup.secret import FRESH_BYTES, seal_backup, set_id
    from p2pchat.keys.seal import COSTS

    fresh, with_log = os.urandom(FRESH_BYTES), carrier.with_log
    container = seal_backup(identity, password, with_log=with_log, fresh=fresh, cost=COSTS[kdf])
    user = user_id_text(identity.user)
    files = carrier.write(Sheet(user, set_id(container), container), out, parity=False, force=force)
    print_fields(settings, {"files": files, "id": user})


@key.verb("passwd", "p2pchat key passwd", "p2pchat key passwd --password-file old --new-password-file new")
@_PASSWORD
@_NEW_PASSWORD
@KDF
@pass_settings
def passwd(settings: Settings, password_file: str | None, new_password_file: str | None, kdf: str) -> None:
    """Change the password that opens this home. Copies made before keep theirs."""
    _before_a_password(settings)
    old = read_password(settings, password_file)
    new = new_password_given(new_password_file) or read_new_password(settings, None, own=False)
    params = {"password": _base64(old), "new_password": _base64(new), "kdf": kdf}
    print_fields(settings, ask(settings, "key.passwd", params, wait_s=30))
    say(settings, "copies of the key that were made before open with the old password: p2pchat key export --help")


def _outside_home(settings: Settings, out: str) -> None:
    """A copy inside the home dies with it, and could take a key file's place. Raises Usage."""
    home = settings.home
    if out != "-" and {home.data_dir, home.config_dir} & {(path := Path(out).absolute()), *path.parents}:
        raise Usage("a copy in the home is lost with the home", hint="name a place outside of it")


def _before_a_password(settings: Settings) -> None:
    """Nobody shall type one for nothing. Raises NoDaemon."""
    ask(settings, "daemon.status")


def _note(settings: Settings, user: str) -> None:
    """Raises Untrusted where the copy is of another identity than this home's."""
    try:
        ask(settings, "key.verified", {"id": user})
    except NoDaemon:
        say(settings, "the daemon is not running, so the copy was not compared with this home, and no day was noted")


def _opens_with(found: Found) -> str:
    if found.shares:
        return f"{found.shares[0].need} shares, here {len({share.words for share in found.shares})}"
    return "shares, whose words are missing here" if found.needs_shares else "password"


def _base64(password: bytes | None) -> str | None:
    return None if password is None else base64.b64encode(password).decode()
