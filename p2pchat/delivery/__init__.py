"""Numbered queues: what the outbox sends, what the inbox takes, in which order it is shown (protocol.md 12). No I/O.

``outgoing`` and ``incoming`` hold what is stored for each contact and direction, ``flow`` and ``receipts`` what lives
with a link, ``lifecycle`` the states of one message, ``clock`` the order, ``body`` what a message is made of.
"""
