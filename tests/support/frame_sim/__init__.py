"""Simulation world (i): the channel and delivery cores over a net of frames, without an event loop.

A heap of timed events and one seeded generator. Nodes crash, links die, clocks jump, stores go back to old copies; what
users were told and shown is judged from a history that the world keeps (``history``), not from what the cores believe.
"""
