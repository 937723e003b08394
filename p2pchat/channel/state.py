"""API draft."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """What is stored per (own device, peer device). ChannelState() = nothing agreed yet."""

    def encode(self) -> bytes:
        raise NotImplementedError

    @classmethod
    def decode(cls, raw: bytes) -> "ChannelState":
        raise NotImplementedError

    @property
    def status(self) -> str:  # ok | healing | error
        raise NotImplementedError
