"""What strangers see of a node: one dull page, and a service that asks them to sign in. Pure.

Both are drawn from a secret of the installation, so that no two installations share a text or a hash that a scan of
the net could look for. The page claims to be nothing that it is not: no program's name, no version.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

_OWNERS: Final = ("home", "garage", "workshop", "office", "attic", "studio", "cellar", "kitchen", "garden", "lab")
_THINGS: Final = ("notes", "photos", "recipes", "maps", "music", "records", "sketches", "letters", "plans", "books")
_MOODS: Final = ("a small", "a quiet", "a private", "a spare", "an old", "a plain", "a shared", "a slow")
_MACHINES: Final = ("box", "machine", "host", "shelf", "corner", "server", "place", "board")
_STATES: Final = ("is empty", "comes later", "is being sorted", "has moved", "is kept for friends", "rests for now")
_WORDS: Final = ("sign in first", "login required", "please log in", "not signed in", "session required", "no session")
_KEYS: Final = (("type", "text"), ("event", "detail"), ("status", "message"), ("kind", "reason"), ("op", "note"))
_PAGES: Final = (
    "<h1>{title}</h1>\n<p>This is {mood} {machine} for {things}.</p>\n",
    "<h1>{title}</h1>\n<p>Nothing to see here yet. The part about {things} {state}.</p>\n",
    "<h2>{title}</h2>\n<p>{mood_up} {machine}, mostly {things}. Everything else {state}.</p>\n<hr>\n",
    "<p><b>{title}</b></p>\n<ul>\n<li>{things}: {state}</li>\n<li>{others}: {state_too}</li>\n</ul>\n",
    "<h1>{title}</h1>\n<p>{things_up} and {others} live on this {machine}. It {state}.</p>\n",
)


@dataclass(frozen=True, slots=True)
class Decoy:
    page: bytes  # HTML, for GET /
    refusal: str  # the answer to a stranger's first WebSocket message, always the same


class _Draw:
    """Choices from a secret, the same each time."""

    def __init__(self, secret: bytes) -> None:
        self._stream = hashlib.shake_256(secret).digest(256)
        self._at = 0

    def of(self, choices: tuple[str, ...]) -> str:
        return choices[self.number() % len(choices)]

    def number(self) -> int:
        self._at += 2
        return int.from_bytes(self._stream[self._at - 2 : self._at])


def draw(secret: bytes) -> Decoy:
    """The decoy of the installation that ``secret`` (32 bytes) belongs to."""
    from_secret = _Draw(secret)
    title = f"{from_secret.of(_OWNERS)} {from_secret.of(_MACHINES)} {from_secret.number() % 900 + 100}"
    mood, things, state = from_secret.of(_MOODS), from_secret.of(_THINGS), from_secret.of(_STATES)
    body = _PAGES[from_secret.number() % len(_PAGES)].format(
        title=title,
        mood=mood,
        mood_up=mood.capitalize(),
        machine=from_secret.of(_MACHINES),
        things=things,
        things_up=things.capitalize(),
        others=from_secret.of(_but(_THINGS, things)),
        state=state,
        state_too=from_secret.of(_but(_STATES, state)),
    )
    kind, text = _KEYS[from_secret.number() % len(_KEYS)]
    return Decoy(html(title, body), f'{{"{kind}":"error","{text}":"{from_secret.of(_WORDS)}"}}')


def _but(choices: tuple[str, ...], taken: str) -> tuple[str, ...]:
    return tuple(choice for choice in choices if choice != taken)


def html(title: str, body: str) -> bytes:
    """A whole page around ``body``."""
    head = f'<head>\n<meta charset="utf-8">\n<title>{title}</title>\n</head>'
    return f"<!DOCTYPE html>\n<html>\n{head}\n<body>\n{body}</body>\n</html>\n".encode()
