"""``send``: the text is on disk before anything is printed."""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Final, cast

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import Duration, Seconds, text_argument
from p2pchat.commands.ask import Row, ask, given
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.output import print_folded, print_json, print_line
from p2pchat.errors import Failed, Partial, TimedOut

_RANK: Final = {"queued": 0, "sent": 1, "delivered": 2, "read": 3}  # failed has none
_WAIT_S: Final = 30.0  # the longest that one call waits (rpc/methods.py)


@verb("send", "p2pchat send bob 'see you at eight'", "git log -1 | p2pchat send bob carol - --wait delivered")
@click.argument("words", metavar="PEER... TEXT|-", nargs=-1, shell_complete=candidates.contacts)
@click.option(
    "--wait",
    "wait_for",
    type=click.Choice(list(_RANK)),
    help="Return only when it is there; read: only where the recipient has set receipts.",
)
@click.option("--timeout", "timeout_s", type=Seconds(0, 86400), metavar="S", help="Longest wait in seconds (30).")
@click.option("--expires", "expires_s", type=Duration(*limits.EXPIRY_S), help="Give up after so long.")
@click.option("--idempotency-key", metavar="K", help="The same key again: the same message, sent once.")
@pass_settings
def send(
    settings: Settings,
    words: tuple[str, ...],
    wait_for: str | None,
    timeout_s: float | None,
    expires_s: int | None,
    idempotency_key: str | None,
) -> None:
    """Send a message.

    The last of several words is the text, all before it are recipients; `-` takes the text from stdin. One word alone
    is the recipient, and stdin the text.
    """
    if timeout_s is not None and wait_for is None:
        raise click.UsageError("--timeout goes with --wait")
    recipients, text = _recipients_and_text(words)
    # A key of our own makes it safe to ask again where the daemon restarts in the middle of the call.
    key = os.urandom(16).hex() if idempotency_key is None else idempotency_key
    text_argument("the idempotency key", key, limits.IDEMPOTENCY_KEY_BYTES)
    asked = given(to=recipients, text=text, expires_s=expires_s, idempotency_key=key)
    timeout_s = 30.0 if timeout_s is None else timeout_s
    end_s = time.monotonic() + timeout_s
    sent = _send(settings, asked, wait_for, min(timeout_s, _WAIT_S))
    stands = deque([sent], maxlen=1)
    try:
        if wait_for is not None:
            stands.extend(_waiting(settings, sent, wait_for, end_s))
    finally:
        _print(settings, stands[0])  # the message is stored, however the wait ends
    if wait_for is not None:
        _judge(stands[0], wait_for)


def _send(settings: Settings, asked: dict[str, object], wait_for: str | None, wait_s: float) -> Row:
    """Store it and wait a first time, in one call."""
    if wait_for is None or wait_for == "queued" or not wait_s:
        return ask(settings, "send", asked)
    try:
        return ask(settings, "send", {**asked, "wait": wait_for, "wait_ms": int(wait_s * 1000)}, wait_s=wait_s)
    except KeyboardInterrupt:
        settings.clients.clear()  # that connection still waits
        _print(settings, ask(settings, "send", asked))  # the same key: the same message, which is stored
        raise


def _recipients_and_text(words: tuple[str, ...]) -> tuple[list[str], str]:
    if not words or (len(words) == 1 and sys.stdin.isatty()):
        raise click.UsageError("name a recipient and the text")
    recipients, text = (list(words), "-") if len(words) == 1 else (list(words[:-1]), words[-1])
    for recipient in recipients:
        text_argument("a recipient", recipient, limits.NICKNAME_BYTES)
    return recipients, text_argument("the text", _stdin() if text == "-" else text, limits.TEXT_BYTES)


def _stdin() -> str:
    raw = sys.stdin.buffer.read(limits.TEXT_BYTES + 2).removesuffix(b"\n")
    if len(raw) > limits.TEXT_BYTES:
        raise click.UsageError(f"the text on stdin is longer than {limits.TEXT_BYTES} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise click.UsageError("the text on stdin is not UTF-8") from None


def _waiting(settings: Settings, sent: Row, state: str, end_s: float) -> Iterator[Row]:
    """How things stand, again and again until everybody has it, or can no longer get it, or the time is up."""
    while not all(_reached(to, state) or to["state"] == "failed" for to in _recipients(sent)):
        left_s = min(end_s - time.monotonic(), _WAIT_S)
        if left_s <= 0:
            return
        params = {"message": sent["message"], "state": state, "wait_ms": int(left_s * 1000)}
        sent = ask(settings, "message.wait", params, wait_s=left_s)
        yield sent


def _judge(sent: Row, state: str) -> None:
    """Raise what did not come to pass."""
    missing = [to for to in _recipients(sent) if not _reached(to, state)]
    if not missing:
        return
    message = str(sent["message"])
    hint = f"p2pchat message show {message}"
    why = "; ".join(sorted({str(to["reason"]) for to in missing if to.get("reason")}))
    behind = f": {why}" if why else ""
    if len(missing) < len(_recipients(sent)):
        raise Partial(f"{len(missing)} of {len(_recipients(sent))} recipients have not {state}{behind}", hint=hint)
    if all(to["state"] == "failed" for to in missing):
        raise Failed(f"the message failed{behind}", hint=hint)
    raise TimedOut(f"not {state} in time; the message stays queued{behind}", hint=hint)


def _print(settings: Settings, sent: Row) -> None:
    if settings.json:
        print_json(sent)
        return
    print_line(f"{sent['message']} {sent['state']}")
    recipients = _recipients(sent)
    if len(recipients) > 1 or any(to.get("reason") for to in recipients):
        from p2pchat.show import show, show_name

        for to in recipients:
            print_folded(f"  {show_name(None, str(to['id']))} {to['state']} {show(str(to.get('reason', '')))}".rstrip())


def _recipients(sent: Row) -> list[Row]:
    return cast(list[Row], sent["recipients"])


def _reached(to: Row, state: str) -> bool:
    return _RANK.get(str(to["state"]), -1) >= _RANK[state]
