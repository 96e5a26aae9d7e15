"""The best that any classifier can do on a recipe: accuracy and loss, with the error of estimating them by sampling."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from mnist1d_hf.bayes.posterior import LABELS, joint_of, total, with_label_noise
from mnist1d_hf.bayes.problem import Problem
from mnist1d_hf.checks import one_of, whole_number
from mnist1d_hf.generator.arithmetic import FloatArray
from mnist1d_hf.generator.arrays import Split
from mnist1d_hf.generator.generate import make_mnist1d, make_slice
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.templates import Templates

EXAMPLES: Final = 2000
FILE: Final = "limits.json"


@dataclass(frozen=True)
class Estimate:
    """A mean over signals.

    Attributes:
        mean: The mean.
        error: Its standard error, of sampling the signals.
    """

    mean: float
    error: float

    @classmethod
    def of(cls, values: FloatArray) -> "Estimate":
        """Returns the mean of some signals' values, with its standard error."""
        error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
        return cls(mean=float(np.mean(values)), error=error)

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.error:.4f}"


@dataclass(frozen=True)
class Limits:
    """The accuracy and loss of the exact posterior's classifier, which none surpasses.

    The first two follow from the signals alone, the last two from their labels as well. They estimate the same, with
    larger errors, and agree because the posterior is the true one.

    Attributes:
        accuracy: Mean of the largest probability.
        entropy: Mean entropy of the posterior in nats: the cross-entropy that cannot be undercut.
        label_accuracy: How often the most probable label was the true one.
        label_loss: Mean cross-entropy of the posterior on the true labels.
        signals: How many were drawn.
    """

    accuracy: Estimate
    entropy: Estimate
    label_accuracy: Estimate
    label_loss: Estimate
    signals: int

    def __str__(self) -> str:
        return (
            f"accuracy {self.accuracy}, entropy {self.entropy}; by the labels: accuracy {self.label_accuracy}, "
            f"loss {self.label_loss}; {self.signals:,} signals"
        )

    def as_dict(self) -> dict[str, float]:
        """Returns the numbers in plain types: each estimate's mean under its name, its error under ``NAME_error``."""
        flat: dict[str, float] = {"signals": self.signals}
        for name in ("accuracy", "entropy", "label_accuracy", "label_loss"):
            estimate: Estimate = getattr(self, name)
            flat |= {name: estimate.mean, f"{name}_error": estimate.error}
        return flat

    @classmethod
    def from_dict(cls, flat: Mapping[str, float]) -> "Limits":
        """Returns the limits that `as_dict` wrote as a dictionary."""
        names = ("accuracy", "entropy", "label_accuracy", "label_loss")
        estimates = {name: Estimate(flat[name], flat[f"{name}_error"]) for name in names}
        return cls(**estimates, signals=int(flat["signals"]))


@cache
def committed_limits() -> Mapping[str, Limits]:
    """Returns the limits of the named configs, computed on 10,000 signals each and committed; no scipy is needed.

    A config without iid noise has none. ``python -m mnist1d_hf.bayes.renew`` writes the file anew.
    """
    content = json.loads(files("mnist1d_hf.bayes").joinpath(FILE).read_text(encoding="utf-8"))
    return {name: Limits.from_dict(flat) for name, flat in content.items()}


def bayes_limits(
    recipe: str | Recipe = "default",
    *,
    n: int = EXAMPLES,
    labels: str = "clean",
    templates: Templates | None = None,
    workers: int = 1,
    progress: bool = False,
    **changes: Any,
) -> Limits:
    """Returns the accuracy and cross-entropy that no classifier can surpass on the signals of a recipe.

    They are estimated on signals of the recipe's own fast stream, which depend on its seed: from the test split, or
    with ``labels="noisy"`` from train, where the labels are noisy. Neither permutation nor normalisation matters.

    Args:
        recipe: Name of a config, or a recipe.
        n: How many signals to draw.
        labels: "clean" for the digit that the signal was made of, "noisy" for the label that an example of train has.
        templates: Other curves than the ten digits; the signals then are those of the reference stream.
        workers: Threads that share the signals; the result does not depend on it.
        progress: Whether to show a bar.
        **changes: Fields of the recipe and their values.

    Raises:
        RecipeError: If the recipe cannot be used, has no iid noise, or too many components.
        ValueError: If n is not an integer of at least 2.
        ImportError: If scipy is not installed.
    """
    n, labels = whole_number("n", n, 2), one_of("labels", labels, LABELS)
    problem, drawn = _drawn(recipe, n, labels, templates, changes)
    joint = problem.by_class(joint_of(problem, problem.raw(drawn.x), workers=workers, progress=progress))
    log_p = with_label_noise(problem, joint - total(joint)[:, None], labels)
    p = np.exp(log_p)
    truth = np.searchsorted(problem.labels, drawn.y)
    return Limits(
        accuracy=Estimate.of(p.max(axis=1)),
        entropy=Estimate.of(-(p * log_p).sum(axis=1)),
        label_accuracy=Estimate.of((log_p.argmax(axis=1) == truth).astype(float)),
        label_loss=Estimate.of(-log_p[np.arange(len(truth)), truth]),
        signals=len(truth),
    )


def _drawn(
    recipe: str | Recipe, n: int, labels: str, templates: Templates | None, changes: dict[str, Any]
) -> tuple[Problem, Split]:
    """Returns signals of the recipe with the problem that explains them: train has noisy labels, test has not."""
    split = "train" if labels == "noisy" else "test"
    if templates is None:
        return Problem.of(recipe, "fast", changes), make_slice(recipe, split, 0, n, **changes)
    size = {"num_samples": n + -n % len(templates.y), "train_split": float(split == "train")}
    arrays = make_mnist1d(recipe, stream="reference", templates=templates, **{**changes, **size})
    problem = Problem.of(
        recipe, "reference", {**changes, **size}, mean=arrays.mean, std=arrays.std, templates=templates
    )
    return problem, getattr(arrays, split)
