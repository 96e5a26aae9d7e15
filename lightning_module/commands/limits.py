"""``mnist1d data limits``: how well any classifier could do on a config or a variant of it. Imports no torch."""

from typing import Any

from rich.console import Console

from mnist1d_hf import MNIST1D
from mnist1d_hf.bayes import Estimate, bayes_limits

console = Console()


def limits(config: str, n: int, labels: str, workers: int, **keywords: Any) -> int:
    """Show the accuracy and the loss that no classifier surpasses on a config: the exact posterior's."""
    given = {name: value for name, value in keywords.items() if value is not None}
    builder = MNIST1D(config_name=config, **given)
    found = bayes_limits(builder.config.recipe, n=n, labels=labels, workers=workers, progress=True)
    lines = {
        "config": builder.config_id,
        "signals": f"{found.signals:,} drawn by the fast stream, {labels} labels; means and their standard errors",
        "Bayes accuracy": f"{_percent(found.accuracy)}, the mean of the largest probability",
        "Bayes loss": f"{found.entropy} nats, the mean entropy",
        "by the labels": f"accuracy {_percent(found.label_accuracy)}, loss {found.label_loss}",
    }
    for name, value in lines.items():
        console.print(f"{name:18}{value}", soft_wrap=True, highlight=False, markup=False)
    return 0


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.mean:.2f} ± {100 * estimate.error:.2f} %"
