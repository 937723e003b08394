"""Judges of what p2pchat's traffic looks like from outside: captures of real daemons, and other people's programs."""
