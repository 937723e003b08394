"""``daemon run|start|stop|status``."""

import sys

import click

from p2pchat.commands import candidates
from p2pchat.commands import unit as service
from p2pchat.commands.ask import ask
from p2pchat.commands.factors import Given, opening, present
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.layout import print_fields
from p2pchat.commands.unit import FILE

_listen = click.option("--listen", metavar="HOST:PORT", help="Listen here instead of where the setting `listen` says.")
_password = click.option(
    "--password-file",
    metavar="FILE",
    help="The password is its first line (-: stdin).",
    shell_complete=candidates.files,
)
_new_store = click.option(
    "--new-store", is_flag=True, help="Begin an empty store where it was lost: no contacts, no messages."
)

daemon = Noun(
    "daemon",
    help="The background process that holds the keys, the messages and the links.",
    examples=("p2pchat daemon start", "p2pchat daemon status"),
)


@daemon.verb(
    "run", "p2pchat daemon run", "p2pchat daemon run --listen 0.0.0.0:9000 --password-file /run/secrets/p2pchat"
)
@_listen
@present
@_new_store
@pass_settings
def run(
    settings: Settings,
    listen: str | None,
    password_file: str | None,
    dongle: str | None,
    pin_file: str | None,
    new_store: bool,
) -> None:
    """Run the daemon in the foreground until SIGINT or SIGTERM."""
    from p2pchat.launch import daemonize

    settings.home.check()
    _check_store(settings, new_store)
    opened = opening(settings, Given(password_file, dongle, pin_file))
    daemonize.run(settings.home, opened, listen, as_json=settings.json)


@daemon.verb(
    "start", "p2pchat daemon start", "p2pchat daemon start --listen 127.0.0.1:0 --password-file ~/.secret --json"
)
@_listen
@present
@_new_store
@pass_settings
def start(
    settings: Settings,
    listen: str | None,
    password_file: str | None,
    dongle: str | None,
    pin_file: str | None,
    new_store: bool,
) -> None:
    """Start the daemon in the background; return once it answers and listens."""
    from p2pchat.errors import AlreadyRunning
    from p2pchat.launch import daemonize

    settings.home.check()
    if daemonize.running_pid(settings.home):  # before anybody types a password
        raise AlreadyRunning("the daemon is running already", hint="p2pchat daemon status")
    _check_store(settings, new_store)
    started = daemonize.start(settings.home, opening(settings, Given(password_file, dongle, pin_file)), listen)
    print_fields(settings, {name: started[name] for name in ("pid", "listen", "socket")})


def _check_store(settings: Settings, new_store: bool) -> None:
    """Before anybody types a password; the vault looks again."""
    if new_store:
        settings.home.begin_new_store()
    settings.home.check_store()


@daemon.verb("stop", "p2pchat daemon stop", "p2pchat daemon stop --json")
@pass_settings
def stop(settings: Settings) -> None:
    """End the daemon; return once its last process has ended."""
    from p2pchat.launch import daemonize

    pid = daemonize.stop(settings.home)
    print_fields(settings, {"pid": pid, "running": False})


@daemon.verb("status", "p2pchat daemon status", "p2pchat daemon status --json | jq .pid")
@pass_settings
def status(settings: Settings) -> None:
    """Say whether the daemon answers (exit status 3: it does not)."""
    answer = ask(settings, "daemon.status")
    print_fields(settings, {"running": True, **answer, "socket": str(settings.home.rpc_sock)})


@daemon.verb(
    "unit",
    f"p2pchat daemon unit --password-file ~/.p2pchat-password > {FILE}",
    "p2pchat daemon unit --credential ~/.config/p2pchat.cred",
)
@_listen
@_password
@click.option(
    "--credential",
    metavar="FILE",
    help="The password as `systemd-creds encrypt --user --name=p2pchat.password` wrote it (systemd 256 or newer).",
    shell_complete=candidates.files,
)
@pass_settings
def unit(settings: Settings, listen: str | None, password_file: str | None, credential: str | None) -> None:
    """Print a systemd user unit that runs this p2pchat for this home.

    After writing it: `systemctl --user daemon-reload`, then `systemctl --user enable --now p2pchat`.
    """
    made = service.unit(settings.home, password_file=password_file, credential=credential, listen=listen)
    if settings.json:
        print_fields(settings, {"unit": made, "file": FILE})
    else:
        sys.stdout.write(made)
