"""A linter of claims: rules that cannot say what they are to say, found before a run, or in its result.

Before a run each rule that looks at the shape of a curve is tried on made-up curves: of the shape that it expects, and
of the one that denies it. A rule that has no number there will have none later. With a result, the units are looked at
before their interval: whether there is a number for each, whether they vary, how many there are, and whether they fall
into clusters, of which a mean describes none. The words of a claim are looked at for adjectives that need a margin.
What is found is a question to whoever wrote the rule; the answer is a better rule, or an amendment.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from lightning_module.studies.framework.claims import Claim
from lightning_module.studies.framework.quantities import (
    Combined,
    Constant,
    Counted,
    Exact,
    Finding,
    NoRowsError,
    Quantity,
    Tables,
    Unpaired,
    Value,
)
from lightning_module.studies.framework.statistics import clusters
from lightning_module.studies.framework.turning_points import At, PeakAbove, Turn

if TYPE_CHECKING:
    from lightning_module.studies.framework.study import Study

LEAST_UNITS: Final = 5
TINY: Final = 1e-6  # a margin so near to none is none
Kind = Literal["undefined", "no variance", "few units", "clusters", "one unit apart", "grid", "rank", "adjective"]
# "Much more" says how much more; "as much" and "how many" do not.
ADJECTIVE: Final = re.compile(
    r"\b(?:(?:many|much|far) (?:more|less|fewer|better|worse|larger|smaller|higher|lower)"
    r"|significant(?:ly)?|substantial(?:ly)?|considerabl[ey]|dramatic(?:ally)?|drastic(?:ally)?|strongly|vastly"
    r"|greatly|hugely|markedly|massively|tremendously|enormously|noticeably|by far|a lot (?:more|less|better|worse)"
    r"|clearly (?:more|less|better|worse))\b",
    re.IGNORECASE,
)


class Fault(NamedTuple):
    """Something that a rule cannot be right with.

    Attributes:
        claim: The name of the claim.
        kind: What it is.
        what: In a sentence.
    """

    claim: str
    kind: Kind
    what: str


def faults(
    claims: Sequence[Claim], tables: Tables | None = None, words: Mapping[str, str] | None = None
) -> list[Fault]:
    """Returns what is found in claims that are to be tested.

    Args:
        claims: The claims.
        tables: Of a result, to look at its units too.
        words: What the source says in its own words, by the name of the claim, where the claim's text has others.
    """
    found: list[Fault] = []
    for claim in claims:
        if claim.not_tested is None:
            found += adjectives(claim, (words or {}).get(claim.name, ""))
            found += ranks(claim)
            for finding in claim.findings:
                found += on_made_up_curves(claim, finding.of)
                found += [] if tables is None else in_units(claim, finding.of, tables)
    return list(dict.fromkeys(found))


def faults_of(study: "Study[Any]", tables: Tables | None = None) -> list[Fault]:
    """Returns what is found in the claims of a study, and in the number of seeds of its largest preset.

    Args:
        study: The study.
        tables: Of a result, if there is one.
    """
    found = faults(study.claims, tables)
    largest = study.presets.get("paper") or max(study.presets.values(), key=lambda preset: preset.seeds, default=None)
    if largest is not None and largest.seeds < LEAST_UNITS:
        few = f"{largest.seeds} seeds in its largest preset; with fewer than {LEAST_UNITS} one seed can decide"
        found += [Fault(c.name, "few units", few) for c in study.claims if c.findings and not _is_exact(c)]
    return found


def adjectives(claim: Claim, words: str = "") -> Iterator[Fault]:
    """Yields adjectives of size of a claim that has a contrast without a margin: zero, one for a ratio, or next to it.

    Args:
        claim: The claim.
        words: The source's own.
    """
    said = ADJECTIVE.search(words) or ADJECTIVE.search(claim.text)
    if said and any(_is_bare(finding) for finding in claim.findings):
        yield Fault(claim.name, "adjective", f"{said[0]!r} needs a margin, and {_margins(claim)} is none")


def _is_bare(finding: Finding) -> bool:
    neutral = 1.0 if isinstance(finding.of, Combined) and finding.of.operation == "/" else 0.0
    ratio = isinstance(finding.of, Value) and finding.of.column.startswith("times_")
    neutral = 1.0 if ratio else neutral
    return len(finding.margins) == 1 and abs(finding.margins[0] - neutral) < TINY


def ranks(claim: Claim) -> Iterator[Fault]:
    """Yields contrasts that are ranks: of how much is behind a rank they say nothing.

    Args:
        claim: The claim.
    """
    for finding in claim.findings:
        for leaf in (finding.of, *_leaves(finding.of)):
            if isinstance(leaf, Value) and re.match(r"rank(_|$)", leaf.column):
                yield Fault(claim.name, "rank", f"{leaf.column!r} is a rank; take the difference that it is made of")


def _margins(claim: Claim) -> str:
    return ", ".join(sorted({f"{margin:g}" for finding in claim.findings for margin in finding.margins}))


def _is_exact(claim: Claim) -> bool:
    return all(isinstance(finding.of, Exact | Counted) for finding in claim.findings)


# Rules on made-up curves.

Curve = At | PeakAbove | Turn
SEEDS: Final = 6
STEPS: Final = 13  # sizes, or epochs


def on_made_up_curves(claim: Claim, of: Quantity) -> Iterator[Fault]:
    """Yields the shapes of curves on which a quantity has no number in any unit, if it is about shapes.

    Args:
        claim: The claim.
        of: A quantity of it.
    """
    curves = list(curves_in(of))
    if not curves or any(isinstance(leaf, Value) for leaf in _leaves(of)):
        return
    shapes: tuple[str, ...] = ("with a peak behind a valley", "that only falls")
    if all(getattr(each, "bound", None) is not None for each in curves):
        shapes = ("with a peak behind a valley",)  # which is that of the other curves; a bound is crossed by any
    for shape in shapes:
        series = _numbers(of, _world(curves, shape))
        if series is None or not np.isfinite(series).any():
            yield Fault(claim.name, "undefined", f"no number in any unit on a curve {shape}")


def _numbers(of: Quantity, tables: Tables) -> "list[float] | None":
    try:
        return [float(number) for number in of.per_unit(tables)]
    except (NoRowsError, ValueError):
        return None


def curves_in(of: Quantity) -> Iterator[Curve]:
    """Yields the quantities within a quantity that are about the shape of a curve."""
    if _is_curve(of):
        yield of  # type: ignore[misc]
        return
    for part in _parts(of):
        yield from curves_in(part)


def _is_curve(of: Quantity) -> bool:
    """Returns whether a quantity is about the shape of a curve, as is one of a study's own with a value `curve`."""
    return isinstance(getattr(of, "curve", None), Value)


