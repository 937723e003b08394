"""Every error that a user, a script or a peer can meet: one root, one closed set of codes.

``code`` is stable: it crosses the control socket and picks the exit status. ``number`` is the wire
number of the code, where it has one. The message says what happened, the hint names the next command.
"""

from typing import Any, ClassVar


class P2PChatError(Exception):
    """Root of all expected errors. Anything else that escapes is a bug (exit status 70)."""

    code: ClassVar[str] = "BUG"
    number: ClassVar[int | None] = None
    exit_status: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details  # further JSON fields of the error object, e.g. ``question``

    def as_json(self) -> dict[str, Any]:
        """The error object of the command line and of the control socket."""
        shape: dict[str, Any] = {"code": self.code}
        if self.number is not None:
            shape["number"] = self.number
        return {**shape, "message": self.message, "hint": self.hint, **self.details}


class Failed(P2PChatError):
    code = "FAILED"
    exit_status = 1


class AlreadyRunning(Failed):
    code = "ALREADY_RUNNING"


class Exists(Failed):
    code = "EXISTS"


class DiskFull(Failed):
    code = "DISK_FULL"


class BadFormat(Failed):
    """Bytes that do not have the shape they claim: wire, control socket or configuration."""

    code = "BAD_FORMAT"
    number = 1000


class CryptoError(Failed):
    code = "CRYPTO"
    number = 1003


class ConnectionLost(Failed):
    code = "CONNECTION_LOST"
    number = 2001


class Unreachable(Failed):
    code = "UNREACHABLE"
    number = 2002


class Usage(P2PChatError):
    code = "USAGE"
    exit_status = 2


class NoDaemon(P2PChatError):
    code = "NO_DAEMON"
    exit_status = 3


class Locked(P2PChatError):
    code = "LOCKED"
    exit_status = 4


class WrongPassword(Locked):
    code = "WRONG_PASSWORD"


class DongleMissing(Locked):
    code = "DONGLE_MISSING"


class NotFound(P2PChatError):
    code = "NOT_FOUND"
    number = 1005
    exit_status = 5


class Ambiguous(P2PChatError):
    code = "AMBIGUOUS"
    exit_status = 5


class Untrusted(P2PChatError):
    code = "UNTRUSTED"
    exit_status = 6


class AuthFailed(Untrusted):
    code = "AUTH_FAILED"
    number = 1001


class BadSignature(Untrusted):
    code = "BAD_SIGNATURE"
    number = 1002


class Corrupt(Untrusted):
    """A file given as card or backup, or an own file, that is damaged."""

    code = "CORRUPT"


class AnswerNeeded(Untrusted):
    code = "ANSWER_NEEDED"


class TimedOut(P2PChatError):
    code = "TIMEOUT"
    number = 2000
    exit_status = 7


class Partial(P2PChatError):
    code = "PARTIAL"
    exit_status = 8


class RateLimited(P2PChatError):
    code = "RATE_LIMITED"
    number = 1004
    exit_status = 9


class Forbidden(P2PChatError):
    code = "FORBIDDEN"
    number = 1006
    exit_status = 10


class Bug(P2PChatError):
    """Raised only on the client's side, when the daemon reports a traceback in its log."""


def every_error() -> list[type[P2PChatError]]:
    """The closed set, whatever is loaded: a layer's own kind of one of these crosses the socket under its code."""
    return [cls for cls in _all_subclasses(P2PChatError) if cls.__module__ == __name__]


def _all_subclasses(root: type[P2PChatError]) -> list[type[P2PChatError]]:
    return [cls for child in root.__subclasses__() for cls in (child, *_all_subclasses(child))]


def from_json(shape: dict[str, Any]) -> P2PChatError:
    """Rebuild the error that ``as_json`` described; an unknown code becomes ``FAILED``."""
    by_code = {cls.code: cls for cls in every_error()}
    details = {k: v for k, v in shape.items() if k not in {"code", "number", "message", "hint"}}
    cls = by_code.get(str(shape.get("code")), Failed)
    return cls(str(shape.get("message", "")), hint=str(shape.get("hint", "")), **details)
