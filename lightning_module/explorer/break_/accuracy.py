"""How well the shipped networks read changed signals, and how well anybody could."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load
from torch import nn

from lightning_module.explorer import limits
from lightning_module.explorer.break_.signals import SLIDERS, Setting, drawn
from lightning_module.explorer.limits import Limit
from lightning_module.networks import REFERENCE, make_network

FILE: Final = "networks.safetensors"
CHUNK: Final = 64  # signals whose exact posterior is computed at once
TOLD: Final = (64, 320)  # signals after which the Bayes limit is told
PLACES: Final = 8  # of a curve over a slider
REMEMBERED: Final = 256  # settings, of all visitors


class Measured(NamedTuple):
    """How well the networks read 1,000 changed signals.

    Attributes:
        accuracy: Of each network's seeds.
        digits: Share of each digit that the seeds of a network misread, ``(10,)``.
        x: The first signal of each digit, ``(10, 40)``.
        answers: What the first seed of each network reads in them, ``(10,)``.
    """

    accuracy: dict[str, tuple[float, ...]]
    digits: dict[str, npt.NDArray[np.float64]]
    x: npt.NDArray[np.float32]
    answers: dict[str, npt.NDArray[np.int64]]


@cache
def networks() -> dict[str, list[nn.Module]]:
    """Returns the benchmark's networks by name, one for each seed."""
    tensors = load(files("lightning_module.explorer.break_").joinpath(FILE).read_bytes())
    found: dict[str, list[nn.Module]] = {}
    for name in REFERENCE:
        seeds = sorted({int(key.split("/")[1]) for key in tensors if key.startswith(f"{name}/")})
        found[name] = [_network(name, seed, tensors) for seed in seeds]
    return found


def _network(name: str, seed: int, tensors: dict[str, torch.Tensor]) -> nn.Module:
    network, start = make_network(name), f"{name}/{seed}/"
    network.load_state_dict({key.removeprefix(start): each for key, each in tensors.items() if key.startswith(start)})
    return network.eval()


@lru_cache(REMEMBERED)
def measured(setting: Setting) -> Measured:
    """Returns how well the networks read the signals of a setting."""
    x, y, _ = drawn(setting)
    signals, truth = torch.from_numpy(x), torch.from_numpy(y)
    first = np.array([np.flatnonzero(y == digit)[0] for digit in range(10)])
    accuracy, digits, answers = {}, {}, {}
    with torch.inference_mode():
        for name, of_seeds in networks().items():
            read = torch.stack([network(signals).argmax(1) for network in of_seeds])
            wrong = (read != truth).double()
            accuracy[name] = tuple((1 - wrong.mean(1)).tolist())
            of_digits = [float(wrong[:, truth == digit].mean()) for digit in range(10)]
            digits[name] = np.array(of_digits)
            answers[name] = read[0, first].numpy()
    return Measured(accuracy, digits, x[first], answers)


_computed: dict[Setting, Limit] = {}


def known_limit(setting: Setting) -> Limit | None:
    """Returns the Bayes limit of a setting's recipe as far as it is known: computed before, or interpolated."""
    return _computed.get(setting) or limits.known_limit(setting.recipe)


def sweep(setting: Setting, name: str, is_wanted: Callable[[], bool]) -> dict[str, list[tuple[float, float]]] | None:
    """Returns the accuracy of each network, the mean of its seeds, over one slider; None if it is no longer wanted.

    Args:
        setting: What the other sliders say.
        name: The slider, by its number of the recipe.
        is_wanted: Asked between two places.
    """
    slider = next(each for each in SLIDERS if each.name == name)
    curves: dict[str, list[tuple[float, float]]] = {network: [] for network in networks()}
    for place in range(PLACES):
        if not is_wanted():
            return None
        steps = round((slider.high - slider.low) / slider.step * place / (PLACES - 1))
        value = round(slider.low + steps * slider.step, 4)
        for network, of_seeds in measured(setting.moved(name, value)).accuracy.items():
            curves[network].append((value, float(np.mean(of_seeds))))
    return curves


def computed_limit(setting: Setting, signals: int, is_wanted: Callable[[], bool]) -> Limit | None:
    """Returns the Bayes limit of a setting's recipe on some signals; None as soon as nobody wants it.

    Args:
        setting: A setting within the recipe.
        signals: Their number, of `TOLD`.
        is_wanted: Asked between two chunks of signals.

    Raises:
        ValueError: If something is done to the signals that no recipe does.
        ImportError: If scipy is not installed.
    """
    if setting.is_outside:
        raise ValueError(f"outside={setting.outside!r}: what no recipe makes has no exact posterior")
    known = known_limit(setting)
    if known is not None and known.signals >= signals:
        return known
    found = limits.computed_limit(partial(_weighed, setting), is_wanted, signals=signals, chunk=CHUNK)
    if found is not None and signals == TOLD[-1]:
        while len(_computed) >= REMEMBERED:
            _computed.pop(next(iter(_computed)), None)
        _computed[setting] = found
    return found


@lru_cache(4 * REMEMBERED)
def _weighed(setting: Setting, start: int, stop: int) -> npt.NDArray[np.float64]:
    return limits.most_probable(_own(setting)[start:stop], setting.recipe)


@lru_cache(8)
def _own(setting: Setting) -> npt.NDArray[np.float64]:
    return drawn(setting, TOLD[-1]).own