def _leaves(of: Quantity) -> Iterator[Quantity]:
    """Yields the quantities within a quantity that are no curves and have none in them."""
    if _is_curve(of):
        return
    parts = list(_parts(of))
    if not parts and not isinstance(of, Constant):
        yield of
    for part in parts:
        yield from _leaves(part)


def _parts(of: Quantity) -> Iterator[Quantity]:
    if not is_dataclass(of):
        return
    for field in fields(of):
        entry = getattr(of, field.name)
        yield from (each for each in (entry if isinstance(entry, tuple) else (entry,)) if isinstance(each, Quantity))


def _world(curves: Sequence[Curve], shape: str) -> Tables:
    """Returns tables in which all curves are of a shape, and those that cross a bound do so where the peak is."""
    import pandas as pd

    valley = sorted({size for each in curves if isinstance(each, PeakAbove) for size in each.valley}) or [8, 16]
    last = valley[-1]
    sizes = sorted({2, *valley, *(round(last * 1.5**i) for i in range(1, STEPS))})
    top = round(last * 1.5**4)
    made: dict[tuple[str, str], dict[str, Any]] = {}
    for each in curves:
        of, where = each.curve, {k: v[0] if isinstance(v, tuple) else v for k, v in each.curve.where.items()}
        along = [round(1.7**i) for i in range(STEPS)] if isinstance(each, Turn) else sizes
        axis = "epoch" if isinstance(each, Turn) else (each.size if isinstance(each, PeakAbove) else "width")
        key = (of.table, repr(sorted(where.items(), key=repr)))
        rows = made.setdefault(key, {**where, axis: along})
        if not isinstance(each, Turn):
            rows["parameters"] = [50 * size * size for size in along]
        bound = each.bound if isinstance(each, At) else None
        middle = along[7] if isinstance(each, Turn) else top
        rows.setdefault("error", [0.5] * len(along))  # by which living networks are known
        rows[of.column] = [_height(each, shape, size, along, middle, last, bound) for size in along]
    tables: dict[str, list[Any]] = {}
    for (table, _), rows in made.items():
        for seed in range(SEEDS):
            jitter = 1 + 0.01 * seed
            frame = pd.DataFrame(rows).assign(**{each.curve.unit or "seed": seed for each in curves[:1]})
            columns = {e.curve.column for e in curves if e.curve.column in frame}
            tables.setdefault(table, []).append(frame.assign(**{c: frame[c] * jitter for c in columns}))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}


