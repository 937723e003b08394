"""The words of the sheet that ``key export pdf`` prints: they are for whoever finds it, perhaps in thirty years."""

import time
from collections.abc import Sequence
from typing import Final

from p2pchat.commands.backup_write import Copy, Look

_WORDS: Final = """
**What this is.** A sealed copy of somebody's key. The key is an address and a signature at once: it belongs to the ID
above, under which its owner sends and receives messages with the program p2pchat. There are no messages on this sheet.

**If you have found it,** please give it back to its owner, or to the family. It opens with {opens_with} and is worth
nothing to anybody else. Do not put a picture of it on the internet.

**To use it** you need {opens_with}, a computer with Linux or macOS, and p2pchat. Install p2pchat, and photograph
{codes} from near, in even light, one at a time. Then type:

p2pchat login --qr photo-1.jpg photo-2.jpg photo-3.jpg
"""
_BESIDE: Final = """
**No camera, or no luck?** The lines on the next page hold the same. Type them in, one after the other:

p2pchat login --string -

Each line is judged at once, and a few that nobody can read any more may be left out.

**Before you need it:** prove this paper, not the file that it was printed from:

p2pchat key verify photo-1.jpg photo-2.jpg photo-3.jpg

**Keep it** dry and dark, in another house than the computer, and not beside what opens it.
"""
_LINES: Final = """
**The same in letters and digits.** Upper or lower case, blanks, and the numbers in front do not matter; O is read as 0,
I and L as 1. What stands behind the last dash checks the line.
"""


def sheet(copy: Copy, look: Look, codes: Sequence[tuple[str, str]]) -> bytes:
    """The PDF, with the fuller copy as a file inside. No secret is on it but the sealed container.

    ``codes``: payload and caption of each. Raises Failed where the library is missing.
    """
    from p2pchat.keys.backup.text import to_lines
    from p2pchat.qr import paper

    which = "two of the three codes, whichever," if look.parity else "the three codes"
    page = paper.Sheet(
        title="Backup of a p2pchat key",
        facts=(("ID", copy.id), ("Made on", time.strftime("%Y-%m-%d", time.gmtime())), ("Set", copy.set)),
        words=_paragraphs(_WORDS.format(opens_with=copy.opens_with, codes=which)),
        codes=[(payload, f"part {part} of 3 of set {copy.set}") for part, (payload, _) in enumerate(codes, 1)],
        beside=_paragraphs(_BESIDE),
        lines_title=" ".join(_LINES.split()),
        lines=to_lines(copy.container),
        foot=f"p2pchat backup {copy.set} of {copy.id[:11]}",
    )
    return paper.draw(page, look.paper, (f"p2pchat-{copy.set}.p2pkey", copy.fuller))


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]
