"""``key ...``: what the own key is, and copies of it that outlive the machine."""

import base64
import os
import shlex
import sys
from pathlib import Path
from typing import cast

import click

from p2pchat.commands import candidates, factors
from p2pchat.commands.arguments import Shares
from p2pchat.commands.ask import ask
from p2pchat.commands.backup_read import Found, factors_of, open_backup, read_and_open, read_backup
from p2pchat.commands.backup_write import Copy, Look
from p2pchat.commands.carriers import CARRIERS, split_in
from p2pchat.commands.factors import Factors, Given, NewGiven, before_a_password, fresh, pin, present, read_new
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.init import KDF
from p2pchat.commands.key_rotate import rotate
from p2pchat.commands.layout import print_fields
from p2pchat.commands.output import coloured, say
from p2pchat.errors import NoDaemon, Usage
from p2pchat.show import show as cleaned

key = Noun(
    "key",
    help="The own key, and copies of it that outlive this machine. A copy is sealed: it takes a password to open it.",
    examples=("p2pchat key export string --out backup.txt", "p2pchat key verify backup.txt"),
)


key.add_command(rotate)


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
@click.option("--parity", is_flag=True, help="qr, pdf: any two of the three codes will do.")
@click.option("--svg", is_flag=True, help="qr: drawings that print sharp at any size, in place of PNGs.")
@click.option("--paper", type=click.Choice(["a4", "letter"]), help="pdf: the size of its pages.  [default: a4]")
@click.option("--shares", type=Shares(), help="string: M/N, as 2/3: a folder of N texts, of which any M open it.")
@click.option("--force", is_flag=True, help="Write over what is there.")
@present
@fresh
@KDF
@pass_settings
def export(
    settings: Settings,
    carrier: str,
    out: str,
    parity: bool,
    svg: bool,
    paper: str | None,
    shares: tuple[int, int] | None,
    force: bool,
    password_file: str | None,
    dongle: str | None,
    pin_file: str | None,
    new_password_file: str | None,
    new_dongle: str | None,
    kdf: str,
) -> None:
    """Write a sealed copy of the key: a string of letters, three QR codes, a sheet to print, or a file.

    It restores the identity on another machine (`p2pchat login`), not the messages. It opens with what opens this
    home, with what --new-password-file and --new-dongle name, or, if it is split in shares for friends to keep, with
    some of them.
    """
    _fits(carrier, parity=parity, svg=svg, paper=paper is not None)
    opened, new = Given(password_file, dongle, pin_file), NewGiven(new_password_file, new_dongle, pin_file)
    if shares is not None and (carrier != "string" or new or out == "-"):
        raise click.UsageError("--shares is for string, into a folder; shares open it, and no password")
    made = CARRIERS[carrier] if shares is None else split_in(*shares)
    if out == "-" and (settings.json or svg):
        raise click.UsageError("--out - is for people: name files under --json and --svg")
    before_a_password(settings)
    _outside_home(settings, out)
    look = Look(parity=parity, svg=svg, paper=paper or "a4", colours=coloured(settings, sys.stdout))
    made.refuse(out, look, force=force)
    split_key = os.urandom(32) if shares is not None else None
    old = factors.read(settings, factors.of_home(settings.home), opened)
    chosen = Factors(split_key.hex().encode()) if split_key else read_new(settings, new)[0] if new else Factors()
    params = {**old.as_params(), **chosen.as_params("new_"), "split": split_key is not None, "kdf": kdf}
    answers = [ask(settings, "key.backup", {**params, "with_log": log}, wait_s=30) for log in made.with_log]
    containers = [base64.b64decode(str(answer["container"])) for answer in answers]
    copy = Copy(
        id=str(answers[0]["id"]),
        set=str(answers[0]["set"]),
        container=containers[0],
        fuller=containers[-1],
        split_key=split_key,
        opens_with=_opener(chosen if new else old),
    )
    files = made.write(copy, out, look, force=force)
    if settings.json or files:
        print_fields(settings, {"files": files})
    say(settings, made.advice.format(opens_with=copy.opens_with))
    if True not in made.with_log and cast(int, ask(settings, "key.show")["key_log"]) > 1:
        say(settings, "the key was replaced once, and this copy has no room for the log of that:")
        say(settings, "after a login a contact sends it back")
    say(settings, _then_prove(carrier, files, svg=svg))


def _fits(carrier: str, *, parity: bool, svg: bool, paper: bool) -> None:
    """Raises click.UsageError where an option is for another carrier."""
    wants = {"--parity": (parity, {"qr", "pdf"}), "--svg": (svg, {"qr"}), "--paper": (paper, {"pdf"})}
    for option, (chosen, carriers) in wants.items():
        if chosen and carrier not in carriers:
            raise click.UsageError(f"{option} is for {' and '.join(sorted(carriers))}")


