"""Section 10: envelopes and control frames, under keys that are given."""

from tests.support.second_client.primitives import md5, pad, unpad, xopen, xseal


def seal_envelope(key: bytes, epoch: bytes, index: int, route: bytes, body: bytes, nonce: bytes) -> bytes:
    """``route``: both IDs and devices, the sender's first."""
    header = b"\1" + epoch + index.to_bytes(4) + b"\0"
    plaintext = pad(body, md5(body), 14 + 24 + 16 + 16)
    sealed = header + nonce + xseal(key, nonce, plaintext, header + route)
    return sealed + md5(sealed)


def envelope_header(frame: bytes) -> tuple[bytes, int]:
    """(epoch id, index) of an undamaged envelope."""
    assert md5(frame[:-16]) == frame[-16:] and frame[0] == 1 and frame[13] == 0
    return frame[1:9], int.from_bytes(frame[9:13])


def open_envelope(key: bytes, route: bytes, frame: bytes) -> bytes:
    """The body."""
    body, check = unpad(xopen(key, frame[14:38], frame[38:-16], frame[:14] + route), 16)
    assert md5(body) == check
    return body


def seal_ctl(key: bytes, epoch: bytes, link_hash: bytes, content: bytes, nonce: bytes) -> bytes:
    return epoch + nonce + xseal(key, nonce, pad(content, b"", 8 + 24 + 16), link_hash)


def open_ctl(key: bytes, link_hash: bytes, frame: bytes) -> bytes:
    """An encoded Ctl."""
    return unpad(xopen(key, frame[8:32], frame[32:], link_hash), 0)[0]
