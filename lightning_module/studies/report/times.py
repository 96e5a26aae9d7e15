"""The run times that the sources promise, beside what one core takes here and what the studies of this package took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.markdown import escape
from lightning_module.studies.report.places import Places
from lightning_module.studies.report.rows import linked
from lightning_module.studies.report.words import FINDINGS, finding_words, interval_words
from mnist1d_hf.markdown import table


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A run time that a source promises.

    Attributes:
        of: The experiment.
        promised: How long it takes, as the source says.
        study: The study that repeats it, with more around it.
        claim: The claim of the study of the data set that is about it, if there is one.
        contains: What the study has beyond the published experiment; numbers of its config in braces.
    """

    of: str
    promised: str
    study: str
    claim: str | None = None
    contains: str


PROMISES: Final = (
    Promise(
        of="four networks, points in order and shuffled",
        promised="about 10 minutes, CPU",
        study="benchmark",
        claim="time-classification",
        contains="{seeds} seeds on the frozen data and {seeds} on fresh ones, {tests} more test signals",
    ),
    Promise(
        of="pooling",
        promised="about 5 minutes",
        study="pooling",
        claim="time-pooling",
        contains="{seeds} seeds, also with matched parameters, nested data and equal epochs",
    ),
    Promise(
        of="self-supervision",
        promised="about 1 minute of training, CPU; about 5 minutes in all",
        study="self-supervision",
        claim="time-three-encoders",
        contains="{seeds} seeds on the frozen data and {seeds} on fresh ones, probes of all layers over the training",
    ),
    Promise(
        of="learning rate",
        promised="1 minute, CPU; seconds, says the blog post",
        study="learning-rate",
        claim="time-learning-rate",
        contains="{seeds} seeds on the frozen data and {seeds} on fresh ones, more starts, the whole landscape",
    ),
    Promise(
        of="activation function",
        promised="about 1 hour, CPU",
        study="activation",
        claim="time-activation",
        contains="{meta_seeds} meta-trainings, a fair test on {seeds} seeds with tuned baselines, transfer to images",
    ),
    Promise(
        of="double descent",
        promised="about 30 minutes, GPU",
        study="double-descent",
        claim="time-double-descent",
        contains="{seeds} seeds of the MLP and {few_seeds} of the CNN, clean and noisy labels, the form of 2020",
    ),
    Promise(
        of="lottery tickets",
        promised="about 30 minutes, GPU; a few minutes, says the blog post",
        study="lottery",
        claim="time-lottery",
        contains="{seeds} tickets instead of 2, {permutations} permutations each, masks drawn at random",
    ),
)
DATASET: Final = "dataset"
NOT_RUN: Final = "not yet run"

HEADER: Final = (
    "experiment",
    "promised",
    "the published experiment, one core here, minutes",
    "kept",
    "our study, hours of one core",
    "what ours has",
)

INTRODUCTION: Final = (
    "The paper gives a run time with nearly every experiment. The third column has that experiment's own work in "
    "processor time of one core, extrapolated from pieces of it, as the study of the data set measured it. Our studies "
    "do far more than the published experiments, which the last two columns say; their hours are those of the clock, "
    "summed over cells that shared the machine's cores."
)


def has_times(found: Sequence[Entry]) -> bool:
    """Returns whether a report is about a study that a run time was promised for."""
    return any(_entry(found, promise.study) for promise in PROMISES)


def run_times(found: Sequence[Entry], places: Places) -> str:
    """Returns the table of run times."""
    rows = [_row(found, promise, places) for promise in PROMISES if _entry(found, promise.study)]
    return table([escape(name) for name in HEADER], rows)


def _row(found: Sequence[Entry], promise: Promise, places: Places) -> list[str]:
    entry = _entry(found, promise.study)
    assert entry is not None  # for the type checker: the caller has looked
    result = entry.result
    link = linked(entry, places.index, places)
    hours = NOT_RUN
    contains = ""
    if result is not None:
        seconds = result.provenance.get("cell_seconds")
        hours = "-" if seconds is None else f"{float(seconds) / 3600:.2f}"
        preset = "" if result.preset == "paper" else f"preset {result.preset}: "
        contains = preset + promise.contains.format(**{name: _count(value) for name, value in result.config.items()})
    measured, kept = _measured(found, promise.claim)
    cells = (promise.promised, measured, kept, hours, contains or "-")
    return [f"{escape(promise.of)} ({link})", *map(escape, cells)]


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _measured(found: Sequence[Entry], claim: str | None) -> tuple[str, str]:
    """Returns the minutes of the published experiment, and the verdict on its promise."""
    entry = _entry(found, DATASET)
    for verdict in entry.verdicts if entry else ():
        if verdict.claim.name == claim:
            (part,) = verdict.parts or (None,)
            minutes = interval_words(part.interval, units=part.units) if part else "-"
            return minutes, finding_words(verdict) if part else FINDINGS["not tested"]
    return "-", "-"


def _entry(found: Sequence[Entry], study: str) -> Entry | None:
    """Returns the entry of a study, the first of several."""
    return next((entry for entry in found if entry.study is not None and entry.study.name == study), None)
