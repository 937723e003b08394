"""``metrics``: what vault and gate count, for Prometheus or as objects."""

from typing import cast

from p2pchat.commands.ask import ask
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.output import print_json, print_line


@verb(
    "metrics",
    "p2pchat metrics > /var/lib/node-exporter/p2pchat.prom",
    "p2pchat metrics --json | jq 'select(.value > 0)'",
)
@pass_settings
def metrics(settings: Settings) -> None:
    """Print what the daemon counts, in the text form of Prometheus: no ID, no name, no address is among it."""
    from p2pchat.rpc.metrics import FAMILIES, Sample, number, text

    asked = (ask(settings, "metrics"), ask(settings, "net.metrics", socket="gate"))
    samples = [sample for answer in asked for sample in cast(list[Sample], answer["metrics"])]
    if settings.json:
        for sample in samples:
            family = FAMILIES[sample["name"]]
            shape = {"name": family.name, "type": family.type, "help": family.help, "labels": sample["labels"]}
            print_json({**shape, "value": number(sample)})
        return
    for line in text(samples):
        print_line(line)
