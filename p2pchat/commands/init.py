"""``init``: a new identity. The keys are made here, once; afterwards only vault and gate ever hold them."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import text_argument
from p2pchat.commands.factors import NewGiven, read_new, remember
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.layout import print_fields
from p2pchat.commands.new_home import make_home
from p2pchat.commands.new_keys import generate_primes
from p2pchat.commands.output import say
from p2pchat.commands.user_files import read_file
from p2pchat.errors import AlreadyRunning, BadFormat, Exists, Usage
from p2pchat.home import Home
from p2pchat.ids import recovery_text
from p2pchat.launch import lock
from p2pchat.picture import picture_size

KDF: Final = click.option(
    "--kdf",
    type=click.Choice(["standard", "light"]),
    default="standard",
    help="Cost of one guess at the password: 256 MiB of memory, or for slow machines 64 MiB, and a weaker guard.",
)


@verb("init", "p2pchat init --nickname ada", "p2pchat init --no-input --new-password-file ~/.secret --json")
@click.option("--nickname", default="", metavar="N", help="The name that contacts see; it can be changed.")
@click.option(
    "--avatar",
    metavar="IMAGE",
    help=f"A PNG or JPEG of at most {limits.AVATAR_BYTES // 1024} KiB.",
    shell_complete=candidates.files,
)
@click.option(
    "--new-password-file",
    metavar="FILE",
    help="The new password is its first line (-: stdin).",
    shell_complete=candidates.files,
)
@click.option("--password-file", metavar="FILE", help="The same.", hidden=True)
@click.option(
    "--dongle",
    metavar="SPEC",
    help="Seal it with file:PATH (a stick), pkcs11:MODULE?token=LABEL or fido2 in place of a password; with"
    " +password behind it: with both.",
)
@click.option(
    "--pin-file", metavar="FILE", help="The PIN of the dongle is its first line.", shell_complete=candidates.files
)
@click.option(
    "--recovery", is_flag=True, help="Show a recovery key, once, to write down: it outranks whoever steals the key."
)
@KDF
@pass_settings
def init(
    settings: Settings,
    nickname: str,
    avatar: str | None,
    new_password_file: str | None,
    password_file: str | None,
    dongle: str | None,
    pin_file: str | None,
    recovery: bool,
    kdf: str,
) -> None:
    """Make an identity: an RSA-8192 key and all that hangs on it, sealed under a password. Takes about ten seconds.

    Whoever loses the dongle has lost the identity, unless there is a backup that opens without it.
    """
    home = settings.home
    picture = _avatar(avatar)
    nickname_checked(nickname)
    home.create()
    refuse_existing(home)  # its daemon may hold the lock: say what matters more
    with only_one(home):
        refuse_existing(home)
        factors, spec = read_new(settings, NewGiven(new_password_file or password_file, dongle, pin_file))
        seed = os.urandom(32) if recovery else None
        with progress(settings) as tick:
            (primes,) = generate_primes(1, tick)
        made = make_home(
            home, primes, *factors, nickname=nickname, avatar=picture, light=kdf == "light", recovery_seed=seed
        )
        remember(home, spec)
    shown = {} if seed is None else {"recovery": recovery_text(seed)}
    try:
        print_fields(settings, {**made._asdict(), "nickname": nickname, "listen": [], **shown})
        sys.stdout.flush()
    except OSError:
        if shown:  # a recovery key that nobody saw: nothing has been done with the identity yet
            home.remove_identity()
        raise
    if shown:
        say(settings, "write the recovery key down and keep it elsewhere: it is shown this once, and stored nowhere")
    say(settings, "next: p2pchat daemon start")


@contextmanager
def progress(settings: Settings) -> Iterator[Callable[[float], None]]:
    """On a terminal's stderr one line that counts the seconds; elsewhere the words alone."""
    what = "making an RSA-8192 key, which takes some ten seconds"
    if settings.quiet or not sys.stderr.isatty():
        say(settings, what)
        yield lambda _seconds: None
        return

    def tick(seconds: float) -> None:
        sys.stderr.write(f"\r{what}: {seconds:.0f} s")
        sys.stderr.flush()

    try:
        yield tick
    finally:
        sys.stderr.write("\n")


@contextmanager
def only_one(home: Home, *, hint: str = "p2pchat daemon status") -> Iterator[None]:
    """Hold the home's lock, so that no other ``init`` or daemon is at work here."""
    try:
        fd = lock.acquire(home.lock_file)
    except AlreadyRunning as error:
        raise AlreadyRunning("another p2pchat is at work in this home", hint=hint) from error
    try:
        yield
    finally:
        os.close(fd)


def refuse_existing(home: Home) -> None:
    if home.has_identity:
        raise Exists(f"there is an identity in {home.data_dir} already", hint="p2pchat whoami")
    if home.store_db.exists() or home.store_mark.exists():
        # Keys that lack their unlock.key are not overwritten: it may be in a copy somewhere.
        hint = "restore unlock.key from a copy, or choose another home with --home DIR"
        raise Exists(f"{home.data_dir} holds the rest of an identity whose unlock.key is gone", hint=hint)


def nickname_checked(nickname: str) -> None:
    if nickname:
        text_argument("the nickname", nickname, limits.NICKNAME_BYTES)
    if len(nickname) > limits.NICKNAME_CHARS or not nickname.isprintable():
        raise Usage(f"a nickname has at most {limits.NICKNAME_CHARS} printable characters", hint="p2pchat init --help")


def _avatar(path: str | None) -> bytes:
    if path is None:
        return b""
    too_long = Usage(f"{path} is larger than {limits.AVATAR_BYTES} bytes", hint="choose a smaller picture")
    data = read_file(path, limits.AVATAR_BYTES, too_long)
    try:
        picture_size(data)
    except BadFormat as error:
        raise Usage(f"{path}: {error.message}", hint="choose another picture") from error
    return data