def _then_prove(carrier: str, files: list[str], *, svg: bool) -> str:
    named = [shlex.quote(f"./{file}" if file.startswith("-") else file) for file in files]
    copies = "PHOTO..." if svg else cleaned(" ".join(named)) or "COPY"
    return f"{'and the file' if carrier == 'pdf' else 'then prove the copy'}: p2pchat key verify {copies}"


@key.verb("verify", "p2pchat key verify backup.txt", "p2pchat key verify part-3.png part-1.png part-2.png")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=candidates.files)
@present
@pass_settings
def verify(
    settings: Settings, paths: tuple[str, ...], password_file: str | None, dongle: str | None, pin_file: str | None
) -> None:
    """Read a copy of the key back, open it, and prove that it restores this identity.

    PATH is a file, a string (-: from stdin), pictures of the QR codes in any order, a PDF, or shares. Where the daemon
    runs the day is noted, and `status` shows it.
    """
    found = read_backup(settings, paths)
    restored, _ = read_and_open(settings, found, Given(password_file, dongle, pin_file))
    from p2pchat.ids import user_id_text

    user = user_id_text(restored.user)
    _note(settings, user, restored.chain.head)
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
@fresh
@pin
@KDF
@pass_settings
def combine(
    settings: Settings,
    paths: tuple[str, ...],
    out: str,
    force: bool,
    new_password_file: str | None,
    new_dongle: str | None,
    pin_file: str | None,
    kdf: str,
) -> None:
    """Put shares of a key together into one copy, a file under a password or a dongle."""
    carrier = CARRIERS["file"]
    _outside_home(settings, out)
    carrier.refuse(out, Look(), force=force)
    found = read_backup(settings, paths)
    if not found.shares:
        raise click.UsageError(f"these are no shares, but a backup as {found.kind}")
    identity = open_backup(found, factors_of(settings, found, Given(None, None, None)))
    chosen, _ = read_new(settings, NewGiven(new_password_file, new_dongle, pin_file), own=False)
    from p2pchat.ids import user_id_text
    from p2pchat.keys.backup.secret import FRESH_BYTES, seal_backup, set_id
    from p2pchat.keys.seal import COSTS

    container = seal_backup(
        identity,
        chosen.password,
        dongle=chosen.dongle,
        with_log=True,
        fresh=os.urandom(FRESH_BYTES),
        cost=COSTS[kdf],
    )
    user = user_id_text(identity.user)
    files = carrier.write(Copy(user, set_id(container), container), out, Look(), force=force)
    print_fields(settings, {"files": files, "id": user})


@key.verb("passwd", "p2pchat key passwd", "p2pchat key passwd --password-file old --new-password-file new")
@present
@fresh
@KDF
@pass_settings
def passwd(
    settings: Settings,
    password_file: str | None,
    dongle: str | None,
    pin_file: str | None,
    new_password_file: str | None,
    new_dongle: str | None,
    kdf: str,
) -> None:
    """Change the password or the dongle that opens this home. Copies made before keep theirs.

    --new-dongle SPEC takes the place of the password, and SPEC+password of both; `--new-dongle none` leaves a
    password alone. Without --new-dongle a home's dongle stays, beside the new password.
    """
    before_a_password(settings)
    old = factors.read(settings, factors.of_home(settings.home), Given(password_file, dongle, pin_file))
    chosen, spec = read_new(settings, NewGiven(new_password_file, new_dongle, pin_file), own=False)
    if new_dongle is None and old.dongle:
        chosen = chosen._replace(dongle=old.dongle)
    params = {**old.as_params(), **chosen.as_params("new_"), "kdf": kdf}
    print_fields(settings, ask(settings, "key.passwd", params, wait_s=30))
    if new_dongle is not None:
        factors.remember(settings.home, spec)
    say(settings, "copies of the key that were made before open as they did then: p2pchat key export --help")


def _outside_home(settings: Settings, out: str) -> None:
    """A copy inside the home dies with it, and could take a key file's place. Raises Usage."""
    if out != "-" and settings.home.holds(Path(out)):
        raise Usage("a copy in the home is lost with the home", hint="name a place outside of it")


def _note(settings: Settings, user: str, head: bytes) -> None:
    """Raises Untrusted where the copy is of another identity than this home's."""
    try:
        ask(settings, "key.verified", {"id": user, "head": head.hex()})
    except NoDaemon:
        say(settings, "the daemon is not running, so the copy was not compared with this home, and no day was noted")


def _opens_with(found: Found) -> str:
    if found.shares:
        return f"{found.shares[0].need} shares, here {len({share.words for share in found.shares})}"
    from p2pchat.keys.seal import DONGLE, PASSWORD

    asked = found.header.factors
    return "shares, whose words are missing here" if found.needs_shares else _named(asked & PASSWORD, asked & DONGLE)


def _opener(chosen: Factors) -> str:
    """As a sentence names it."""
    return "the " + _named(chosen.password, chosen.dongle)


def _named(password: object, dongle: object) -> str:
    return " and the ".join(name for name, asked in (("password", password), ("dongle", dongle)) if asked)
