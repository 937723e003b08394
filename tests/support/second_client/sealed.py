"""Section 10: envelopes and control frames, under keys that are given."""

from tests.support.second_client.primitives import hkdf, md5, pad, sha256, unpad, xopen, xseal


def envelope_head(epoch: bytes, index: int, *, leg: bool = False) -> bytes:
    return b"\1" + epoch + index.to_bytes(4) + bytes([leg])


def seal_envelope(
    key: bytes, epoch: bytes, index: int, route: bytes, body: bytes, nonce: bytes, leg: bytes = b""
) -> bytes:
    """``route``: both IDs and devices, the sender's first. With a ``leg``, ``key`` is the mixed one."""
    header = envelope_head(epoch, index, leg=bool(leg))
    plaintext = pad(body, md5(body), 14 + 24 + len(leg) + 16 + 16)
    sealed = header + nonce + leg + xseal(key, nonce, plaintext, header + route + leg)
    return sealed + md5(sealed)


def leg_label(header: bytes, route: bytes, spki_hash: bytes) -> bytes:
    """``spki_hash``: of the recipient's root."""
    return b"p2pchat/1/rsa-message" + sha256(header, route, spki_hash)


def mixed(key: bytes, secret: bytes) -> bytes:
    """What seals an envelope with a leg that holds ``secret``."""
    return hkdf(secret, b"p2pchat/1/rsa-every", salt=key)


def envelope_header(frame: bytes) -> tuple[bytes, int]:
    """(epoch id, index) of an undamaged envelope."""
    assert md5(frame[:-16]) == frame[-16:] and frame[0] == 1 and frame[13] in (0, 1)
    return frame[1:9], int.from_bytes(frame[9:13])


def envelope_leg(frame: bytes) -> bytes:
    """Empty where it has none."""
    return frame[38 : 38 + 1024] if frame[13] else b""


def open_envelope(key: bytes, route: bytes, frame: bytes) -> bytes:
    """The body."""
    leg = envelope_leg(frame)
    body, check = unpad(xopen(key, frame[14:38], frame[38 + len(leg) : -16], frame[:14] + route + leg), 16)
    assert md5(body) == check
    return body


def seal_ctl(key: bytes, epoch: bytes, link_hash: bytes, content: bytes, nonce: bytes) -> bytes:
    return epoch + nonce + xseal(key, nonce, pad(content, b"", 8 + 24 + 16), link_hash)


def open_ctl(key: bytes, link_hash: bytes, frame: bytes) -> bytes:
    """An encoded Ctl."""
    return unpad(xopen(key, frame[8:32], frame[32:], link_hash), 0)[0]
