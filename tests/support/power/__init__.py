"""Power cuts and bad disks: what a machine's disk may hold after the power went, and disks that fail on demand.

A run is recorded once, operation by operation (``trace``), by a file layer under SQLite's cipher (``vfs``) and by one
under the small files (``plain``). Afterwards every moment of it can be asked what the disk would have held, had the
power gone just then. The method is that of ALICE (Pillai et al., OSDI 2014) and of the Linux kernel's dm-log-writes.
"""
