"""Double descent: test error over the number of parameters falls, rises where the training set is fitted, falls again.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML, the figure on double descent and its
notebook; Greydanus (2020), "Scaling down Deep Learning", whose figure had another protocol.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica
from lightning_module.studies.double_descent.amendments import (
    AMENDED_CHANNELS,
    AMENDED_WIDTHS,
    AMENDMENTS,
    FIRST_SEED,
    SEEDS,
)
from lightning_module.studies.double_descent.claims import BANDS, CLAIMS
from lightning_module.studies.double_descent.config import (
    ADDED_PRESETS,
    BATCH,
    DATA_WIDTH,
    FIGURE_5,
    DoubleDescentConfig,
)
from lightning_module.studies.double_descent.figures import draw_2020, draw_amended, draw_epochs, draw_sizes
from lightning_module.studies.double_descent.published import EPOCHS
from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Outcome, Row, SharedTests
from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import (
    EpochScores,
    Score,
    Trained,
    geometric_epochs,
    score,
    train,
    wrong_by,
)
from lightning_module.studies.methods.networks.families import FAMILIES, side_by_side
from lightning_module.studies.methods.networks.hidden_layers import HiddenLayers

CURRENT: Final[dict[str, Any]] = {"optimizer": "sgd", "momentum": 0.9}  # learning rate 0.01
CURVE_ROWS: Final = 10_000  # fresh signals that the curves over epochs are measured on
KEPT_ROWS: Final = 2000  # test signals whose final predictions are kept

# Of one optimiser step of one network: its multiplications at 40 GFLOP/s, and what an ensemble costs beside them.
SECONDS_PER_PRODUCT: Final = 6 * BATCH / 40e9
OVERHEAD: Final = 3e-5
CELL_SECONDS: Final = 150.0


def cells(config: DoubleDescentConfig) -> list[Cell]:
    """Returns a cell for each form, arm, network and kind of labels; and of those that take long, for some widths."""
    few, all_seeds = config.range_of(config.few_seeds), config.seed_range
    cnn = {"frozen": config.frozen_channels, "fresh": config.channels}
    current = [
        cell
        for arm in config.arms
        for network, labels, widths, seeds in (
            ("mlp", "clean", config.widths, all_seeds),
            ("mlp", "noisy", config.widths, all_seeds),
            ("cnn", "noisy", cnn[arm], few),
        )
        for cell in _parts(("current", arm, network, labels), widths, seeds, config.epochs * config.n // BATCH)
    ]
    steps_2020 = config.epochs_2020 * config.n_2020 // BATCH
    earlier = [
        cell
        for network, widths in (("one-hidden", config.widths_2020), ("cnn", config.channels_2020))
        for cell in _parts(("2020", "fresh", network, "clean"), widths, few, steps_2020)
    ]
    data = [
        cell
        for n in config.sizes
        for cell in _parts(("data", "fresh", "mlp", "noisy"), (DATA_WIDTH,), all_seeds, config.steps, n=n)
    ]
    figure = _parts(
        (FIGURE_5, "fresh", "mlp", "noisy"), config.figure_widths, all_seeds, config.epochs * config.n // BATCH
    )
    return [*current, *earlier, *data, *figure]


def _parts(
    of: tuple[str, str, str, str], widths: Sequence[int], seeds: range, steps: int, **more: int
) -> Iterator[Cell]:
    """Yields cells of neighbouring widths; of a width that takes too long with all its seeds, one for each seed."""
    form, arm, network, labels = of

    def seconds(width: int) -> float:
        return steps * (FAMILIES[network].products(width, 10) * SECONDS_PER_PRODUCT + OVERHEAD)

    for group in side_by_side(widths, lambda width: len(seeds) * seconds(width), most=CELL_SECONDS):
        each = len(seeds) * seconds(group[-1]) > 2 * CELL_SECONDS  # together they are faster
        for first, last in ((seed, seed) for seed in seeds) if each else [(seeds[0], seeds[-1])]:
            cost = len(group) * (last - first + 1) * seconds(group[-1])
            names: dict[str, Any] = {"form": form, "arm": arm, "network": network, "labels": labels, **more}
            yield Cell(
                {**names, "least": group[0], "most": group[-1], "first": first, "last": last}, cost + 8e-4 * steps
            )


def run_cell(config: DoubleDescentConfig, cell: Cell) -> Outcome:
    """Returns the scores of the networks of a cell, on the way and at the end."""
    seeds = range(cell["first"], cell["last"] + 1)
    n, epochs = _amount(config, cell)
    draws = {seed: _draw(config, cell, seed) for seed in seeds}
    own = {seed: draw.train.first(n) for seed, draw in draws.items()}
    any_draw = draws[cell["first"]]
    is_frozen = cell["arm"] == "frozen"
    test = fresh_test(any_draw, "double-descent", count=config.tests) if is_frozen else any_draw.test
    tested = any_draw.test if is_frozen else test.first(CURVE_ROWS)
    widths = [width for width in _widths(config, cell) if cell["least"] <= width <= cell["most"]]
    replicas = [
        Replica(
            seed=seed,
            width=width,
            shuffle_seed=10_000 * (1 + seed) if cell["form"] != "2020" else None,  # the epochs' seeds follow it
            data=None if is_frozen else own[seed],
        )
        for width in widths
        for seed in seeds
    ]
    training = own[cell["first"]] if is_frozen else Examples.stacked(own[replica.seed] for replica in replicas)
    scores = EpochScores({"train": training, "test": tested}, geometric_epochs(epochs, config.evaluations))
    trained = train(
        partial(HiddenLayers, he=True) if cell["form"] == FIGURE_5 else FAMILIES[cell["network"]].of_width(),
        replicas,
        own[cell["first"]],
        steps=epochs * (n // BATCH),
        batch_size=BATCH,
        shuffle=cell["form"] != "2020",
        callbacks=[scores],
        **(CURRENT if cell["form"] != "2020" else {}),
    )
    finals = [each for each in scores.taken if each.step == scores.taken[-1].step]
    finals = [each for each in finals if is_frozen or each.on == "train"]
    finals.append(score(trained.ensemble, test, step=scores.taken[-1].step, on="fresh test"))
    rows = partial(_rows, cell=cell, trained=trained, per_epoch=n // BATCH)
    kept = tested.first(KEPT_ROWS)
    return Outcome(
        {
            "rows": rows(finals),
            "curves": rows(scores.taken),
        },
        {cell.name.replace(",", "-").replace("=", "-"): wrong_by(trained.ensemble.predictions(kept.x), kept.y)},
        {f"{cell['form']}/{cell['arm']}/{cell['labels']}/{seed}": draw.what for seed, draw in draws.items()},
    )


def _amount(config: DoubleDescentConfig, cell: Cell) -> tuple[int, int]:
    """Returns the training signals of a cell, and how often they are gone through."""
    match cell["form"]:
        case "2020":
            return config.n_2020, config.epochs_2020
        case "data":
            return cell["n"], config.steps * BATCH // cell["n"]
    return config.n, config.epochs


def _draw(config: DoubleDescentConfig, cell: Cell, seed: int) -> Draw:
    """Returns the data of a seed: in the frozen arm the same for all."""
    name = "double-descent-noisy" if cell["labels"] == "noisy" else "double-descent"
    if cell["arm"] == "frozen":
        return frozen(name)
    if cell["form"] == "2020":
        return fresh(seed, tests=config.tests, num_samples=config.n_2020, train_split=1.0)
    noise = {"label_noise_seed": seed} if cell["labels"] == "noisy" else {}
    return fresh(seed, name, tests=config.tests, **noise)


def _widths(config: DoubleDescentConfig, cell: Cell) -> tuple[int, ...]:
    if cell["form"] == "2020":
        return config.channels_2020 if cell["network"] == "cnn" else config.widths_2020
    if cell["form"] in ("data", FIGURE_5):
        return (DATA_WIDTH,) if cell["form"] == "data" else config.figure_widths
    if cell["network"] == "mlp":
        return config.widths
    return config.frozen_channels if cell["arm"] == "frozen" else config.channels


def _rows(scores: Sequence[Score], *, cell: Cell, trained: Trained, per_epoch: int) -> list[Row]:
    of = {name: cell[name] for name in ("form", "arm", "network", "labels", "n") if name in cell.of}
    parameters = FAMILIES[cell["network"]].parameters
    return [
        {
            **of,
            "width": replica.width,
            "parameters": parameters(replica.width or 0, 10),
            "seed": replica.seed,
            "epoch": measured.step // per_epoch,
            "on": measured.on,
            "loss": measured.loss,
            "error": round(1 - measured.accuracy, 6),
        }
        for replica, measured in trained.measured(scores)
    ]


STUDY = Study(
    name="double-descent",
    question="Does the test error of networks on MNIST-1D rise where they become just able to fit the training set, "
    "and fall again beyond?",
    presets={
        "smoke": DoubleDescentConfig(
            seeds=2,
            few_seeds=2,
            widths=(2, 9, 27, 61, 300),
            channels=(2, 10, 18, 100),
            frozen_channels=(2, 10, 18),
            epochs=3,
            n=200,
            widths_2020=(40, 190, 410),
            channels_2020=(35, 37, 40),
            epochs_2020=2,
            n_2020=300,
            evaluations=3,
            tests=300,
        ),
        "quick": DoubleDescentConfig(
            seeds=2,
            few_seeds=2,
            widths=(2, 4, 9, 16, 27, 36, 47, 61, 104, 300),
            channels=(2, 6, 10, 14, 18, 22, 30),
            frozen_channels=(2, 10, 18),
            epochs=100,
            n=1000,
            widths_2020=(10, 30, 50, 90, 150, 190, 230, 310, 410),
            channels_2020=(10, 25, 35, 37, 40),
            epochs_2020=20,
            tests=5000,
        ),
        "paper": DoubleDescentConfig(),
        "amended": DoubleDescentConfig(
            seeds=SEEDS,
            few_seeds=SEEDS,
            first_seed=FIRST_SEED,
            arms=("fresh",),
            widths=AMENDED_WIDTHS,
            channels=AMENDED_CHANNELS,
            widths_2020=(),
            channels_2020=(),
        ),
        "amended-smoke": DoubleDescentConfig(
            seeds=2,
            few_seeds=2,
            first_seed=90,
            arms=("fresh",),
            widths=AMENDED_WIDTHS,
            channels=(2, 8, 10, 12, 16, 18, 20, 22, 90),
            epochs=2,
            n=200,
            widths_2020=(),
            channels_2020=(),
            evaluations=2,
            tests=300,
        ),
        **ADDED_PRESETS,
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_sizes, "epochs": draw_epochs, "figure-2020": draw_2020},
    bands=BANDS,
    amendments=AMENDMENTS,
    amended_figures={"figure": draw_amended},
    shared_tests=(FRESH_TESTS, SharedTests(where={"arm": "frozen", "on": "test"}, examples=12_000)),
    protocol=ProtocolFile(__file__, {"epochs": EPOCHS, "curve_rows": CURVE_ROWS}),
)
