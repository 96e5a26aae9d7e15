"""The data set's card, generated from the builder's own numbers; its YAML is written by the libraries.

``python -m mnist1d_hf.card FILE`` writes it. A test keeps the committed ``dataset_card.md`` equal to it.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

import huggingface_hub
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs

from mnist1d_hf import golden
from mnist1d_hf.mnist1d import CITATION, DATA_HISTORY, DATA_VERSION, MNIST1D
from mnist1d_hf.population import population_mean_and_std
from mnist1d_hf.recipe import RECIPES
from mnist1d_hf.register import NAME
from mnist1d_hf.templates import digit_templates

METADATA: Final[Mapping[str, Any]] = {
    "pretty_name": "MNIST-1D",
    "license": "apache-2.0",
    "annotations_creators": ["machine-generated"],
    "task_categories": ["tabular-classification"],
    "tags": ["mnist1d", "1d", "signals", "synthetic", "benchmark", "science-of-deep-learning", "arxiv:2011.14439"],
}
SIZE_CATEGORIES: Final = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "n>1B")

_LOAD_GENERATED: Final = """\
import mnist1d_hf  # makes the name known; nothing is downloaded

dataset = load_dataset("mnist1d", "default")"""

Digests = Mapping[str, Mapping[str, Mapping[str, str]]]  # config, split, column


def dataset_card(builders: Sequence[MNIST1D], digests: Digests, *, path: str, with_files: bool) -> str:
    """The card of these configs, YAML header and Markdown.

    Args:
        builders: One builder a config.
        digests: SHA-256 of every column of every split of the configs that have exact content.
        path: What `load_dataset` is called with.
        with_files: Whether Parquet files lie beside the card and its header tells where.
    """
    data = huggingface_hub.DatasetCardData(**METADATA, size_categories=[_size_category(builders)])
    DatasetInfosDict({builder.config.name: builder.info for builder in builders}).to_dataset_card_data(data)
    if with_files:
        MetadataConfigs({builder.config.name: _metadata(builder) for builder in builders}).to_dataset_card_data(data)
    template = Template(files("mnist1d_hf").joinpath("card_template.md").read_text(encoding="utf-8"))
    body = template.substitute(
        load=_LOAD_GENERATED if path == NAME else f'dataset = load_dataset("{path}", "{builders[0].config.name}")',
        version=DATA_VERSION,
        history="\n".join(f"- **{version}**: {what}" for version, what in DATA_HISTORY.items()),
        configs=_config_table(builders),
        digests=_digest_table(digests),
        population=_population_table(builders),
        citation=CITATION,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def builtin_card() -> str:
    """The card of all configs of this release, as they are generated."""
    digests = {name: golden.committed()[name] for name in RECIPES if RECIPES[name].stream == "reference"}
    return dataset_card([MNIST1D(config_name=name) for name in RECIPES], digests, path=NAME, with_files=False)


def _metadata(builder: MNIST1D) -> dict[str, Any]:
    name = builder.config.name
    return {
        "version": str(builder.config.version),
        "description": builder.config.description,
        "data_files": [{"split": split, "path": f"{name}/{split}-*"} for split in builder.info.splits],
        **({"default": True} if name == MNIST1D.DEFAULT_CONFIG_NAME else {}),
    }


def _size_category(builders: Sequence[MNIST1D]) -> str:
    most = max(builder.info.splits.total_num_examples for builder in builders)
    return SIZE_CATEGORIES[min(max(len(str(most)) - 3, 0), len(SIZE_CATEGORIES) - 1)]


def _config_table(builders: Sequence[MNIST1D]) -> str:
    header = ("config", "train", "test", "points", "stream", "differs from the default in", "what it is for")
    rows = []
    for builder in builders:
        config, splits = builder.config, builder.info.splits
        changes = ", ".join(f"`{name}={value!r}`" for name, value in config.recipe.differences().items())
        rows.append(
            (
                f"`{config.name}`",
                f"{splits['train'].num_examples:,}",
                f"{splits['test'].num_examples:,}",
                str(config.recipe.final_seq_length),
                config.stream,
                changes or ("latent columns" if config.latents else "nothing"),
                config.description,
            )
        )
    return _table(header, rows)


def _digest_table(digests: Digests) -> str:
    rows = [
        (f"`{name}`", split, column, f"`{digest}`")
        for name, splits in digests.items()
        for split, columns in splits.items()
        for column, digest in columns.items()
    ]
    return _table(("config", "split", "column", "SHA-256"), rows)


def _population_table(builders: Sequence[MNIST1D]) -> str:
    rows = []
    for builder in builders:
        if builder.config.stream == "fast":
            mean, std = population_mean_and_std(builder.config.recipe, digit_templates())
            rows.append((f"`{builder.config.name}`", f"{mean:.9f}", f"{std:.9f}"))
    return _table(("config", "mean", "standard deviation"), rows) if rows else "None of these configs uses it."


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(builtin_card(), encoding="utf-8")
