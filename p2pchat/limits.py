"""Numbers that bound what others can cost us. Units are in the names; the source stands beside each."""

from typing import Final

# wire/codec: what one msgpack structure may hold, whatever its type (walls 4.4: H040, H041)
CODEC_DEPTH: Final = 8
CODEC_ELEMENTS: Final = 4096

# identity (protocol.md 2, 3)
RSA_BITS: Final = 8192
RSA_BYTES: Final = RSA_BITS // 8
RSA_EXPONENT: Final = 65537
DEVICES: Final = 8
KEY_LOG_ENTRIES: Final = 8
KEY_LOG_BYTES: Final = 28 * 1024
SUCCESSION_BYTES: Final = 8 * 1024  # it travels in a contact request
DEVICE_SET_BYTES: Final = 14 * 1024
DEVICE_SET_DAYS: Final = 90
EXPIRED_SET_GRACE_DAYS: Final = 7

# addresses and cards
ADDRESSES: Final = 8
ADDRESS_RECORD_BYTES: Final = 4096  # encoded and signed
HOST_BYTES: Final = 255
CARD_BYTES: Final = 64 * 1024
CARD_FILE_BYTES: Final = 256 * 1024  # the armoured card with the mail around it
CARD_DAYS: Final = 90
CARD_CODE_CHARS: Final = 4096  # of the QR code of a card, with 8 addresses of 255 bytes

# link (protocol.md 5, 6)
HANDSHAKE_1_BYTES: Final = 2 * 1024
HANDSHAKE_BYTES: Final = 48 * 1024
PREAUTH_BYTES: Final = 4 * 1024  # before message 1's psk tag is valid
PREAUTH_S: Final = 10.0
HTTP_HEAD_BYTES: Final = 16 * 1024  # of a request or an answer
HTTP_S: Final = 10.0  # for everything before the upgrade
DECOY_S: Final = 15.0  # how long a stranger's WebSocket session lasts
HALF_OPEN_LINKS: Final = 256
HALF_OPEN_PER_PREFIX: Final = 8
RECORD_PLAINTEXT_BYTES: Final = 16 * 1024
FRAME_BODY_BYTES: Final = 72 * 1024
REKEY_RECORDS: Final = 1000
REKEY_S: Final = 3600.0
HEARTBEAT_S: Final = (20.0, 40.0)

# boundary between vault and gate
BOUNDARY_FRAME_BYTES: Final = 80 * 1024
BOUNDARY_WINDOW_FRAMES: Final = 256  # docs/decisions.md, 32
BOUNDARY_WINDOW_BYTES: Final = 512 * 1024

# pair channel (protocol.md 9, 10)
EPOCH_MESSAGES: Final = 1000
EPOCH_S: Final = 24 * 3600.0
EPOCH_MESSAGES_HARD: Final = 100_000
RATCHET_JUMP: Final = 100_000
SEALED_REQUEST_BYTES: Final = 16 * 1024

# own files (keys/seal.py, keys/key_file.py)
KEY_FILE_BYTES: Final = 128 * 1024
PASSWORD_BYTES: Final = 1024
SHARES: Final = 16  # of one split key, as SLIP-39 bounds them
PICTURE_BYTES: Final = 16 * 1024 * 1024  # of a picture with QR codes in it (qr/read.py)
QR_CHARS: Final = 4296  # of a code in alphanumeric mode (ISO/IEC 18004, version 40-L); in byte mode there are fewer
BACKUP_BYTES: Final = 33 * 1024  # a sealed container with a key log in it (keys/backup/)

# messages (protocol.md 11, 12)
TEXT_BYTES: Final = 65_000
NICKNAME_CHARS: Final = 64
NICKNAME_BYTES: Final = 256
NOTE_BYTES: Final = 1024
AVATAR_BYTES: Final = 32 * 1024
IDEMPOTENCY_KEY_BYTES: Final = 256
EXPIRY_S: Final = (60, 366 * 24 * 3600)
DEDUPE_DAYS: Final = 90
WINDOW_MESSAGES: Final = (4, 512)  # in flight per contact, AIMD (docs/decisions.md, 32)

# live comparison of keys (contacts/compare.py): each is a guess of one in 16 million for whoever sits between
COMPARISONS_A_DAY: Final = 5  # a contact

# recv --exec (CLI)
EXEC_RETRIES: Final = 5  # of one event; then the reader goes on
EXEC_S: Final = 600.0  # a program that takes longer is ended, and has failed

# local socket (walls 4.1)
RPC_LINE_BYTES: Final = 1024 * 1024
RPC_CLIENTS: Final = 64
RPC_DEPTH: Final = 16
