"""REKEY: hi asks for an epoch, which only lo offers; and either says that its channel has stopped (damage.py)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from p2pchat.channel import healing
from p2pchat.channel.phases import Ask, Phase
from p2pchat.channel.step import Moment, Step
from p2pchat.errors import BadFormat
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Rekey

if TYPE_CHECKING:  # the two name each other
    from p2pchat.channel.agreement import Agreement


def ask(agreement: Agreement, why: Ask) -> Step:
    """hi: say it."""
    rekey = Rekey(reason=why).encode()
    return Step(agreement=replace(agreement, asked=True), frames=((FrameType.REKEY, rekey),))


def asked(agreement: Agreement, body: bytes, at: Moment) -> Step:
    """lo, nothing under way."""
    reason, current = Rekey.decode(body).reason, agreement.state.current
    if reason == Ask.STOPPED:
        return healing.stopped(agreement, at)
    if reason in {Ask.LOST, Ask.DAMAGED}:
        return agreement._reset(Ask(reason), at)
    if reason in {Ask.MESSAGES, Ask.TIME} and not (current and current.due(at.now_ms)):
        return Step(agreement=agreement)  # asked of an epoch that has gone meanwhile
    return agreement._next(Ask.WISH, at)


def meanwhile(agreement: Agreement, body: bytes, at: Moment) -> Step:
    """lo, an epoch is on its way already. If hi lost the current one, that epoch must end with a Resume."""
    reason = Rekey.decode(body).reason
    if reason == Ask.STOPPED:
        return healing.stopped(agreement, at)
    return agreement._unready() if reason in {Ask.LOST, Ask.DAMAGED} else Step(agreement=agreement)


def while_paused(agreement: Agreement, body: bytes, at: Moment) -> Step:
    """lo, in ``error``: hi tries again, because its wait was over first or its user wishes so."""
    if Rekey.decode(body).reason != Ask.LOST:
        return Step(agreement=agreement)
    step = healing.awake(agreement, agreement.state.health.woken())._reset(Ask.LOST, at)
    return replace(step, store=step.agreement.state)


def told(agreement: Agreement, body: bytes, at: Moment) -> Step:
    """hi: lo is over its limit."""
    if Rekey.decode(body).reason != Ask.STOPPED:
        raise BadFormat("only hi asks for an epoch")
    return Step(agreement=agreement) if agreement.phase is Phase.PAUSED else healing.stopped(agreement, at)
