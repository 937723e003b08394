"""The codec, every structure, link frames and the boundary."""

from dataclasses import fields
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

from p2pchat.channel.state import ChannelState
from p2pchat.limits import CODEC_DEPTH, CODEC_ELEMENTS
from p2pchat.wire import boundary, codec, own_files, structs
from p2pchat.wire.frames import Frame, FrameReader, FrameType
from p2pchat.wire.shape import Range, Size, Struct
from tests.fuzz.target import Target

READ_BYTES: Final = 64 * 1024  # what the link and the boundary take from their streams at a time
STRUCTS: Final[tuple[type[Struct], ...]] = (
    *sorted(
        (
            s
            for s in {**vars(structs), **vars(own_files)}.values()
            if isinstance(s, type) and issubclass(s, Struct) and s is not Struct
        ),
        key=lambda s: s.__name__,
    ),
    ChannelState,
)


def smallest(struct: type[Struct], *, largest: bool = False) -> Struct:
    """An instance whose every field is as short (or as long) as its annotation allows."""
    hints = get_type_hints(struct, include_extras=True)
    return struct(**{f.name: _value(hints[f.name], largest) for f in fields(cast(Any, struct))})


def _value(hint: Any, largest: bool) -> Any:
    marks: tuple[Any, ...] = ()
    while get_origin(hint) is not None and hasattr(hint, "__metadata__"):
        marks += hint.__metadata__
        hint = hint.__origin__
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    size = next((mark for mark in marks if isinstance(mark, Size)), Size(0, 3))
    length = size.most if largest else size.least
    span = next((mark for mark in marks if isinstance(mark, Range)), Range(0, 0))
    if get_origin(hint) is tuple:
        return (_value(get_args(hint)[0], largest),) * length
    if type(None) in get_args(hint):
        return _value(get_args(hint)[0], largest) if largest else None
    if isinstance(hint, type) and issubclass(hint, Struct):
        return smallest(hint, largest=largest)
    return {bytes: bytes(length), str: "a" * length, bool: largest, int: span.most if largest else span.least}[hint]


def read_codec(data: bytes) -> None:
    """Short input is read first and judged then, long input judged first: both judges must agree."""
    value = codec.unpack(data)
    assert codec.pack(value) == data
    codec._measure(data, CODEC_DEPTH, CODEC_ELEMENTS)


def read_structure(data: bytes) -> None:
    """The first byte chooses the structure."""
    struct = STRUCTS[data[0] % len(STRUCTS)] if data else STRUCTS[0]
    got = struct.decode(data[1:])
    assert struct.decode(got.encode()) == got


def read_frames(data: bytes) -> None:
    """The first byte says where the stream is cut; however it is cut, the frames are the same."""
    at = data[0] if data else 0
    rest = data[1:]
    cut, whole = FrameReader(), FrameReader()
    assert cut.feed(rest[:at]) + cut.feed(rest[at:]) == whole.feed(rest)


def read_boundary(data: bytes) -> None:
    for message in boundary.BoundaryReader().feed(data):
        assert isinstance(message, Struct)


def _structures() -> tuple[bytes, ...]:
    both = [(n, smallest(s, largest=big)) for n, s in enumerate(STRUCTS) for big in (False, True)]
    return tuple(bytes([n]) + example.encode() for n, example in both)


def _values() -> tuple[bytes, ...]:
    values: tuple[codec.Value, ...] = (
        None,
        [True, False, 0, -1, 127, -32, 128, 65536, 2**63, -(2**63)],
        ["text", b"bytes", "ä" * 40, bytes(300), "x" * 70000],
        [[[[[[[[]]]]]]]],
        [None] * 40,
    )
    return tuple(codec.pack(value) for value in values)


def _frames() -> tuple[bytes, ...]:
    frames = [Frame(kind, b"body").encode() for kind in FrameType] + [Frame(99, b"", critical=True).encode()]
    return (b"\x05" + b"".join(frames), *(b"\x00" + frame for frame in frames))


def _boundary() -> tuple[bytes, ...]:
    return tuple(boundary.encode(smallest(kind)) for kind in boundary.KINDS.values())


TARGETS: Final = (
    Target("codec", read_codec, _values),
    Target("structure", read_structure, _structures),
    Target("frames", read_frames, _frames, once=READ_BYTES),
    Target("boundary", read_boundary, _boundary, once=READ_BYTES),
)
