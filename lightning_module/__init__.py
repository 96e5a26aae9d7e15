"""MNIST-1D for PyTorch Lightning: data module, networks and classifier, trained at the speed of a bare loop.

The names are imported when they are first used: `import lightning_module` and `mnist1d --help` load no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning_module.classifier import Classifier
    from lightning_module.datamodule import Examples, MNIST1DDataModule
    from lightning_module.loop.execution import StepsPerExecution
    from lightning_module.loop.loader import TensorLoader
    from lightning_module.networks import CNN, GRU, MLP, NETWORKS, Logistic, make_network, register_network
    from lightning_module.replicas.ensemble import Ensemble
    from lightning_module.replicas.replica import Replica, noisy_labels
    from lightning_module.signal_dataset import SignalDataset, torch_dataset
    from lightning_module.studies.methods.activation.learned_activation import LearnedActivation

_HOME = {
    "Classifier": "classifier",
    "Ensemble": "replicas.ensemble",
    "Examples": "datamodule",
    "MNIST1DDataModule": "datamodule",
    "StepsPerExecution": "loop.execution",
    "TensorLoader": "loop.loader",
    "CNN": "networks",
    "GRU": "networks",
    "LearnedActivation": "studies.methods.activation.learned_activation",
    "MLP": "networks",
    "NETWORKS": "networks",
    "Logistic": "networks",
    "Replica": "replicas.replica",
    "SignalDataset": "signal_dataset",
    "make_network": "networks",
    "noisy_labels": "replicas.replica",
    "register_network": "networks",
    "torch_dataset": "signal_dataset",
}

__all__ = [
    "CNN",
    "GRU",
    "MLP",
    "NETWORKS",
    "Classifier",
    "Ensemble",
    "Examples",
    "LearnedActivation",
    "Logistic",
    "MNIST1DDataModule",
    "Replica",
    "SignalDataset",
    "StepsPerExecution",
    "TensorLoader",
    "make_network",
    "noisy_labels",
    "register_network",
    "torch_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
