"""The published accuracies of linear classifiers after each layer of an encoder that was trained by SimCLR.

Source: the output stored with the notebook of Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D",
ICML, section 5.5: its latest version, and that of January 2024; and a public reproduction on Colab (A. Odiya, 2024/25).
"""

from typing import Final

from lightning_module.studies.methods.simclr.encoder import PROJECTORS, Projector

EPOCHS: Final = 200
LATEST, JANUARY, REPRODUCTION = "latest", "January 2024", "reproduction"

# In percent, on the frozen test split, from the input (layer 0) to the output; one run each.
LINEAR: Final[dict[str, dict[Projector, tuple[float, ...]]]] = {
    LATEST: {
        "default": (32.8, 75.1, 80.9, 82.1, 76.1, 75.0),
        "none": (32.8, 82.2, 79.5, 53.4),
        "deep": (32.8, 75.9, 82.4, 79.5, 77.3, 72.8, 65.0, 61.1),
    },
    JANUARY: {
        "default": (32.8, 75.6, 83.0, 81.5, 78.6, 75.8),
        "none": (32.8, 84.6, 78.2, 54.1),
        "deep": (32.8, 76.5, 85.1, 84.4, 78.4, 74.1, 65.9, 62.0),
    },
    REPRODUCTION: {
        "default": (33.3, 75.2, 80.3, 78.9, 74.9, 73.7),
        "none": (33.3, 80.6, 77.3, 59.0),
        "deep": (33.3, 68.9, 75.9, 80.9, 75.3, 71.7, 66.7, 61.9),
    },
}
# The runs of the source itself.
OWN_RUNS: Final = (LATEST, JANUARY)

# Ten nearest neighbours by the cosine of the output, in percent.
NEIGHBOURS: Final[dict[str, dict[Projector, float]]] = {
    LATEST: {"default": 74.1, "none": 48.7, "deep": 61.3},
    JANUARY: {"default": 75.8, "none": 54.1, "deep": 61.6},
}
# Of the last epoch, as printed by the latest run.
LOSS: Final[dict[Projector, float]] = {"default": 2.88, "none": 3.39, "deep": 2.87}


def output_layer(projector: Projector) -> int:
    """Returns the number of the output; the convolutions are 1 to 3."""
    return 3 + len(PROJECTORS[projector])


def published_probe(projector: Projector, layer: int, run: str = LATEST) -> float:
    """Returns a published linear accuracy, as a fraction."""
    return LINEAR[run][projector][layer] / 100


def published_gain(projector: Projector, run: str = LATEST) -> float:
    """Returns by how much the published best layer, selected on the test split, is better than the output."""
    of_layers = LINEAR[run][projector]
    return round((max(of_layers) - of_layers[-1]) / 100, 3)


# The later notebook `ssl-autoencoder`: linear accuracies in percent after the signal, two convolutions and two
# transposed ones, on the frozen test split; one run. It prints the second convolution twice, as the end of the encoder.
AUTOENCODER_LINEAR: Final = (33.3, 58.8, 48.3, 49.9, 27.2)
AUTOENCODER_NEIGHBOURS: Final = 31.1  # in the output
# Printed as 0.64: the sum over 50 minibatches, divided by the 40 that the training signals alone would make.
AUTOENCODER_LOSS: Final = 0.64 * 40 / 50
AUTOENCODER_LOSS_ROUNDING: Final = 0.005 * 40 / 50
