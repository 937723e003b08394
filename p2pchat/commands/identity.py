"""``whoami``, ``status``, ``version``."""

import platform

from p2pchat import __version__
from p2pchat.commands.ask import ask
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.layout import print_fields


@verb("whoami", "p2pchat whoami", "p2pchat whoami --json | jq -r .id")
@pass_settings
def whoami(settings: Settings) -> None:
    """Show one's own ID, key fingerprint, nickname, and where the daemon listens."""
    print_fields(settings, ask(settings, "whoami"))


@verb("status", "p2pchat status", "p2pchat status --json | jq .outbox")
@pass_settings
def status(settings: Settings) -> None:
    """Show how the daemon fares: contacts, links, what waits."""
    print_fields(settings, ask(settings, "status"))


@verb("version", "p2pchat version", "p2pchat version --json")
@pass_settings
def version(settings: Settings) -> None:
    """Show the version of this program and of Python."""
    print_fields(settings, {"version": __version__, "python": platform.python_version()})
