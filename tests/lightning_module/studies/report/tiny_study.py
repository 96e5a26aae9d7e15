"""A small study whose verdicts are known, with texts that are hard on Markdown and HTML."""

from collections.abc import Mapping
from typing import Any

from lightning_module.studies.framework.cells import Band, Cell, Config, Outcome
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.figures import panels, published_line
from lightning_module.studies.framework.quantities import value
from lightning_module.studies.framework.study import Study

NASTY = 'a < b & c >= d | e_f_g *h* `i` [j](k) <script>alert("l")</script> $m$ \\'


def run_cell(config: Config, cell: Cell) -> Outcome:
    rows = [
        {"network": name, "seed": seed, "accuracy": level + 0.01 * seed}
        for name, level in (("cnn", 0.9), ("mlp", 0.6))
        for seed in range(config.seeds)
    ]
    return Outcome({"rows": rows}, data={"frozen": {"config": "default", "sha256": {"train": {"x": "ab" * 32}}}})


def draw(result: Any) -> Any:
    """Returns the accuracy of <both> networks | one point each.

    More about it.
    """
    figure, axes = panels()
    axes[0, 0].plot(result.rows["accuracy"])
    published_line(axes[0, 0], 0.94)
    return figure


CNN, MLP = value("accuracy", network="cnn"), value("accuracy", network="mlp")
CLAIMS = (
    Claim(name="true", text="CNN > MLP.", source="Blog & paper", finding=Finding(of=CNN - MLP, above=0.25)),
    Claim(name="false", text="MLP >= CNN", source="Blog", finding=Finding(of=MLP - CNN, above=0.0)),
    Claim(
        name="open",
        text=NASTY,
        source=NASTY,
        finding=(Finding(of=CNN, above=0.91), Finding(of=CNN - MLP, above=0.0)),
        number=Number(of=CNN, published=0.94),
    ),
    Claim(name="off", text="An MLP has 99 %.", source="Blog", number=Number(of=MLP, published=0.99)),
    Claim(name="never", text="It is fun.", source="Blog", not_tested=f"a matter of taste, {NASTY}"),
    Claim(name="own", text="Ours.", source="-", finding=Finding(of=CNN, above=0.0), exploratory=True),
)
PROTOCOL = """
# Networks
Two, on `a < b`; see [the paper](https://example.org/paper) and ![a picture](https://example.org/picture.png).

Departures
----------
- none

```
# no heading
```
"""


def study(name: str = "tiny", claims: tuple[Claim, ...] = CLAIMS) -> Study[Config]:
    return Study(
        name=name,
        question=f"What of {NASTY}?",
        presets={"paper": Config(seeds=3), "smoke": Config(seeds=2)},
        cells=lambda config: [Cell({})],
        run_cell=run_cell,
        claims=claims,
        figures={"figure": draw},
        bands=[Band(name="cnn", of=CNN, low=0.9, high=0.92), Band(name="mlp", of=MLP, low=0.9, high=1.0)],
        protocol=PROTOCOL,
    )


TINY = study()
UNRUN = study("unrun", CLAIMS[:2])
STUDIES: Mapping[str, Study[Any]] = {"tiny": TINY, "unrun": UNRUN}
