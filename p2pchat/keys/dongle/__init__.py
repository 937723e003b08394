"""Dongles: things that one has, each giving 32 bytes that no copy of a disk holds. Reached by a short-lived helper."""
