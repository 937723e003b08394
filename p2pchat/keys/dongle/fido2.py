"""A security key's hmac-secret (CTAP 2.1, 12.5): the key HMACs the challenge under a secret of its own.

The credential is discoverable, under one name for all, so that no copy of anything is needed to find it again. The
user's touch is asked for, never a PIN: keys give another secret where they were told one.
"""

from collections.abc import Iterable
from typing import Any, Final

from p2pchat.errors import DongleMissing, Failed, Locked, P2PChatError, WrongPassword
from p2pchat.keys.dongle.spec import CHALLENGE

_RP: Final = "p2pchat.invalid"  # RFC 2606: nobody's domain
_USER: Final = b"p2pchat"
_TOUCH_MS: Final = 30_000


def answer(devices: Iterable[Any]) -> bytes:
    """32 bytes of the one key that is plugged in, after a touch. Raises DongleMissing, Locked, Failed."""
    secret = _asked(_client(_only(devices), ""))
    if secret is None:
        raise DongleMissing(
            "this security key holds nothing of p2pchat", hint="make it one: p2pchat key passwd --new-dongle fido2"
        )
    return secret


def create(devices: Iterable[Any], pin: str) -> None:
    """Put the credential onto the key, unless it has one. Raises also WrongPassword (its PIN), Locked (wants it)."""
    device = _only(devices)
    client = _client(device, pin)
    if "hmac-secret" not in client.info.extensions:
        raise Failed("this security key cannot keep a secret (hmac-secret)", hint="use another one")
    if _asked(_client(device, "")) is not None:  # as it will be asked: a key that wants its PIN each time is refused
        return
    from fido2.client import ClientError
    from fido2.webauthn import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialCreationOptions,
        PublicKeyCredentialParameters,
        PublicKeyCredentialRpEntity,
        PublicKeyCredentialType,
        PublicKeyCredentialUserEntity,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = PublicKeyCredentialCreationOptions(
        rp=PublicKeyCredentialRpEntity(id=_RP, name="p2pchat"),
        user=PublicKeyCredentialUserEntity(id=_USER, name="p2pchat"),
        challenge=CHALLENGE,
        pub_key_cred_params=[
            PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=alg) for alg in (-7, -8)
        ],
        timeout=_TOUCH_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.DISCOURAGED,
        ),
        extensions={"hmacCreateSecret": True},
    )
    try:
        client.make_credential(options)
    except ClientError as error:
        raise _refused(error) from error


def system_devices() -> list[Any]:
    """The security keys at USB. Raises Failed where the library is missing."""
    _library()
    from fido2.hid import CtapHidDevice

    return list(CtapHidDevice.list_devices())


def _only(devices: Iterable[Any]) -> Any:
    _library()
    found = list(devices)
    if not found:
        raise DongleMissing("no security key is plugged in", hint="plug it in, and try again")
    if len(found) > 1:
        raise Failed(f"{len(found)} security keys are plugged in", hint="leave the right one")
    return found[0]


def _asked(client: Any) -> bytes | None:
    """None where the key has no credential of ours."""
    from fido2.client import ClientError
    from fido2.webauthn import PublicKeyCredentialRequestOptions, UserVerificationRequirement

    options = PublicKeyCredentialRequestOptions(
        challenge=CHALLENGE,
        timeout=_TOUCH_MS,
        rp_id=_RP,
        user_verification=UserVerificationRequirement.DISCOURAGED,
        extensions={"hmacGetSecret": {"salt1": CHALLENGE}},
    )
    try:
        chosen = client.get_assertion(options).get_response(0)
    except ClientError as error:
        if error.code == ClientError.ERR.DEVICE_INELIGIBLE:
            return None
        raise _refused(error) from error
    secret = chosen.client_extension_results.hmac_get_secret
    return None if secret is None else bytes(secret.output1)


def _client(device: Any, pin: str) -> Any:
    from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
    from fido2.ctap2.extensions import HmacSecretExtension

    class Interaction(UserInteraction):
        def request_pin(self, permissions: Any, rp_id: str | None) -> str | None:  # noqa: ARG002 - the library's names
            return pin or None

    return Fido2Client(
        device,
        client_data_collector=DefaultClientDataCollector(f"https://{_RP}"),
        user_interaction=Interaction(),
        extensions=[HmacSecretExtension(allow_hmac_secret=True)],  # type: ignore[no-untyped-call]
    )


def _refused(error: Any) -> P2PChatError:
    from fido2.client import ClientError, PinRequiredError
    from fido2.ctap import CtapError

    if isinstance(error, PinRequiredError):
        return Locked(
            "the security key wants its PIN", hint="give --pin-file FILE; a key that always does cannot be used"
        )
    code = getattr(error.cause, "code", None)
    if code in {CtapError.ERR.PIN_INVALID, CtapError.ERR.PIN_AUTH_INVALID}:
        return WrongPassword("the security key's PIN is wrong", hint="too many wrong ones lock the key")
    if error.code == ClientError.ERR.TIMEOUT:
        return DongleMissing("nobody touched the security key in time", hint="touch it when it blinks")
    return Failed(f"the security key refused: {error!r}", hint="try again, or use another one")


def _library() -> None:
    try:
        import fido2.client  # noqa: F401
    except ImportError as error:
        raise Failed("security keys take the extra 'fido2'", hint="pip install 'p2pchat[fido2]'") from error
