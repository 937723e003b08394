"""A security key without the metal: CTAP 2.0 with hmac-secret, as far as the library's client asks for it.

Everything secret comes from its seed, so that it is the same key again in another process. A credential that takes
another's place has new secrets, and a verified user's secret is not the unverified one's: as real keys have it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import digest
from pathlib import Path
from threading import Event
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.ctap import CtapDevice, CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin, PinProtocol, PinProtocolV1, PinProtocolV2
from fido2.hid import CAPABILITY, CTAPHID
from fido2.webauthn import Aaguid, AttestedCredentialData, AuthenticatorData

PROTOCOLS: Final[dict[int, PinProtocolV1]] = {2: PinProtocolV2(), 1: PinProtocolV1()}  # the best first
_HMAC_SECRET: Final = "hmac-secret"
_ES256: Final = -7
_ECDH: Final = -25
_PIN_RETRIES: Final = 8
_ERR = CtapError.ERR
_FLAG = AuthenticatorData.FLAG
_Message = Mapping[int, Any]


@dataclass(frozen=True)
class Credential:
    number: int  # one that takes another's place has a higher one
    rp: str
    user: str  # hex
    hmac_secret: bool


class Authenticator(CtapDevice):
    def __init__(self, seed: bytes, *, pin: str | None = None, touched: bool = True, hmac_secret: bool = True) -> None:
        self.touched = touched
        self.credentials: list[Credential] = []
        self._seed, self._pin, self._hmac_secret = seed, pin, hmac_secret
        self._retries = _PIN_RETRIES
        self._agreement = self._private_key("agreement")
        self._path: Path | None = None

    @classmethod
    def load(cls, path: Path | str, *, pin: str | None = None) -> "Authenticator":
        """The one that ``path`` keeps, now and after every change. A new one, with this PIN, where there is none."""
        file = Path(path)
        new: Any = {"seed": os.urandom(32).hex(), "pin": pin, "credentials": []}
        kept = json.loads(file.read_text()) if file.exists() else new
        key = cls(bytes.fromhex(kept["seed"]), pin=kept["pin"])
        key.credentials = [Credential(**credential) for credential in kept["credentials"]]
        key._path = file
        key._save()
        return key

    @classmethod
    def list_devices(cls) -> Iterator[CtapDevice]:
        return iter(())

    @property
    def capabilities(self) -> int:
        return CAPABILITY.CBOR

    def call(self, cmd: int, data: bytes = b"", event: Event | None = None, on_keepalive: Any = None) -> bytes:
        command = {
            Ctap2.CMD.GET_INFO: self._info,
            Ctap2.CMD.CLIENT_PIN: self._client_pin,
            Ctap2.CMD.MAKE_CREDENTIAL: self._make_credential,
            Ctap2.CMD.GET_ASSERTION: self._get_assertion,
        }.get(Ctap2.CMD(data[0]))
        if cmd != CTAPHID.CBOR or command is None:
            return bytes([_ERR.INVALID_COMMAND])
        request: Any = cbor.decode(data[1:]) if data[1:] else {}
        try:
            return bytes([_ERR.SUCCESS]) + cbor.encode(command(request))
        except CtapError as error:
            return bytes([error.code])

    def _info(self, _request: _Message) -> _Message:
        extensions = [_HMAC_SECRET] if self._hmac_secret else []
        options = {"rk": True, "up": True, "clientPin": self._pin is not None}
        return {1: ["FIDO_2_0"], 2: extensions, 3: Aaguid.NONE, 4: options, 6: list(PROTOCOLS)}

    def _client_pin(self, request: _Message) -> _Message:
        match request[2]:
            case ClientPin.CMD.GET_PIN_RETRIES:
                return {ClientPin.RESULT.PIN_RETRIES: self._retries}
            case ClientPin.CMD.GET_KEY_AGREEMENT:
                return {ClientPin.RESULT.KEY_AGREEMENT: _public_key(self._agreement, _ECDH)}
            case ClientPin.CMD.GET_TOKEN_USING_PIN_LEGACY:
                protocol, shared = self._shared(request[1], request[3])
                self._check_pin(protocol.decrypt(shared, request[6]))
                return {ClientPin.RESULT.PIN_UV_TOKEN: protocol.encrypt(shared, self._derived("pin token"))}
        raise CtapError(_ERR.INVALID_SUBCOMMAND)

    def _check_pin(self, hashed: bytes) -> None:
        if self._pin is None:
            raise CtapError(_ERR.PIN_NOT_SET)
        if not self._retries:
            raise CtapError(_ERR.PIN_BLOCKED)
        right = hashed == sha256(self._pin.encode()).digest()[:16]
        self._retries = _PIN_RETRIES if right else self._retries - 1
        if not right:
            raise CtapError(_ERR.PIN_INVALID)

    def _make_credential(self, request: _Message) -> _Message:
        assert 5 not in request, "nobody here excludes credentials"
        client_data_hash, rp, user = request[1], request[2]["id"], request[3]["id"].hex()
        if _ES256 not in [parameters["alg"] for parameters in request[4]]:
            raise CtapError(_ERR.UNSUPPORTED_ALGORITHM)
        verified = self._verified(client_data_hash, request.get(8), request.get(9))
        if self._pin is not None and not verified:
            raise CtapError(_ERR.PUAT_REQUIRED)
        self._touch()
        with_secret = self._hmac_secret and request.get(6, {}).get(_HMAC_SECRET) is True
        number = 1 + max((known.number for known in self.credentials), default=0)
        credential = Credential(number, rp, user, with_secret)
        if request.get(7, {}).get("rk"):
            others = [known for known in self.credentials if (known.rp, known.user) != (rp, user)]
            self.credentials = [*others, credential]
            self._save()
        private = self._private_key("sign", credential)
        public = CoseKey(_public_key(private, _ES256))
        attested = AttestedCredentialData.create(Aaguid.NONE, self._derived("id", credential), public)
        data = _auth_data(rp, verified, {_HMAC_SECRET: True} if with_secret else None, attested)
        return {1: "packed", 2: data, 3: {"alg": _ES256, "sig": _signature(private, data + client_data_hash)}}

    def _get_assertion(self, request: _Message) -> _Message:
        assert 3 not in request, "nobody here has a list of credentials"
        rp, client_data_hash, asked = request[1], request[2], request.get(4, {}).get(_HMAC_SECRET)
        verified = self._verified(client_data_hash, request.get(6), request.get(7))
        found = [known for known in self.credentials if known.rp == rp]
        if not found:
            raise CtapError(_ERR.NO_CREDENTIALS)
        self._touch()
        credential = found[-1]
        told = None
        if asked is not None and credential.hmac_secret:
            secret = self._derived("with uv" if verified else "without uv", credential)
            told = {_HMAC_SECRET: self._hmac_of_salts(secret, asked)}
        data = _auth_data(rp, verified, told)
        signature = _signature(self._private_key("sign", credential), data + client_data_hash)
        described = {"type": "public-key", "id": self._derived("id", credential)}
        return {1: described, 2: data, 3: signature, 4: {"id": bytes.fromhex(credential.user)}}

    def _hmac_of_salts(self, secret: bytes, asked: _Message) -> bytes:
        protocol, shared = self._shared(asked.get(4, 1), asked[1])
        if asked[3] != protocol.authenticate(shared, asked[2]):
            raise CtapError(_ERR.PIN_AUTH_INVALID)
        salts = protocol.decrypt(shared, asked[2])
        each = [digest(secret, salts[at : at + 32], "sha256") for at in range(0, len(salts), 32)]
        return protocol.encrypt(shared, b"".join(each))

    def _verified(self, client_data_hash: bytes, proof: bytes | None, version: int | None) -> bool:
        """Whether the right PIN stands behind a request."""
        if proof is None or version is None:
            return False
        protocol: PinProtocol = PROTOCOLS[version]
        if proof != protocol.authenticate(self._derived("pin token"), client_data_hash):
            raise CtapError(_ERR.PIN_AUTH_INVALID)
        return True

    def _touch(self) -> None:
        if not self.touched:
            raise CtapError(_ERR.USER_ACTION_TIMEOUT)

    def _shared(self, version: int, peer: _Message) -> tuple[PinProtocol, bytes]:
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(peer[-2]), int.from_bytes(peer[-3]), ec.SECP256R1())
        protocol = PROTOCOLS[version]
        return protocol, protocol.kdf(self._agreement.exchange(ec.ECDH(), point.public_key()))

    def _derived(self, purpose: str, credential: Credential | None = None) -> bytes:
        return digest(self._seed, f"{purpose} {credential}".encode(), "sha256")

    def _private_key(self, purpose: str, credential: Credential | None = None) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self._derived(purpose, credential)[1:]), ec.SECP256R1())

    def _save(self) -> None:
        if self._path is not None:
            held = [asdict(credential) for credential in self.credentials]
            self._path.write_text(json.dumps({"seed": self._seed.hex(), "pin": self._pin, "credentials": held}))


def _public_key(private: ec.EllipticCurvePrivateKey, algorithm: int) -> _Message:
    """As COSE has it."""
    point = private.public_key().public_numbers()
    return {1: 2, 3: algorithm, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}


def _signature(private: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return private.sign(message, ec.ECDSA(SHA256()))


def _auth_data(rp: str, verified: bool, told: Mapping[str, Any] | None, attested: bytes = b"") -> bytes:
    flags = _FLAG.UP | _FLAG.UV * verified | _FLAG.AT * bool(attested) | _FLAG.ED * (told is not None)
    return bytes(AuthenticatorData.create(sha256(rp.encode()).digest(), _FLAG(flags), 0, attested, told))
