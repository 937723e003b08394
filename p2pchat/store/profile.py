"""What I tell my contacts about myself."""

from dataclasses import dataclass

from p2pchat.store.tx import Reader, Tx


@dataclass(frozen=True, slots=True)
class Profile:
    nickname: str
    avatar: bytes  # an image file's bytes; empty: none
    updated_ms: int


def get(reader: Reader) -> Profile:
    """Empty before the first ``put``."""
    row = reader.one("SELECT nickname, avatar, updated_ms FROM profile")
    return Profile(*row) if row else Profile("", b"", 0)


def put(tx: Tx, profile: Profile) -> None:
    tx.execute(
        "INSERT INTO profile VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET nickname = excluded.nickname, avatar = excluded.avatar, updated_ms = excluded.updated_ms",
        profile.nickname,
        profile.avatar,
        profile.updated_ms,
    )
