"""A smart card: a secret key that never leaves it signs the challenge (PKCS #11 v2.40: CKM_SHA256_HMAC)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from p2pchat.errors import DongleMissing, Failed, Locked, WrongPassword
from p2pchat.keys.dongle.spec import CHALLENGE

_LABEL: Final = "p2pchat"
_KEY_BITS: Final = 256


def answer(module: str, label: str, pin: str) -> bytes:
    """32 bytes. Raises DongleMissing (no such card, no key on it), WrongPassword (its PIN), Locked, Failed."""
    library = _library()
    with _session(library, module, label, pin, write=False) as session:
        try:
            key = session.get_key(object_class=library.ObjectClass.SECRET_KEY, label=_LABEL)
        except library.exceptions.NoSuchKey as error:
            hint = "make one: p2pchat key passwd --new-dongle SPEC"
            raise DongleMissing(f"the card {label} holds no key of p2pchat", hint=hint) from error
        return bytes(key.sign(CHALLENGE, mechanism=library.Mechanism.SHA256_HMAC))


def create(module: str, label: str, pin: str) -> None:
    """Make the key on the card, unless it has one. Raises as ``answer``."""
    library = _library()
    with _session(library, module, label, pin, write=True) as session:
        if list(session.get_objects({library.Attribute.LABEL: _LABEL})):
            return
        session.generate_key(
            library.KeyType.GENERIC_SECRET,
            _KEY_BITS,
            label=_LABEL,
            store=True,
            capabilities=library.MechanismFlag.SIGN | library.MechanismFlag.VERIFY,
            template={library.Attribute.EXTRACTABLE: False, library.Attribute.SENSITIVE: True},
        )


@contextmanager
def _session(library: Any, module: str, label: str, pin: str, *, write: bool) -> Iterator[Any]:
    if not pin:
        raise Locked(f"the card {label} wants its PIN", hint="give --pin-file FILE")
    wrong = library.exceptions
    try:
        token = library.lib(module).get_token(token_label=label)
        with token.open(user_pin=pin, rw=write) as session:
            yield session
    except wrong.NoSuchToken as error:
        raise DongleMissing(f"there is no card {label}", hint="is it plugged in?") from error
    except (wrong.PinIncorrect, wrong.PinInvalid, wrong.PinLenRange) as error:
        raise WrongPassword("the card's PIN is wrong", hint="too many wrong ones lock the card") from error
    except wrong.PinLocked as error:
        raise Locked("the card's PIN is locked", hint="unlock it with the card's own tool") from error
    except (wrong.PKCS11Error, RuntimeError) as error:
        said = str(error) or type(error).__name__
        raise Failed(f"the card's module {module} failed: {said}", hint="is it the right module?") from error


def _library() -> Any:
    try:
        import pkcs11
        import pkcs11.exceptions
    except ImportError as error:
        raise Failed("smart cards take the extra 'pkcs11'", hint="pip install 'p2pchat[pkcs11]'") from error
    return pkcs11
