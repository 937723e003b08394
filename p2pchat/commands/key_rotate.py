"""``key rotate``: another key for the same ID, or, where the key was stolen, another ID for the same home."""

import base64
import os
import sys

import click

from p2pchat.commands import candidates, factors
from p2pchat.commands.ask import ask, given
from p2pchat.commands.factors import Given, before_a_password, present
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.init import only_one, progress
from p2pchat.commands.layout import print_fields
from p2pchat.commands.new_home import kek_of, renew_home
from p2pchat.commands.new_keys import generate_primes
from p2pchat.commands.output import say
from p2pchat.commands.password import first_line
from p2pchat.errors import BadFormat, Corrupt, Forbidden
from p2pchat.ids import parse_recovery, recovery_text


@verb("rotate", "p2pchat key rotate --recovery-file recovery.txt", "p2pchat key rotate --compromised --recovery")
@present
@click.option(
    "--recovery-file",
    metavar="FILE",
    help="The recovery key of init is its first line (-: stdin): it undoes what a thief signed.",
    shell_complete=candidates.files,
)
@click.option("--compromised", is_flag=True, help="The key was stolen: make another ID. The daemon must not run.")
@click.option("--recovery", is_flag=True, help="With --compromised: show a recovery key of the new ID, once.")
@pass_settings
def rotate(
    settings: Settings,
    password_file: str | None,
    dongle: str | None,
    pin_file: str | None,
    recovery_file: str | None,
    compromised: bool,
    recovery: bool,
) -> None:
    """Replace the RSA key behind the ID by a new one, which the old one signs. The ID stays. Takes about ten seconds.

    Contacts are told on the next link, and asked to compare keys again. Copies of the key that were made before are
    refused from then on. After a theft the ID is burnt for people who do not know you yet: a thief can show them the
    old key. --compromised therefore makes another ID, with other keys, in this home; history and contacts stay. The
    old key signs who you are now, and each contact is asked to accept that.
    """
    opener = Given(password_file, dongle, pin_file)
    if compromised:
        if recovery_file is not None:
            raise click.UsageError("a recovery key keeps the ID: --recovery-file and --compromised exclude each other")
        _give_up_id(settings, opener, recovery=recovery)
        return
    if recovery:
        raise click.UsageError("--recovery is for --compromised: an ID names its recovery key from the first day")
    before_a_password(settings)
    words = None if recovery_file is None else _recovery_key(recovery_file)
    old = factors.read(settings, factors.of_home(settings.home), opener)
    off = bool(ask(settings, "status")["replaced"])
    if off and words is None:
        raise Forbidden("this device was switched off", hint="the recovery key alone counts now: --recovery-file FILE")
    kek_of(settings.home, old)  # a wrong password is told before anybody waits ten seconds
    with progress(settings) as tick:
        ((p, q),) = generate_primes(1, tick)
    primes = {"p": base64.b64encode(p).decode(), "q": base64.b64encode(q).decode()}
    print_fields(settings, ask(settings, "key.rotate", given(**old.as_params(), **primes, recovery=words), wait_s=60))
    say(settings, "copies of the key that were made before are refused from now on: p2pchat key export --help")
    say(settings, "contacts are told, and asked to compare: p2pchat contact verify PEER")
    if off:
        say(settings, "this device was switched off; to have links again: p2pchat daemon stop; p2pchat daemon start")


def _give_up_id(settings: Settings, given: Given, *, recovery: bool) -> None:
    """Raises AlreadyRunning while a daemon runs, and as ``factors.read``, ``kek_of`` and ``renew_home``."""
    home = settings.home
    asked = factors.of_home(home)
    with only_one(home, hint="p2pchat daemon stop"):
        kek = kek_of(home, factors.read(settings, asked, given))  # before anybody waits ten seconds
        if not settings.no_input and sys.stdin.isatty():
            click.confirm("This gives up your ID for good. Was its key stolen?", abort=True, err=True)
        seed = os.urandom(32) if recovery else None
        with progress(settings) as tick:
            (primes,) = generate_primes(1, tick)
        made, before = renew_home(home, kek, primes, recovery_seed=seed)
    shown = {} if seed is None else {"recovery": recovery_text(seed)}
    try:
        print_fields(settings, {**made._asdict(), "before": before, **shown})
        sys.stdout.flush()
    except OSError:
        sys.stderr.write("".join(f"recovery key: {words}\n" for words in shown.values()))  # it is shown this once
        raise
    if shown:
        say(settings, "write the recovery key down and keep it elsewhere: it is shown this once, and stored nowhere")
    say(settings, "copies of the old key are worth nothing now: p2pchat key export --help")
    say(settings, "was the password known, too? p2pchat key passwd")
    say(settings, "contacts hear of it from now on, and each has to accept your new ID: p2pchat daemon start")


def _recovery_key(file: str) -> str:
    """Its text. A slip of the pen is told before anybody waits for ten seconds. Raises Corrupt."""
    text = first_line(file).decode("ascii", "replace")
    try:
        parse_recovery(text)
    except BadFormat as error:
        raise Corrupt(error.message, hint=error.hint) from error
    return text
