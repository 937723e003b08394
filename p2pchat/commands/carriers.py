"""The forms that a sealed copy of the key takes: a string, three codes, a file, a sheet of paper, shares."""

from collections.abc import Mapping, Sequence
from typing import Final

from p2pchat.commands.backup_write import Carrier, Copy, Look
from p2pchat.commands.sheet import sheet


def _file(copy: Copy, _look: Look) -> Sequence[bytes]:
    return (copy.container,)


def _string(copy: Copy, look: Look) -> Sequence[bytes]:
    return (_lines(copy, look).encode(),)


def _lines(copy: Copy, _look: Look) -> str:
    from p2pchat.keys.backup.text import to_lines

    head = f"# p2pchat backup {copy.set} of {copy.id}\n# p2pchat login --string FILE\n\n"
    return head + "".join(f"{line}\n" for line in to_lines(copy.container))


def _pictures(copy: Copy, look: Look) -> Sequence[bytes]:
    from p2pchat.qr.draw import png, svg

    return [(svg if look.svg else png)(payload, caption) for payload, caption in _codes(copy, look)]


def _terminal(copy: Copy, look: Look) -> str:
    from p2pchat.qr.draw import terminal

    drawn = [(terminal(payload, colours=look.colours), caption) for payload, caption in _codes(copy, look)]
    return "\n".join(f"{code}\n{caption}\n" for code, caption in drawn)


def _codes(copy: Copy, look: Look) -> list[tuple[str, str]]:
    """Payload and caption of each."""
    from p2pchat.keys.backup.parts import split

    any_two = "; any two of the three will do" if look.parity else ""
    payloads = split(copy.container, parity=look.parity)
    owner = f"p2pchat backup {copy.set} of {copy.id[:11]}"
    return [(payload, f"{owner}, part {part} of 3{any_two}") for part, payload in enumerate(payloads, 1)]


def _code_names(look: Look) -> tuple[str, ...]:
    return tuple(f"part-{part}.{'svg' if look.svg else 'png'}" for part in (1, 2, 3))


def split_in(need: int, of: int) -> Carrier:
    """Shares of a string: any ``need`` of the ``of`` texts open it."""

    def make(copy: Copy, _look: Look) -> Sequence[bytes]:
        from p2pchat.keys.backup.shares import split, write

        assert copy.split_key is not None
        heads = [
            f"# p2pchat backup {copy.set} of {copy.id}\n# share {n} of {of}; any {need} of them open it:"
            " p2pchat login --shares FILE...\n\n"
            for n in range(1, of + 1)
        ]
        shares = zip(heads, split(copy.split_key, need, of), strict=True)
        return [(head + write(copy.container, words)).encode() for head, words in shares]

    return Carrier(
        make=make,
        names=lambda _look: tuple(f"share-{number}.txt" for number in range(1, of + 1)),
        advice=f"give each to somebody else and keep none beside another: any {need} open it, without a password",
    )


CARRIERS: Final[Mapping[str, Carrier]] = {
    "string": Carrier(
        make=_string,
        show=_lines,
        advice="print it or copy it by hand, and keep it elsewhere; whoever finds it still needs {opens_with}",
    ),
    "qr": Carrier(
        make=_pictures,
        show=_terminal,
        names=_code_names,
        advice="print the three and keep them elsewhere; whoever finds them still needs {opens_with}",
    ),
    "file": Carrier(
        make=_file,
        with_log=(True,),
        advice="copy it to a stick or another machine: a copy on this disk is lost with this disk",
    ),
    "pdf": Carrier(
        make=lambda copy, look: (sheet(copy, look, _codes(copy, look)),),
        with_log=(False, True),
        advice="print it, keep it elsewhere, and prove the paper: photograph or scan it, then p2pchat key verify PHOTO",
    ),
}
