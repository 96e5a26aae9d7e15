"""MNIST-1D for Hugging Face datasets: the generator, its builder, and the bare name ``mnist1d`` for `load_dataset`."""

from typing import TYPE_CHECKING, Any

from mnist1d_hf.bunch import Bunch, load_mnist1d
from mnist1d_hf.generator.arrays import Latents, MNIST1DArrays, Split
from mnist1d_hf.generator.columns import as_numpy
from mnist1d_hf.generator.generate import make_mnist1d, make_slice
from mnist1d_hf.generator.recipe import RECIPES, Recipe, RecipeError
from mnist1d_hf.generator.templates import Templates, digit_templates
from mnist1d_hf.mnist1d import DATA_VERSION, MNIST1D, MNIST1DConfig
from mnist1d_hf.register import register

if TYPE_CHECKING:
    from mnist1d_hf.hub.load import load

__version__ = "0.2.0"

__all__ = [
    "DATA_VERSION",
    "MNIST1D",
    "RECIPES",
    "Bunch",
    "Latents",
    "MNIST1DArrays",
    "MNIST1DConfig",
    "Recipe",
    "RecipeError",
    "Split",
    "Templates",
    "__version__",
    "as_numpy",
    "digit_templates",
    "load",
    "load_mnist1d",
    "make_mnist1d",
    "make_slice",
    "register",
]

register()


def __getattr__(name: str) -> Any:
    """Imports `load` when it is first used: what speaks to the Hub is no part of importing the package."""
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mnist1d_hf.hub.load import load

    globals()["load"] = load
    return load
