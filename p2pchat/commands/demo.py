"""``demo``: two complete nodes on this machine meet and write to each other before one's eyes."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from p2pchat.commands.demo_node import Node
from p2pchat.commands.demo_show import Stage
from p2pchat.commands.demo_story import BOTH, Step, Story
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.interrupts import Interrupted, Interrupts
from p2pchat.commands.new_home import read_primes
from p2pchat.commands.new_keys import Primes, generate_primes
from p2pchat.commands.output import say
from p2pchat.errors import P2PChatError
from p2pchat.show import show

_STORED: Final = Path(__file__).parents[1] / "demo_keys"


@verb("demo", "p2pchat demo", "p2pchat demo --fresh-keys --json")
@click.option("--fresh-keys", is_flag=True, help="Make new RSA-8192 keys instead of taking the published ones.")
@pass_settings
def demo(settings: Settings, fresh_keys: bool) -> None:
    """Let two nodes on this machine meet and write to each other.

    Real daemons, in temporary homes, on loopback. Nothing of them is left afterwards. The exit status is 0 only if
    every step was seen by its receiver.
    """
    stage = Stage(settings)
    began_s = time.monotonic()
    with Interrupts() as interrupts:
        try:
            with _two_people(settings, interrupts) as (ada, ben, folder):
                stage.open()
                primes = _fresh(stage, interrupts) if fresh_keys else stored_primes()
                for step in Story(ada, ben, primes, folder / "ada.p2pcard"):
                    stage.play(step)
                    interrupts.check()
        except Interrupted as interrupted:
            say(settings, "interrupted; no process and no file is left")
            raise click.exceptions.Exit(interrupted.status) from None
    stage.close(time.monotonic() - began_s)


@contextmanager
def _two_people(settings: Settings, interrupts: Interrupts) -> Iterator[tuple[Node, Node, Path]]:
    """Two nodes in a temporary folder. However the block ends, their processes end and the folder goes."""
    folder = Path(tempfile.mkdtemp(prefix="p2pchat-demo-"))
    nodes = Node("ada", folder, interrupts.check), Node("ben", folder, interrupts.check)
    try:
        yield *nodes, folder
    except P2PChatError as error:
        error.hint = "p2pchat demo -v"  # any file that it names will be gone
        if settings.verbose:
            error.hint = "p2pchat doctor"
            for node in nodes:
                say(settings, "\n".join([f"the end of {node.name}'s log:", *map(show, node.log())]))
        raise
    finally:
        with ThreadPoolExecutor(2) as pool:
            ended = [pool.submit(node.stop) for node in nodes]
        shutil.rmtree(folder)
        for future in ended:
            future.result()


def stored_primes() -> list[Primes]:
    """The two published root keys, which nobody else may use."""
    return [read_primes(_STORED / name) for name in ("0.hex", "1.hex")]


def _fresh(stage: Stage, interrupts: Interrupts) -> list[Primes]:
    primes: list[Primes] = []

    def tick(seconds: float) -> None:
        interrupts.check()
        stage.progress(f"two RSA-8192 keys are being made ... {seconds:.0f} s")

    def make() -> str:
        primes.extend(generate_primes(2, tick))
        return "as 'p2pchat init' does"

    stage.play(Step("keys", BOTH, BOTH, "make RSA-8192 keys", make))
    return primes
