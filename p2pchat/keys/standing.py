"""How what somebody shows stands to the newest that is known of the same identity: key logs and device sets."""

from enum import Enum


class Standing(Enum):
    NEWER = "newer"
    SAME = "same"
    OLDER = "older"  # its owner was restored from an old copy, or a copy of the identity is in use
    FORKED = "forked"  # two successors of one: two machines signed, each without knowing of the other
