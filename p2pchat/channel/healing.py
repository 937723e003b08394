"""The damage rule at work on an agreement: what ``damage`` decides, ``agreement`` begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from p2pchat.channel.damage import Fault, Health, Remedy
from p2pchat.channel.phases import Ask, Phase
from p2pchat.channel.step import Became, Moment, Step
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Rekey

if TYPE_CHECKING:  # the two name each other
    from p2pchat.channel.agreement import Agreement

STOPPED: Final = (FrameType.REKEY, Rekey(reason=Ask.STOPPED).encode())


def envelope_refused(agreement: Agreement, fault: Fault, at: Moment) -> Step:
    """An envelope or control frame gave nothing."""
    remedy, health = agreement.state.health.fault(fault, at.now_ms, at.awaited)
    return _remedy(agreement, remedy, health, Ask.DAMAGED, at)


def wrong_mac(agreement: Agreement, at: Moment) -> Step:
    """An exchange ended in a wrong MAC."""
    remedy, health = agreement.state.health.wrong_mac(at.now_ms)
    return _remedy(replace(agreement, phase=Phase.IDLE), remedy, health, Ask.LOST, at)


def stopped(agreement: Agreement, at: Moment) -> Step:
    """The peer is over its limit: what I send does not come through, and my user must read so, too."""
    step = _stop(with_health(agreement, agreement.state.health.failed(at.now_ms)))
    return replace(step, store=step.agreement.state)


def awake(agreement: Agreement, health: Health) -> Agreement:
    """``error`` is over, ``health`` says how far."""
    phase = Phase.IDLE if agreement.phase is Phase.PAUSED else agreement.phase
    return replace(with_health(agreement, health), phase=phase)


def with_health(agreement: Agreement, health: Health) -> Agreement:
    return replace(agreement, state=replace(agreement.state, health=health))


def _remedy(agreement: Agreement, remedy: Remedy, health: Health, why: Ask, at: Moment) -> Step:
    ill = with_health(agreement, health)
    if remedy is Remedy.RESEND:
        step = Step(agreement=ill, became=frozenset({Became.RESEND}))
    elif remedy is Remedy.RESET:
        step = ill._reset(why, at)
    else:
        step = replace(_stop(ill), frames=(STOPPED,))
    return replace(step, store=step.agreement.state)


def _stop(ill: Agreement) -> Step:
    """Nothing is opened or sent until the next try."""
    step = replace(ill, phase=Phase.PAUSED, offering=None, opening=None, asked=False)._unready()
    return replace(step, became=step.became | {Became.ERROR})
