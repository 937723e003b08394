"""The pair channel: sealed messages between two vaults (protocol.md 9 to 13). No I/O.

``agreement.Agreement`` is the channel as one link sees it: it agrees epochs, seals and opens. What survives the link is
``state.ChannelState``. Every change is a new value, so that a vault commits it first and lets its frames leave after.
"""
