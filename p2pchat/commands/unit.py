"""``daemon unit``: the systemd user unit that runs this very p2pchat for this home (systemd.exec(5)).

A user's own service manager may not give up what it never had: of the sandbox it applies what needs no privilege, which
is the system call filter and what is built on it. The daemon itself refuses core dumps and debuggers (hardening.py).
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from p2pchat.errors import Usage
from p2pchat.home import Home

FILE: Final = "~/.config/systemd/user/p2pchat.service"
CREDENTIAL: Final = "p2pchat.password"
_START_S: Final = 300  # a slow machine's Argon2id, then a large store's recovery

_UNIT: Final = """\
# Made by `p2pchat daemon unit`. Install it with:
#   p2pchat daemon unit ... > {file}
#   systemctl --user daemon-reload && systemctl --user enable --now p2pchat
#   loginctl enable-linger    (to have it run while you are not logged in)
[Unit]
Description=p2pchat daemon
Documentation=man:p2pchat(1)
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
{environment}
{credential}ExecStart={command}
TimeoutStartSec={start_s}
TimeoutStopSec=15
Restart=on-failure
RestartSec=5
# Words that are off, a wrong password, no identity, damaged keys: trying again mends none of them.
RestartPreventExitStatus=2 4 5 6
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


def unit(home: Home, *, password_file: str | None, credential: str | None, listen: str | None) -> str:
    """The whole file. ``credential`` names one made by ``systemd-creds encrypt``. Raises Usage for what cannot be."""
    if (password_file is None) == (credential is None):
        hint = "p2pchat daemon unit --password-file FILE"
        raise Usage("nobody can type at a service: name either --password-file or --credential", hint=hint)
    words = [*_program(), "daemon", "run", "--no-input", "--password-file"]
    # %d, the folder of a unit's credentials, must not be quoted as a percent sign.
    words += [_absolute(password_file)] if password_file is not None else []
    command = " ".join([*map(_quoted, words), *([f"%d/{CREDENTIAL}"] if credential is not None else [])])
    if listen is not None:
        command += f" --listen {_quoted(listen)}"
    return _UNIT.format(
        file=FILE,
        environment="\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in home.environ({}).items()),
        credential=f"LoadCredentialEncrypted={CREDENTIAL}:{_plain(_absolute(credential))}\n" if credential else "",
        command=command,
        start_s=_START_S,
    )


def _program() -> list[str]:
    """How this very program is started, by absolute paths."""
    called = Path(sys.argv[0])
    found = shutil.which("p2pchat") if called.name == "p2pchat" and os.sep not in sys.argv[0] else None
    if found is None and called.name == "p2pchat" and os.access(called, os.X_OK):
        found = str(called)
    return [os.path.abspath(found)] if found else [sys.executable, "-P", "-m", "p2pchat"]  # noqa: PTH100 - keep links


def _absolute(path: str) -> str:
    """Raises Usage for stdin: a service has none."""
    if path == "-":
        raise Usage("a service has no stdin to read a password from", hint="p2pchat daemon unit --password-file FILE")
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - as the user named it, links and all


def _quoted(word: str) -> str:
    """A word of a unit file (systemd.syntax(7), "Quoting"), specifiers and variables left as they are typed."""
    escaped = _plain(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"' if set(escaped) & set(" \t'\"\\;") else escaped


def _plain(word: str) -> str:
    """Raises Usage for what no line of a unit file can hold."""
    if not word.isprintable():
        raise Usage(f"{word!r} cannot stand in a unit file", hint="choose another path")
    return word.replace("%", "%%")
