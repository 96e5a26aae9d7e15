"""The ceiling: how much of each network's error is the data's, and what of the rest is confidence alone.

The posterior of a label given a signal can be computed exactly, so a network is compared with what is possible, and not
with another network: by the mean divergence from the posterior, and by the error that the posterior does not have.

Source: the networks and their training are those of the benchmark of Greydanus & Kobak (2024), "Scaling Down Deep
Learning with MNIST-1D", ICML; the temperature is that of Guo et al. (2017), "On Calibration of Modern Neural Networks".
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lightning_module.datamodule import Examples
from lightning_module.networks import REFERENCE
from lightning_module.replicas.replica import Replica
from lightning_module.studies.ceiling.claims import BANDS, CLAIMS
from lightning_module.studies.ceiling.config import BLOCKS, KNOBS, VALIDATION_SEED, CeilingConfig, recipes
from lightning_module.studies.ceiling.figures import draw_divergence, draw_errors, draw_reliability
from lightning_module.studies.framework.cells import Cell, Outcome, Row
from lightning_module.studies.framework.data import Draw, fresh
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import train
from lightning_module.studies.methods.posterior_distance import (
    EarlyStops,
    Floats,
    Stop,
    calibration_error,
    divergence,
    entropy,
    log_probabilities,
    posterior_of,
    reliability,
    right_by,
    temperature,
)

Labels = npt.NDArray[np.int64]


def cells(config: CeilingConfig) -> list[Cell]:
    """Returns a cell for each recipe, with all its networks: so its posterior is computed once."""
    return [Cell(recipe, _cost(config, recipe)) for recipe in recipes(config)]


def _cost(config: CeilingConfig, recipe: dict[str, Any]) -> float:
    """Returns about how many seconds a cell takes."""
    training = config.seeds * config.steps / 1000 * (0.4 + 2.1 * recipe["final_seq_length"] / 40)
    posterior = config.seeds * config.tests * (0.0005 + 0.05 * recipe["iid_noise_scale"])
    return float(round(training + posterior, 3))


def run_cell(config: CeilingConfig, cell: Cell) -> Outcome:
    """Returns the limits of a recipe, and how far from them each network is."""
    recipe: dict[str, Any] = {knob: cell[knob] for knob in KNOBS}
    size = {"num_samples": config.validation, "train_split": 1.0}
    draws = [fresh(seed, tests=0, **recipe) for seed in config.seed_range]
    held_out = [fresh(VALIDATION_SEED + seed, tests=0, **size, **recipe) for seed in config.seed_range]
    tested = fresh(0, tests=config.seeds * config.tests, **recipe)
    log_p, labels = posterior_of(tested.test.x, tested, **recipe), tested.test.y.numpy()
    parts = [slice(i * config.tests, (i + 1) * config.tests) for i in range(len(draws))]
    rows: list[Row] = []
    bins: list[Row] = []
    for network in REFERENCE:
        stops = _train(config, network, draws, held_out, tested)
        for arm, stop in stops.items():
            for i, (seed, part) in enumerate(zip(config.seed_range, parts, strict=True)):
                of = {"network": network, **recipe, "seed": seed, "arm": arm}
                row, own_bins = compare(stop, i, held_out[i].train.y.numpy(), log_p[part], labels[part])
                rows.append({**of, **row})
                bins += [{**of, **each} for each in own_bins]
    tables = {"rows": rows, "limits": limits(log_p, labels, recipe), "bins": bins}
    # Probabilities to three digits: enough for a picture and for soft labels, and mostly zeros, which compress.
    arrays = {f"posterior {_label(recipe)}": np.exp(log_p[parts[0]]).astype(np.float16)}
    return Outcome(tables, arrays, _data(recipe, config.seed_range, draws, held_out, tested))


def _train(
    config: CeilingConfig, network: str, draws: list[Draw], held_out: list[Draw], tested: Draw
) -> dict[str, Stop]:
    """Returns the outputs of all seeds of a network after the last step, and where their validation is best."""
    # Each seed has test signals of its own, so their sampling is part of what differs between seeds.
    own = tested.test.x.view(config.seeds, config.tests, -1)
    looks = EarlyStops(_stacked(held_out), {"test": own})
    trained = train(
        network,
        [Replica(seed=seed, data=draw.train) for seed, draw in zip(config.seed_range, draws, strict=True)],
        draws[0].train,
        steps=config.steps,
        every=config.every,
        callbacks=[looks],
    )
    looks.look(trained.ensemble, config.steps)
    if looks.best is None or looks.last is None:
        raise RuntimeError("training ended without a look at validation")
    return {"final": looks.last, "stopped": looks.best}


def compare(
    stop: Stop, replica: int, validation_labels: Labels, log_p: Floats, labels: Labels
) -> tuple[Row, list[dict[str, Any]]]:
    """Returns how far one replica is from the posterior, before and after its temperature, and its reliability."""
    logits = stop.logits["test"][replica]
    heat = temperature(stop.logits["validation"][replica].double().numpy(), validation_labels)
    log_q, log_tempered = log_probabilities(logits), log_probabilities(logits / heat)
    chosen = log_q.argmax(1)
    error = 1 - right_by(log_p, chosen).mean()
    least = 1 - np.exp(log_p.max(1)).mean()
    before, after = divergence(log_p, log_q).mean(), divergence(log_p, log_tempered).mean()
    bins = {name: reliability(log_p, each, labels) for name, each in (("own", log_q), ("fitted", log_tempered))}
    row = {
        "step": int(stop.step[replica]),
        "error": error,
        "label_error": (chosen != labels).mean(),
        "avoidable": error - least,
        "data_share": least / error,
        "temperature": heat,
        "divergence": before,
        "tempered_divergence": after,
        "removed": 1 - after / before,
        "label_loss": -log_q[np.arange(len(labels)), labels].mean(),
        "calibration_error": calibration_error(bins["own"]),
        "tempered_calibration_error": calibration_error(bins["fitted"]),
    }
    of_bins = [
        {"temperature": name, "low": each.low, "count": each.count, **_means(each.confidence, each.right, each.hits)}
        for name, several in bins.items()
        for each in several
        if each.count
    ]
    return {name: _short(number) for name, number in row.items()}, of_bins


def limits(log_p: Floats, labels: Labels, recipe: dict[str, Any]) -> list[Row]:
    """Returns the errors and losses of the posterior, for each block of test signals."""
    rows = np.arange(len(labels))
    of_signals = {
        "error": 1 - np.exp(log_p.max(1)),
        "entropy": entropy(log_p),
        "label_error": (log_p.argmax(1) != labels).astype(float),
        "label_loss": -log_p[rows, labels],
    }
    blocks = [
        {name: float(each.mean()) for name, each in zip(of_signals, part, strict=True)}
        for part in zip(*(np.split(each, BLOCKS) for each in of_signals.values()), strict=True)
    ]
    return [
        {
            **recipe,
            "block": block,
            **{name: _short(number) for name, number in means.items()},
            "loss_minus_entropy": _short(means["label_loss"] - means["entropy"]),
            "label_error_minus_error": _short(means["label_error"] - means["error"]),
        }
        for block, means in enumerate(blocks)
    ]


def _means(confidence: float, right: float, hits: float) -> dict[str, float]:
    return {"confidence": _short(confidence), "right": _short(right), "hits": _short(hits)}


def _short(number: float) -> float:
    """Returns a number with seven digits, for short files; a whole number stays one."""
    return number if isinstance(number, int) else float(f"{float(number):.7g}")


def _stacked(draws: list[Draw]) -> Examples:
    return Examples(*map(torch.stack, zip(*(draw.train for draw in draws), strict=True)))


def _label(recipe: dict[str, Any]) -> str:
    return " ".join(f"{knob}={recipe[knob]}" for knob in KNOBS)


def _data(
    recipe: dict[str, Any], seeds: range, draws: list[Draw], held_out: list[Draw], tested: Draw
) -> dict[str, Any]:
    label = _label(recipe)
    of_seeds = {f"{label}, seed {seed}": draw.what for seed, draw in zip(seeds, draws, strict=True)}
    of_seeds |= {f"{label}, validation of seed {seed}": draw.what for seed, draw in zip(seeds, held_out, strict=True)}
    return {**of_seeds, f"{label}, test": tested.what}


STUDY = Study(
    name="ceiling",
    question="How much of each network's error is the data's, how far is a network from the exact posterior, and how "
    "much of that does a fitted temperature remove?",
    presets={
        "smoke": CeilingConfig(
            seeds=2,
            steps=4,
            every=2,
            tests=40,
            validation=50,
            iid_noise_scale=(0.02, 0.08),
            corr_noise_scale=(0.25,),
            max_translation=(1, 48),
            final_seq_length=(40,),
            scale_coeff=(0.4,),
            shear_scale=(0.75,),
        ),
        "quick": CeilingConfig(
            seeds=3,
            steps=1000,
            tests=1000,
            iid_noise_scale=(0.02, 0.08, 0.16, 0.24),
            corr_noise_scale=(0.25,),
            max_translation=(1, 48),
            final_seq_length=(20, 40),
            scale_coeff=(0.4,),
            shear_scale=(0.75,),
        ),
        "paper": CeilingConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_errors, "divergence": draw_divergence, "reliability": draw_reliability},
    bands=BANDS,
    protocol=ProtocolFile(__file__),
)
