"""A key file on a stick."""

import stat
from pathlib import Path

import pytest

from p2pchat.errors import Corrupt, DiskFull, DongleMissing, Exists, Failed
from p2pchat.keys.dongle import key_file

FRESH = bytes(range(64))


def test_one_file_gives_one_answer_and_another_file_another(tmp_path: Path) -> None:
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    for path, fresh in ((one, FRESH), (other, FRESH[::-1])):
        key_file.create(path, fresh)
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert key_file.answer(one) == key_file.answer(one) != key_file.answer(other)
    assert len(key_file.answer(one)) == 32
    (tmp_path / "copy").write_bytes(Path(one).read_bytes())
    assert key_file.answer(str(tmp_path / "copy")) == key_file.answer(one)


def test_the_answer_is_frozen(tmp_path: Path) -> None:
    """Files that people have must open what they sealed."""
    body = b"P2PD\x01" + bytes(range(64))
    (tmp_path / "key").write_bytes(body + bytes.fromhex("3e715390fac34da3"))
    assert key_file.answer(str(tmp_path / "key")).hex() == (
        "3c135e0c02d46c3002f3e2e20320d8cf3a7f2b3fadb200ba894690e21c4a19f9"
    )


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("key", "link"):
        with pytest.raises((Exists, Failed)):
            key_file.create(str(tmp_path / name), FRESH)
    assert path.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_no_place_to_write_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot write"):
        key_file.create(str(tmp_path / "no" / "key"), FRESH)
    if Path("/dev/full").exists():
        with pytest.raises((DiskFull, Exists)):
            key_file.create("/dev/full", FRESH)


def test_what_is_missing_or_damaged_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for name in ("nothing", ""):
        with pytest.raises(DongleMissing, match="not there"):
            key_file.answer(str(tmp_path / name))
    key_file.create(str(path), FRESH)
    whole = path.read_bytes()
    for wrong in (b"", whole[:-1], whole + b"x", whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], b"P2PU" + whole[4:]):
        path.write_bytes(wrong)
        with pytest.raises(Corrupt, match="no key file"):
            key_file.answer(str(path))
