"""``whoami``, ``status``, ``version``."""

import platform

import click

from p2pchat import __version__
from p2pchat.commands import candidates
from p2pchat.commands.ask import ask
from p2pchat.commands.drawing import draw_code
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.layout import print_fields


@verb("whoami", "p2pchat whoami", "p2pchat whoami --json | jq -r .id")
@click.option("--qr", is_flag=True, help="The ID as a QR code: on the terminal, or with --out in FILE.png or FILE.svg.")
@click.option("--out", metavar="FILE", help="The picture of --qr.", shell_complete=candidates.files)
@pass_settings
def whoami(settings: Settings, qr: bool, out: str | None) -> None:
    """Show one's own ID, key fingerprint, nickname, and where the daemon listens."""
    if out is not None and not qr:
        raise click.UsageError("--out goes with --qr")
    if qr and out in {None, "-"} and settings.json:
        raise click.UsageError("--qr on a terminal is for people: name a picture with --out under --json")
    who = ask(settings, "whoami")
    file = draw_code(settings, str(who["id"]).upper(), str(who["id"]), out) if qr else None
    if file is not None:
        print_fields(settings, {**who, "file": file})
    elif not qr:
        print_fields(settings, who)


@verb("status", "p2pchat status", "p2pchat status --json | jq .outbox")
@pass_settings
def status(settings: Settings) -> None:
    """Show how the daemon fares: contacts, links, what waits."""
    print_fields(settings, ask(settings, "status"))


@verb("version", "p2pchat version", "p2pchat version --json")
@pass_settings
def version(settings: Settings) -> None:
    """Show the version of this program and of Python."""
    print_fields(settings, {"version": __version__, "python": platform.python_version()})
