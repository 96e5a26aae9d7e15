"""The Bayes classifier in scikit-learn's manner: no classifier is right more often, whatever it learned from."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mnist1d_hf.bayes.posterior import log_posterior
from mnist1d_hf.bayes.problem import Problem, as_array
from mnist1d_hf.generator.arithmetic import FloatArray
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.templates import Templates, digit_templates

_PARAMETERS = ("recipe", "stream", "mean", "std", "permutation", "templates", "labels", "workers")


class BayesClassifier:
    """The best classifier possible: it knows the generator, learns nothing, and predicts the most probable label.

    It can stand wherever a classifier of scikit-learn can: in `clone`, `cross_val_score` or a pipeline.

    Args:
        recipe: Name of a config, or a recipe: what the signals were made with.
        stream: "reference" or "fast"; see `log_posterior`, as for all that follows.
        mean: What was subtracted from the raw signals.
        std: What they were then divided by.
        permutation: Which raw point each point of a signal is.
        templates: Other curves than the ten digits.
        labels: "clean" or "noisy".
        workers: Threads that share the signals.

    Attributes:
        classes_: The labels, in the order of the columns of `predict_proba`.
        n_features_in_: Points of a signal.
    """

    _estimator_type = "classifier"

    def __init__(
        self,
        recipe: str | Recipe = "default",
        *,
        stream: str | None = None,
        mean: float | None = None,
        std: float | None = None,
        permutation: npt.ArrayLike | None = None,
        templates: Templates | None = None,
        labels: str = "clean",
        workers: int = 1,
    ) -> None:
        self.recipe = recipe
        self.stream = stream
        self.mean = mean
        self.std = std
        self.permutation = permutation
        self.templates = templates
        self.labels = labels
        self.workers = workers

    @property
    def classes_(self) -> npt.NDArray[np.int64]:
        """Returns the labels, in the order of the columns of `predict_proba`."""
        return np.unique((self.templates or digit_templates()).y)

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Checks that the signals are ones that the recipe can have made; there is nothing to learn.

        Raises:
            ValueError: If the signals are not of the recipe's length, or y is not one of the templates' labels
                for each.
        """
        problem = Problem.of(
            self.recipe,
            self.stream,
            {},
            mean=self.mean,
            std=self.std,
            permutation=self.permutation,
            templates=self.templates,
        )
        rows, self.n_features_in_ = problem.raw(X).shape
        known = set(self.classes_.tolist())
        unknown = [] if y is None else sorted(set(_labels(y, rows).tolist()) - known, key=str)
        if unknown:
            raise ValueError(f"y holds the labels {unknown}, which no template has; it has {self.classes_.tolist()}")
        return self

    def predict_log_proba(self, X: Any) -> FloatArray:  # noqa: N803
        """Returns the log-probability of each label, ``(n, classes)``."""
        return log_posterior(X, **self.get_params())

    def predict_proba(self, X: Any) -> FloatArray:  # noqa: N803
        """Returns the probability of each label, ``(n, classes)``."""
        return np.asarray(np.exp(self.predict_log_proba(X)))

    def predict(self, X: Any) -> npt.NDArray[np.int64]:  # noqa: N803
        """Returns the most probable label of each signal, ``(n,)``."""
        best: npt.NDArray[np.int64] = self.classes_[self.predict_log_proba(X).argmax(axis=1)]
        return best

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Returns the fraction of the labels that are predicted right.

        Raises:
            ValueError: If y is not a label for each signal.
        """
        predicted = self.predict(X)
        return float(np.average(predicted == _labels(y, len(predicted)), weights=sample_weight))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the arguments by name."""
        del deep  # none of them is an estimator
        return {name: getattr(self, name) for name in _PARAMETERS}

    def set_params(self, **parameters: Any) -> Self:
        """Changes arguments; returns the classifier.

        Raises:
            ValueError: If there is no argument of that name.
        """
        for name, value in parameters.items():
            if name not in _PARAMETERS:
                raise ValueError(f"{name!r} is no parameter of BayesClassifier; they are {', '.join(_PARAMETERS)}")
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True  # it may predict at once

    def __sklearn_tags__(self) -> Any:
        """Returns the tags that scikit-learn asks an estimator for; only it calls this."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=False),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(),
            requires_fit=False,
        )


def _labels(y: Any, rows: int) -> npt.NDArray[Any]:
    labels = as_array("y", y)
    if labels.shape != (rows,):
        raise ValueError(f"y of shape {labels.shape} must be ({rows},), a label for each signal")
    return labels
