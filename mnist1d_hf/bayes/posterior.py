"""The exact posterior of the label, and the evidence: what users call."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt
from datasets.utils import tqdm

from mnist1d_hf.bayes.mixture import USUAL, Precision, log_joint
from mnist1d_hf.bayes.problem import Problem
from mnist1d_hf.checks import one_of, whole_number
from mnist1d_hf.generator.arithmetic import FloatArray
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.templates import Templates

Labels = Literal["clean", "noisy"]
LABELS: Final[tuple[str, ...]] = get_args(Labels)
CHUNK: Final = 64  # signals computed together, by whichever worker; a part of the last bits, so never a worker's choice

Part = TypeVar("Part")


def log_posterior(
    x: Any,
    recipe: str | Recipe = "default",
    *,
    stream: str | None = None,
    mean: float | None = None,
    std: float | None = None,
    permutation: npt.ArrayLike | None = None,
    templates: Templates | None = None,
    labels: str = "clean",
    workers: int = 1,
    progress: bool = False,
    **changes: Any,
) -> FloatArray:
    """Returns the log-probability of each label given the signal, exactly: ``(n, 10)``, every entry finite.

    Every stage of the generator is linear and its noise is normal, so that label, padding and shift can be summed over,
    factor and shear integrated over. The error is at most 1e-6 in the logarithm, for unlikely labels too.

    Args:
        x: Signals as the data set gives them, ``(n, length)``: an array, a data set of the datasets library, or its
            column.
        recipe: Name of a config, or a recipe: what the signals were made with. It needs iid noise.
        stream: "reference" or "fast": which constants the signals were normalised by and which permutation they were
            brought into, the reference sample's own or the population's. By default what the config says, else
            "reference".
        mean: What was subtracted from the raw signals, if not what recipe and stream say.
        std: What they were then divided by. A test set normalised by itself has its own two.
        permutation: Which raw point each point of a signal is, ``(length,)``, if not what recipe and stream say.
        templates: Other curves than the ten digits; the columns are then their different labels in ascending order.
        labels: "clean" for the digit that the signal was made of; "noisy" for the label of an example of train, which
            the recipe's ``label_noise`` may have replaced.
        workers: Threads that share the signals; the result does not depend on it.
        progress: Whether to show a bar.
        **changes: Fields of the recipe and their values, ``iid_noise_scale=0.1``.

    Raises:
        RecipeError: If recipe or stream cannot be used, the recipe has no iid noise, or too many components.
        ValueError: If x is not a matrix of finite numbers with the recipe's length, or another argument not allowed.
        ImportError: If scipy is not installed.
    """
    labels = one_of("labels", labels, LABELS)
    problem = Problem.of(recipe, stream, changes, mean=mean, std=std, permutation=permutation, templates=templates)
    joint = problem.by_class(joint_of(problem, problem.raw(x), workers=workers, progress=progress))
    return with_label_noise(problem, joint - total(joint)[:, None], labels)


def log_evidence(
    x: Any,
    recipe: str | Recipe = "default",
    *,
    stream: str | None = None,
    mean: float | None = None,
    std: float | None = None,
    permutation: npt.ArrayLike | None = None,
    templates: Templates | None = None,
    workers: int = 1,
    progress: bool = False,
    **changes: Any,
) -> FloatArray:
    """Returns the log of the probability density of each signal under the recipe, whatever its label, ``(n,)``.

    How well the signal fits the recipe at all: far below what the recipe's own signals have, it is out of distribution.
    The density is one of the normalised signal. Where a signal is longer than ``template_len + padding[1]``, its points
    are not independent; then it is the density in the plane where the signals lie, and what x has outside of it does
    not count.

    Args:
        x: Signals, as for `log_posterior`, and so for all other arguments.
        recipe: Name of a config, or a recipe.
        stream: "reference" or "fast".
        mean: What was subtracted from the raw signals.
        std: What they were then divided by.
        permutation: Which raw point each point of a signal is, ``(length,)``.
        templates: Other curves than the ten digits.
        workers: Threads that share the signals.
        progress: Whether to show a bar.
        **changes: Fields of the recipe and their values.

    Raises:
        RecipeError: If recipe or stream cannot be used, the recipe has no iid noise, or too many components.
        ValueError: If x is not a matrix of finite numbers with the recipe's length, or another argument not allowed.
        ImportError: If scipy is not installed.
    """
    problem = Problem.of(recipe, stream, changes, mean=mean, std=std, permutation=permutation, templates=templates)
    joint = joint_of(problem, problem.raw(x), workers=workers, progress=progress)
    evidence: FloatArray = total(joint) + problem.tables.rank * np.log(problem.std)
    return evidence


def joint_of(
    problem: Problem, raw: FloatArray, *, workers: int = 1, progress: bool = False, precision: Precision = USUAL
) -> FloatArray:
    """Returns the log-density of each raw signal together with each row of the templates, ``(n, rows)``."""
    parts = in_chunks(lambda some: log_joint(problem.tables, some, precision), raw, workers=workers, progress=progress)
    return np.concatenate(parts) if parts else np.empty((0, problem.tables.shape[0]))


def in_chunks(compute: Callable[[FloatArray], Part], raw: FloatArray, *, workers: int, progress: bool) -> list[Part]:
    """Returns the results of a function for some signals at a time, in the signals' order, by several threads.

    numpy and scipy compute without holding the interpreter's lock.

    Raises:
        ValueError: If there is less than one worker.
    """
    workers = whole_number("workers", workers, 1)
    chunks = [raw[start : start + CHUNK] for start in range(0, len(raw), CHUNK)]
    with tqdm(total=len(raw), unit=" signals", disable=None if progress else True, delay=1) as bar:

        def counted(chunk: FloatArray) -> Part:
            part = compute(chunk)
            bar.update(len(chunk))
            return part

        if workers == 1:
            return [counted(chunk) for chunk in chunks]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(counted, chunks))


def total(joint: FloatArray) -> FloatArray:
    """Returns the log of the sum of exponentials of each row, ``(n, m)`` to ``(n,)``."""
    highest = joint.max(axis=1, keepdims=True)
    return np.asarray(highest[:, 0] + np.log(np.exp(joint - highest).sum(axis=1)))


def with_label_noise(problem: Problem, log_p: FloatArray, labels: str) -> FloatArray:
    """Returns the log-probabilities of train's labels, of which some are replaced by those of rows drawn uniformly."""
    q = problem.recipe.label_noise
    if labels == "clean" or q == 0:
        return log_p
    replaced = np.log(q) + np.log(np.bincount(problem.class_of) / len(problem.class_of))  # (classes,)
    if q == 1:
        return np.tile(replaced, (len(log_p), 1))
    return np.asarray(np.logaddexp(np.log1p(-q) + log_p, replaced))
