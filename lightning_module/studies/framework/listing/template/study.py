"""Why a CNN leads over an MLP: with translated digits, and without.

The runs that answer the question, and the study that holds everything together.
"""

from dataclasses import dataclass

from lightning_module.studies import Cell, Config, Outcome, Study, frozen, grid, train
from lightning_module.studies.framework.protocol import ProtocolFile

from .claims import CLAIMS
from .figures import draw_accuracy


@dataclass(frozen=True, kw_only=True)
class Numbers(Config):
    """The numbers of a run, which `--set seeds=10 steps=1000` changes.

    Attributes:
        steps: Of each training.
    """

    steps: int = 400


def run_cell(config: Numbers, cell: Cell) -> Outcome:
    """Returns the rows of one network on one data set: all seeds are trained at once."""
    data = frozen(cell["data"])
    trained = train(cell["network"], config.seeds, data.train, steps=config.steps, evaluate={"test": data.test})
    return Outcome({"rows": trained.rows(**cell.of)}, data={cell["data"]: data.what})


PRESETS = {
    "smoke": Numbers(seeds=2, steps=40),
    "quick": Numbers(seeds=5),
    "paper": Numbers(seeds=10, steps=6000),
}
STUDY = Study(
    name="template",
    question="Does a CNN lead over an MLP because the digits are translated?",
    presets=PRESETS,
    cells=grid(network=["mlp", "cnn"], data=["default", "no-shift"]),
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_accuracy},
    protocol=ProtocolFile(__file__, {"steps": PRESETS["paper"].steps}),
)
