"""``recv``: every event is dealt with once; a reader moves only past what was printed, or what a program took."""

import time
from typing import Final

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import Seconds, text_argument
from p2pchat.commands.ask import given
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.printing import Printing
from p2pchat.commands.reading import Reading, Wish
from p2pchat.commands.signals import Signals
from p2pchat.errors import Failed, TimedOut
from p2pchat.rpc.jsonlines import SAFE_INTEGER

_READER_BYTES: Final = 128


@verb("recv", "p2pchat recv --follow", "p2pchat recv --json --reader backup | jq -r .text")
@click.option("--follow", is_flag=True, help="Go on as events come, until interrupted.")
@click.option(
    "--from", "from_", metavar="PEER", help="Only what this contact caused.", shell_complete=candidates.contacts
)
@click.option("--all", "all_", is_flag=True, help="All types of events, not messages alone.")
@click.option(
    "--since", type=click.IntRange(0), metavar="CURSOR", help="What follows CURSOR (0: all); moves no reader."
)
@click.option("--reader", metavar="NAME", help="Go on where this reader stopped (cli).")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="End after N events.")
@click.option("--timeout", "timeout_s", type=Seconds(0), metavar="S", help="Wait so many seconds for events.")
@click.option("--peek", is_flag=True, help="Move no reader.")
@click.option(
    "--exec",
    "program",
    metavar="PROGRAM",
    help="Run PROGRAM once an event, with the JSON line on its stdin, instead of printing.",
    shell_complete=candidates.files,
)
@pass_settings
def recv(
    settings: Settings,
    follow: bool,
    from_: str | None,
    all_: bool,
    since: int | None,
    reader: str | None,
    limit: int | None,
    timeout_s: float | None,
    peek: bool,
    program: str | None,
) -> None:
    """Print what has come in since the last call, oldest first.

    A reader moves past what was printed. Into a pipe the next line goes only when the one before was read: `recv | head
    -3` leaves the fourth for the next call.

    With --exec the reader moves when PROGRAM ends with 0. Else PROGRAM is run again up to five times, after 1, 2, 4, 8
    and 16 seconds; then the reader goes on, and a `warning` event says how to try once more: the message itself stays
    in the history. PROGRAM has ten minutes, takes no arguments, and may get an event twice where a crash came between.
    Where it cannot be executed at all (126, 127) recv ends with 1, and no event is passed over.
    """
    if since is not None and reader is not None:
        raise click.UsageError("--since moves no reader: leave --reader out")
    if since is not None and since > SAFE_INTEGER:
        raise click.UsageError("no cursor is so large")
    for name, value in (("--from", from_), ("--reader", reader)):
        if value is not None:
            text_argument(name, value, limits.NICKNAME_BYTES if name == "--from" else _READER_BYTES)
    if timeout_s is not None and limit is None and not follow:
        limit = 1
    params = given(reader=reader, since=since, peek=peek or None, from_=from_, all=all_ or None)
    end_s = None if timeout_s is None else time.monotonic() + timeout_s
    _run(settings, Wish(params, limit, follow, end_s), program)


def _run(settings: Settings, wish: Wish, program: str | None) -> None:
    signals = Signals()
    if program is not None:
        _execute(settings, wish, signals, program)
        return
    reading = Reading(settings, wish, Printing(settings, signals, careful=wish.moves), signals)
    reading.run()
    if wish.end_s is not None and reading.dealt == 0:
        raise TimedOut("nothing came in time", hint="p2pchat status")


def _execute(settings: Settings, wish: Wish, signals: Signals, program: str) -> None:
    from p2pchat.commands.program import Executing, find

    executing = Executing(settings, signals, find(program), wish)
    reading = Reading(settings, wish, executing, signals)
    reading.run()
    if executing.given_up:
        again = f"p2pchat recv --since {executing.given_up[0] - 1} --limit 1 --exec {program}"
        what = f"{program} failed at {len(executing.given_up)} of {reading.dealt} events"
        raise Failed(f"{what}; they were passed over and stay in the history", hint=again)
    if executing.failing:
        raise TimedOut(f"{program} failed ({executing.failing}); the event comes again", hint="p2pchat recv --peek")
    if wish.end_s is not None and reading.dealt == 0:
        raise TimedOut("nothing came in time", hint="p2pchat status")
