"""The losses that an ensemble can train on, example by example."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the negative log-probabilities (k, batch) of labels (k, batch), for logits (k, num_classes, batch)."""
    return F.cross_entropy(logits, labels, reduction="none")


def mse(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the mean over the classes of (logit - target)^2, (k, batch); the targets are 1 for the label and 0 else.

    Their mean over the examples is `torch.nn.MSELoss()(logits, one_hot(labels))`: the sum of squares divided by both
    the number of examples and that of classes.
    """
    classes = torch.arange(logits.shape[1], device=logits.device).unsqueeze(1)
    targets = (labels.unsqueeze(1) == classes).to(logits)  # (k, num_classes, batch)
    return (logits - targets).square().mean(1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cross_entropy": cross_entropy, "mse": mse}