def _height(
    each: Curve, shape: str, at: float, along: Sequence[int], top: int, last: int, bound: float | None
) -> float:
    """Returns the height of a made-up curve: highest at the first place, as small networks are bad in any case."""
    way = math.log(at / along[0]) / math.log(along[-1] / along[0])  # 0 to 1
    if bound is not None:
        here = math.log(top / along[0]) / math.log(along[-1] / along[0])
        return bound * max(0.0, 1 + 40 * (here - way)) if way < here + 0.05 else 0.0
    falling = 0.75 - 0.45 * way + max(0.0, 1.5 - 15 * way)
    if shape == "that only falls":
        return falling
    away = math.log(at / top) / math.log(1.5)
    deep = 0.2 if at >= (last if not isinstance(each, Turn) else along[3]) else 0.2 * way
    return falling - deep + 0.5 * math.exp(-(away**2) / 3)


# The units of a result.


def in_units(claim: Claim, of: Quantity, tables: Tables) -> Iterator[Fault]:
    """Yields what is wrong with the units that a contrast has in a result.

    Args:
        claim: The claim.
        of: A quantity of it.
        tables: The tables of the result.
    """
    if isinstance(of, Unpaired):
        yield from in_units(claim, of.left, tables)
        yield from in_units(claim, of.right, tables)
        return
    if isinstance(of, Exact):
        return
    try:
        if isinstance(of, Counted):
            trials = of.counts(tables)[1]
            if trials < LEAST_UNITS:
                yield _few(claim, trials)
            return
        numbers = [float(number) for number in of.per_unit(tables)]
    except NoRowsError:
        return  # what a result does not have is said by its verdict
    known = [number for number in numbers if math.isfinite(number)]
    if len(known) < len(numbers):
        yield Fault(claim.name, "undefined", f"no number in {len(numbers) - len(known)} of {len(numbers)} units")
    if not known:
        return
    if len(numbers) < LEAST_UNITS:
        yield _few(claim, len(numbers))
    if len(known) > 1 and float(np.std(known)) <= 1e-9 * (1 + abs(float(np.mean(known)))):
        yield Fault(claim.name, "no variance", f"{known[0]:.4g} in all {len(known)} units, of which no p-value comes")
    elif len(known) >= LEAST_UNITS and len(set(known)) == 2:
        steps = " or ".join(f"{number:.4g}" for number in sorted(set(known)))
        yield Fault(claim.name, "grid", f"{steps} in all {len(known)} units: steps of a grid, or ranks")
    elif groups := clusters(known):
        low, high = (f"{min(group):.4g} to {max(group):.4g}" for group in groups)
        alone = min(map(len, groups)) == 1
        what = f"one of {len(known)} units is far from the others: {low}, and {high}"
        if not alone:
            what = f"{len(groups[0])} units are at {low}, and {high} in {len(groups[1])} others: a mean is neither"
        yield Fault(claim.name, "one unit apart" if alone else "clusters", what)


def _few(claim: Claim, units: int) -> Fault:
    return Fault(claim.name, "few units", f"{units} units; with fewer than {LEAST_UNITS} one of them can decide")
