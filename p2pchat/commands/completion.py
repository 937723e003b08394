"""``completion bash|zsh|fish``: the script that lets a shell complete verbs, options, contacts and messages."""

import sys
from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

from p2pchat.commands.frame import Settings, pass_settings, verb

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_P2PCHAT_COMPLETE"  # the script calls p2pchat again with it (click's convention)


@verb(
    "completion",
    "p2pchat completion bash > ~/.local/share/bash-completion/completions/p2pchat",
    "p2pchat completion fish > ~/.config/fish/completions/p2pchat.fish",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
@pass_settings
def completion(_settings: Settings, ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Install it once: bash as below; fish as below; zsh by `p2pchat completion zsh > DIR/_p2pchat`, DIR being a folder of
    $fpath. Names of contacts and ids of messages come from the daemon where one runs.
    """
    sys.stdout.write(script(ctx.find_root().command, shell))


def script(root: click.Command, shell: str) -> str:
    """The script; click's own, which calls ``p2pchat`` for every Tab."""
    made = get_completion_class(shell)
    assert made is not None
    # Not bash's own ``source``: it starts a bash to learn its version, which says nothing of the one that will read it.
    return ShellComplete.source(made(root, {}, "p2pchat", VARIABLE)).strip() + "\n"


def answer(root: click.Command, instruction: str) -> int:
    """Answer a Tab, as the script asks: ``bash_complete`` and the like. Never a word about what went wrong."""
    shell, _, what = instruction.partition("_")
    made = get_completion_class(shell) if shell in SHELLS else None
    if made is None or what != "complete":
        return 1
    settings = Settings()
    try:
        found = made(root, {"obj": settings}, "p2pchat", VARIABLE).complete()
    except Exception:  # noqa: BLE001 - in the middle of somebody's line: no candidates are better than a traceback
        return 1
    finally:
        for client in settings.clients.values():
            client.close()
    sys.stdout.write(found + "\n")
    return 0
