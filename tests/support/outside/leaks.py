"""What must not stand in the traffic: names, texts, marks, and anything that all links have in common."""

from base64 import b64encode
from collections.abc import Sequence

from tests.support.outside.capture import Capture

MARKS = (b"SCHT", b"p2pchat")


def needles(capture: Capture) -> dict[str, bytes]:
    """What to look for, by what it is."""
    found = {f"the mark {mark.decode()}": mark for mark in MARKS}
    for text, raw in capture.ids.items():
        binary = bytes.fromhex(raw)
        found |= {
            f"the ID {text}": text.encode(),
            f"the ID {text} in binary": binary,
            f"the ID {text} in hex": raw.encode(),
            f"the ID {text} in base64": b64encode(binary)[:40],
        }
    found |= {f"the nickname {name}": name.encode() for name in capture.nicknames}
    return found | {f"the text {text[:24]}": text[:24].encode() for text in capture.texts}


def found_in(haystack: bytes, sought: dict[str, bytes]) -> list[str]:
    """Which of ``sought`` stand in ``haystack``, whatever the case."""
    lower = haystack.lower()
    return [what for what, needle in sought.items() if needle in haystack or needle.lower() in lower]


def common(streams: Sequence[bytes], length: int) -> set[bytes]:
    """Strings of ``length`` bytes that every one of ``streams`` contains."""
    grams = [{stream[at : at + length] for at in range(len(stream) - length + 1)} for stream in streams]
    return set.intersection(*grams)
