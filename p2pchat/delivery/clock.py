"""Hybrid logical clock: ``milliseconds << 16 | counter``. Orders a conversation whatever the wall clocks do.

A node keeps the highest value it has given or seen in its store. The wall clock only ever pulls it forward, so a jump
back of any size costs counting, not order. Source: Kulkarni et al. 2014, "Logical Physical Clocks".
"""

from typing import Final

from p2pchat.ids import MessageId, UserId
from p2pchat.wire.structs import MessageBody

COUNTER_BITS: Final = 16
# A peer may claim any value. Beyond the year 4199 it no longer pulls ours along, which leaves 2^62 ticks till U64 ends.
CEILING: Final = 2**46 << COUNTER_BITS

OrderKey = tuple[int, int, bytes, bytes]


def tick(last: int, now_ms: int) -> int:
    """The value for a message of my own: above ``last`` always, at the wall clock where that is further."""
    return max(last + 1, min(now_ms << COUNTER_BITS, CEILING))


def observe(last: int, theirs: int) -> int:
    """What to keep after a message with the value ``theirs``: my answer must be shown after it."""
    return max(last, min(theirs, CEILING))


def order_key(body: MessageBody, sender: UserId) -> OrderKey:
    """Sort key within a conversation: hybrid clock, timestamp, sender, message id (protocol.md 11)."""
    return (body.clock, body.sent_ms, bytes(sender), bytes(MessageId(body.message)))
