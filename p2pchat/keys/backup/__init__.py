"""Backups of an identity: one sealed container, and the forms in which it leaves the machine."""
