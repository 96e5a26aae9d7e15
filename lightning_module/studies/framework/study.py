"""`Study`: cells of work in, a `Result` out; interrupted, it goes on where it was.

A study is its presets, the cells that its work falls into, a function that does one cell, its claims and its figures.
Cells know nothing of each other, and each is computed by one thread, so a result depends neither on the number of
processes that share the work nor on interruptions. A finished cell is a file, and is not computed again.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from lightning_module.studies.framework.amendments import SMOKE, Amended, Amendment, amended, of_preset, with_amendments
from lightning_module.studies.framework.cells import Band, C, Cell, Outcome, Row, SharedTests
from lightning_module.studies.framework.claims import Claim, NumberWord, Verdict, claims_digest, judge
from lightning_module.studies.framework.protocol import ProtocolText
from lightning_module.studies.framework.quantities import NoRowsError
from lightning_module.studies.framework.records.json_files import as_json
from mnist1d_hf.engine.local import LocalEngine
from mnist1d_hf.generator.recipe import nearest

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result
    from mnist1d_hf.engine.engine import Engine


@dataclass(frozen=True, kw_only=True)
class Study(Generic[C]):
    """A question that is answered by training networks.

    Attributes:
        name: How it is called.
        question: What it asks, in a sentence.
        presets: Its numbers by size: "smoke" for seconds, "quick" for minutes, "paper" for the published protocol.
        cells: The work for a config, in pieces.
        run_cell: Does one piece, and returns its rows, or an `Outcome`. It decides everything by the config and the
            cell: no global random state, no result of another cell.
        claims: What is put to the test.
        figures: Functions that draw a result, by the name of the file; "figure" is the main one.
        bands: Regression checks.
        protocol: What was done, and where it departs from the source, in Markdown: a text or a `ProtocolFile`.
        of_the_moment: By table, the columns that no two runs need share: times, and why data could not be had.
        amendments: Rules that stand beside those of `claims`, which stay as they were.
        amended_figures: Functions that draw the result of a preset that decides amendments, if not those of `figures`.
        shared_tests: Test sets that all seeds have in common, so that their sampling is no part of the spread of seeds.
    """

    name: str
    question: str
    presets: Mapping[str, C]
    cells: Callable[[C], Sequence[Cell]]
    run_cell: Callable[[C, Cell], Outcome | list[Row]]
    claims: Sequence[Claim] = ()
    figures: Mapping[str, "Callable[[Result], Figure]"] = field(default_factory=dict)
    bands: Sequence[Band] = ()
    protocol: ProtocolText = ProtocolText()  # noqa: RUF009  # a descriptor: the default is what it returns, ""
    of_the_moment: Mapping[str, Sequence[str]] = field(default_factory=dict)
    amendments: Sequence[Amendment] = ()
    amended_figures: Mapping[str, "Callable[[Result], Figure]"] = field(default_factory=dict)
    shared_tests: Sequence[SharedTests] = ()

    def __post_init__(self) -> None:
        for what, listed in (("claims", self.claims), ("amendments", [each.claim for each in self.amendments])):
            names = [claim.name for claim in listed]
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"{what} of study {self.name!r}: {min(twice)!r} is the name of more than one")
        with_amendments(self.claims, self.amendments)  # each is about a claim

    def config(self, preset: str, **changes: Any) -> C:
        """Returns the numbers of a preset, some of them changed.

        Raises:
            ValueError: If there is no such preset, or number.
        """
        if preset not in self.presets:
            raise ValueError(f"preset={preset!r} of study {self.name!r} is not known{nearest(preset, self.presets)}")
        known = [f.name for f in dataclasses.fields(self.presets[preset])]
        if unknown := changes.keys() - set(known):
            raise ValueError(f"study {self.name!r} has no number {min(unknown)!r}{nearest(min(unknown), known)}")
        return dataclasses.replace(self.presets[preset], **changes)

    def preset_of(self, config: "C | str") -> str:
        """Returns the name of the preset that has these numbers, or "custom"."""
        if isinstance(config, str):
            return config
        return next((name for name, preset in self.presets.items() if preset == config), "custom")

    def folder(self, config: "C | str") -> Path:
        """Returns where a run is kept if nothing else is said: `outputs/studies/NAME-PRESET`."""
        return Path("outputs", "studies", f"{self.name}-{self.preset_of(config)}")

    def run(
        self,
        config: "C | str" = "quick",
        *,
        folder: "str | os.PathLike[str] | None" = None,
        workers: int = 1,
        progress: bool = False,
        restart: bool = False,
        engine: "Engine | None" = None,
        wait: bool = True,
    ) -> "Result":
        """Returns the result, after computing what of it the folder does not hold yet.

        Several processes, also on several machines, may run the same study in the same folder: they share the cells,
        and take over those of one that died. The rows are the same whoever computed them, on one kind of processor.

        Args:
            config: The numbers, or the name of a preset.
            folder: Where the cells and the result are kept; see `folder` for None.
            workers: Processes that share the cells. More than one needs a study that can be imported.
            progress: Whether to show a bar with the remaining time.
            restart: Whether to compute again what is there.
            engine: What computes the cells in place of `workers`, such as a `RayEngine`; more than one process needs a
                study that can be imported.
            wait: Whether to wait for cells that others compute, and to compute those of others that died.

        Raises:
            ValueError: If the folder holds a run with other numbers; or if it is to be begun anew while others are at
                it.
            CellError: If `run_cell` raises an exception, which is its cause.
            UnfinishedError: If others are at cells still, and `wait` is false.
        """
        from lightning_module.studies.framework.running.runner import run  # which imports torch

        return run(
            self,
            config,
            folder=folder,
            engine=LocalEngine(workers) if engine is None else engine,
            progress=progress,
            restart=restart,
            wait=wait,
        )

    def judge(self, result: "Result") -> list[Verdict]:
        """Returns the two verdicts on each claim that a result is to decide: see `claims_of`.

        A result that says nothing, see `says_nothing`, decides none.
        """
        claims = self.claims_of(result.preset)
        reason = self.says_nothing(result)
        return _undecided(claims, reason) if reason else judge(claims, result.tables)

    def says_nothing(self, result: "Result") -> str:
        """Returns why a result says nothing about any claim: it is a smoke run, whose networks hardly learn. Else "".

        More seeds do not change that: `smoke` with another number of them is one, too.

        Args:
            result: A result of the study.
        """
        smoke = [preset.record() for name, preset in self.presets.items() if f"-{name}".endswith(SMOKE)]
        any_seeds = {"seeds": 0, "first_seed": 0}
        like_smoke = (as_json(record) | any_seeds == result.config | any_seeds for record in smoke)
        if not (any(like_smoke) if result.preset == "custom" else f"-{result.preset}".endswith(SMOKE)):
            return ""
        unit = next((unit for unit in ("steps", "epochs") if isinstance(result.config.get(unit), int)), None)
        if unit is None:
            return "a smoke run says nothing"
        count = result.config[unit]
        return f"{count:,} {unit.removesuffix('s')} says nothing" if count == 1 else f"{count:,} {unit} say nothing"

    def amended(
        self, result: "Result", runs: "Sequence[Result]" = (), judged: Sequence[Verdict] | None = None
    ) -> list[Amended]:
        """Returns each amendment with the old verdict and the new one.

        Args:
            result: The result that the old verdicts are about.
            runs: Results of the presets that decide amendments, as far as they were run.
            judged: The verdicts of `judge` on the result, where they are known.
        """
        tables = {run.preset: run.tables for run in runs}
        return amended(self.claims, self.amendments, result.tables, tables, judged)

    def claims_of(self, preset: str) -> Sequence[Claim]:
        """Returns the claims that a preset decides: for one that was made for amendments, those as they were amended.

        Args:
            preset: Its name.
        """
        return of_preset(self.amendments, preset) or self.claims

    def figures_of(self, preset: str) -> Mapping[str, "Callable[[Result], Figure]"]:
        """Returns the functions that draw a result of a preset."""
        return (self.amended_figures if of_preset(self.amendments, preset) else {}) or self.figures

    def claims_sha256_of(self, preset: str) -> str:
        """Returns the digest of the claims that a preset decides."""
        return claims_digest(self.claims_of(preset))

    @property
    def claims_sha256(self) -> str:
        """Returns the digest of the claims, by which a rule that was changed after a run is seen."""
        return claims_digest(self.claims)

    def outside(self, result: "Result") -> Iterator[tuple[Band, float]]:
        """Yields the bands that a result is outside of, and where it is."""
        for band, mean in self.measured(result):
            if not band.low <= mean <= band.high:
                yield band, mean

    def measured(self, result: "Result") -> Iterator[tuple[Band, float]]:
        """Yields each band and where a result is; not those about rows it lacks, such as the published last step's."""
        for band in self.bands:
            if any(result.config.get(name) != number for name, number in band.numbers.items()):
                continue
            try:
                yield band, float(band.of.per_unit(result.tables).mean())
            except NoRowsError:
                continue


def _undecided(claims: Sequence[Claim], reason: str) -> list[Verdict]:
    """Returns verdicts that say nothing about any claim.

    Args:
        claims: The claims.
        reason: Why nothing can be said; of a claim that is never tested, its own reason stays.
    """
    words: dict[bool, NumberWord] = {True: "not tested", False: "none published"}
    return [
        Verdict(claim, "not tested", words[claim.number is not None], reason=claim.not_tested or reason)
        for claim in claims
    ]
