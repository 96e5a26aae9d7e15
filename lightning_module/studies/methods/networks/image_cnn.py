"""A small CNN for images that come as rows of numbers, the MNIST-1D CNN with one dimension more; alone and stacked."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.batched.logits import Logits, register_batched

CHANNELS = (8, 16, 16)


class ImageCNN(nn.Module):
    """Three convolutions with padding 1, of 5 x 5 and twice 3 x 3 pixels, strided, then a linear layer.

    6,266 parameters for MNIST's images (28, 28, 1), 6,666 for CIFAR-10's (32, 32, 3). The first convolution of images
    under 16 pixels a side has stride 1: 4,346 parameters for scikit-learn's digits (8, 8, 1).

    Args:
        shape: Height, width and channels of an image.
        num_classes: Number of logits.
    """

    def __init__(self, shape: tuple[int, int, int] = (28, 28, 1), num_classes: int = 10) -> None:
        super().__init__()
        height, width, channels = shape
        self.shape = shape
        self.strides = (2 if min(height, width) >= 16 else 1, 2, 2)
        for i, (kernel, stride, out) in enumerate(zip((5, 3, 3), self.strides, CHANNELS, strict=True), start=1):
            self.add_module(f"conv{i}", nn.Conv2d(channels, out, kernel, stride=stride, padding=1))
            height, width, channels = (height + 2 - kernel) // stride + 1, (width + 2 - kernel) // stride + 1, out
        self.linear = nn.Linear(height * width * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of images (batch, height * width * channels)."""
        return logits_of_one(dict(self.named_parameters()), x, shape=self.shape, strides=self.strides)


def logits_of_one(
    p: Mapping[str, Tensor], x: Tensor, *, shape: tuple[int, int, int], strides: tuple[int, ...]
) -> Tensor:
    """Returns the logits (batch, num_classes) of one network with the parameters p."""
    h = x.reshape(-1, *shape).permute(0, 3, 1, 2)  # (batch, channels, height, width)
    for i, stride in enumerate(strides, start=1):
        h = F.conv2d(h, p[f"conv{i}.weight"], p[f"conv{i}.bias"], stride=stride, padding=1).relu_()
    return F.linear(h.flatten(1), p["linear.weight"], p["linear.bias"])


def image_cnn(network: ImageCNN) -> Logits:
    """Returns the function for many replicas at once, one after another.

    A convolution of images is large enough to keep a core at work: on CPU, products of all replicas over unfolded
    images take 1.25 times as long, and vmap's grouped convolutions longer still.
    """

    def logits(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        replicas = [
            dict(zip(p, own, strict=True)) for own in zip(*(tensor.unbind() for tensor in p.values()), strict=True)
        ]
        signals = x.unbind() if x.dim() == 3 else [x] * len(replicas)
        each = [
            logits_of_one(own, images, shape=network.shape, strides=network.strides)
            for own, images in zip(replicas, signals, strict=True)
        ]
        return torch.stack(each).transpose(1, 2)

    return logits


register_batched(ImageCNN, image_cnn)
