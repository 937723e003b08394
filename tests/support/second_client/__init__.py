"""A second p2pchat client, written from docs/protocol.md alone.

Nothing here imports p2pchat, so that a mistake there or in the document shows. It does what its tests need: one
identity, both carriers, one contact, a few messages.
"""
