"""The data set's card, generated from records of its configs; its YAML is read and written by the libraries.

A card that others have edited keeps what they wrote: their configs, their metadata, and all text outside of our marks.

``python -m mnist1d_hf.hub.card FILE`` writes the card of this release's configs. A test keeps the committed
``dataset_card.md`` equal to it.
"""

import copy
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

import huggingface_hub
import yaml
from datasets import DatasetInfo
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs

from mnist1d_hf.bayes.limits import committed_limits
from mnist1d_hf.cache import golden
from mnist1d_hf.generator.recipe import RECIPES
from mnist1d_hf.hub.card_records import KEY, ConfigRecord, read_records, write_records
from mnist1d_hf.hub.header import parsed_header
from mnist1d_hf.markdown import table
from mnist1d_hf.mnist1d import CITATION, DATA_HISTORY, MNIST1D
from mnist1d_hf.register import NAME

CARD: Final = "README.md"
BYTE_ORDER_MARK: Final = "\ufeff"  # an editor may put it first, and then datasets and the Hub find no header
FIGURE: Final = "mnist1d-examples.png"  # in a folder or repository, beside the card
METADATA: Final[Mapping[str, Any]] = {
    "pretty_name": "MNIST-1D",
    "license": "apache-2.0",
    "annotations_creators": ["machine-generated"],
    "source_datasets": ["original"],
    "task_categories": ["tabular-classification"],
    "tags": ["mnist1d", "1d", "signals", "synthetic", "benchmark", "science-of-deep-learning", "arxiv:2011.14439"],
}
# Those that the Hub allows, by the number of digits beyond three.
SIZE_CATEGORIES: Final = (
    *("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"),
    *("1B<n<10B", "10B<n<100B", "100B<n<1T", "n>1T"),
)
ABOUT: Final = ("license", "homepage", "description", "citation")  # of a `DatasetInfo`
BEGIN: Final = "<!-- mnist1d-hf: generated from here on; write above, or below the end mark -->"
END: Final = "<!-- mnist1d-hf: end of what is generated -->"

_LOAD_GENERATED: Final = """\
import mnist1d_hf  # makes the name known; nothing is downloaded

dataset = load_dataset("mnist1d", "default")"""

Records = Mapping[str, ConfigRecord]
Infos = Mapping[str, DatasetInfo]


class CardError(ValueError):
    """A card that cannot be read, or that a config cannot be added to; the message says what to do."""


def new_card(records: Records, infos: Infos, *, path: str, with_files: bool = True) -> str:
    """Returns a whole card, YAML header and Markdown.

    Args:
        records: What is known of each config.
        infos: Features and sizes of each config.
        path: What `load_dataset` is called with.
        with_files: Whether Parquet files lie beside the card and its header tells where.
    """
    data = huggingface_hub.DatasetCardData(**copy.deepcopy(dict(METADATA)))
    _write_header(data, records, infos, with_files)
    section = _section(records, path, with_files)
    return f"---\n{data.to_yaml()}\n---\n" + (with_section("", section) if with_files else f"\n{section}\n")


def merged_card(
    existing: str,
    records: Records,
    infos: Infos,
    *,
    removed: Sequence[str] = (),
    completed: Records | None = None,
    path: str,
) -> str:
    """Returns a card with some configs written anew or taken out, and everything else as it was.

    Args:
        existing: The card so far.
        records: What is known of the configs to be written.
        infos: Features and sizes of those among them of which the card must tell them anew.
        removed: Configs to be taken out.
        completed: Records that are to be replaced, and nothing else of their configs.
        path: What `load_dataset` is called with.

    Raises:
        CardError: If the card's header cannot be read, or has a default config beside one named "default".
    """
    card = parsed(existing)
    before = _plain(card.data)
    kept = {name: record for name, record in read_records(card.data).items() if name not in removed}
    kept.update(completed or {})
    for key in ("configs", "dataset_info"):
        _take_out(card.data, key, removed)
    if not before:  # nobody has written a header yet
        for key, value in METADATA.items():
            card.data[key] = copy.deepcopy(value)
    own = not before or KEY in before
    _write_header(card.data, {**kept, **records}, infos, with_files=True, changed=records, own=own)
    _check_one_default(card.data)
    text = with_section(card.text, _section({**kept, **records}, path, with_files=True))
    if text == card.text and _plain(card.data) == before:
        return existing.removeprefix(
            BYTE_ORDER_MARK
        )  # also where the libraries would write the same header in another way
    card.text = text
    return str(card)


def parsed(text: str) -> huggingface_hub.DatasetCard:
    """Returns the card in its parts.

    Raises:
        CardError: If its header is not YAML, or not a mapping.
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        parsed_header(text.encode(), "the repository")  # what takes the client's parser for ever is refused here
        card = huggingface_hub.DatasetCard(text, ignore_metadata_errors=True)
        MetadataConfigs.from_dataset_card_data(card.data)
        _check_infos(card.data.get("dataset_info"))
        read_records(card.data)
    except (ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CardError(f"the header of {CARD} cannot be read ({reason}); repair it by hand, then try again") from error
    return card


def _check_infos(infos: Any) -> None:
    """Raises a ValueError if the libraries could not tell which configs `dataset_info` is about."""
    listed = infos if isinstance(infos, list) else []
    if not all(isinstance(entry, dict) and "config_name" in entry for entry in listed):
        raise ValueError("each entry of dataset_info must have a config_name")


def configs_of(text: str | None) -> MetadataConfigs:
    """Returns the configs that a card names, with their files."""
    return MetadataConfigs.from_dataset_card_data(parsed(text).data) if text else MetadataConfigs()


def builtin_card() -> str:
    """Returns the card of all configs of this release, as they are generated."""
    builders = {name: MNIST1D(config_name=name) for name in RECIPES}
    exact = {name: golden.committed().get(name, {}) for name in RECIPES if RECIPES[name].stream == "reference"}
    records = {name: ConfigRecord.of(builder, exact.get(name, {})) for name, builder in builders.items()}
    return new_card(records, {name: builder.info for name, builder in builders.items()}, path=NAME, with_files=False)


def figure() -> bytes:
    """Returns the picture in the card, PNG."""
    return files("mnist1d_hf.hub").joinpath("card_figure.png").read_bytes()


def _plain(data: huggingface_hub.CardData) -> dict[str, Any]:
    """Returns the header as it will be written."""
    return dict(yaml.safe_load(data.to_yaml()) or {})


def _write_header(
    data: huggingface_hub.CardData,
    records: Records,
    infos: Infos,
    with_files: bool,
    *,
    changed: Records | None = None,
    own: bool = True,
) -> None:
    """Writes everything that is about single configs, and the size of all of them if the card is our own."""
    DatasetInfosDict(infos).to_dataset_card_data(data)
    if with_files:
        _add_about(data, infos)
        present = MetadataConfigs.from_dataset_card_data(data)
        changed = records if changed is None else changed
        named = MNIST1D.DEFAULT_CONFIG_NAME in {*present, *changed}
        chosen = {name for name, entry in present.items() if entry.get("default") and not named}
        written = {name: _metadata(record, name in chosen) for name, record in changed.items()}
        MetadataConfigs(written).to_dataset_card_data(data)
    write_records(data, records)
    most = max((sum(record.examples.values()) for record in records.values()), default=0)
    if own and most:
        data["size_categories"] = [size_category(most)]
    elif own and "size_categories" in data:
        data.pop("size_categories")


def _add_about(data: huggingface_hub.CardData, infos: Infos) -> None:
    """Puts licence, description, homepage and citation where datasets reads them; it does not write them there."""
    listed = data.get("dataset_info") or []
    for entry in listed if isinstance(listed, list) else [listed]:
        info = infos.get(entry.get("config_name", MNIST1D.DEFAULT_CONFIG_NAME))
        entry.update({key: getattr(info, key) for key in ABOUT if info is not None and getattr(info, key)})


def size_category(examples: int) -> str:
    """Returns the category that the Hub puts a data set of this size into."""
    return SIZE_CATEGORIES[min(max(len(str(examples)) - 3, 0), len(SIZE_CATEGORIES) - 1)]


def _metadata(record: ConfigRecord, chosen: bool) -> dict[str, Any]:
    """Returns a config's entry; its owner may have chosen another one than "default" to be the default."""
    return {
        "version": record.version,
        "description": record.description,
        "data_files": record.expected_data_files(),
        **({"default": True} if chosen or record.config_name == MNIST1D.DEFAULT_CONFIG_NAME else {}),
    }


def _take_out(data: huggingface_hub.CardData, key: str, names: Sequence[str]) -> None:
    """Removes some configs' entries from a list of the header; datasets writes a list of one as a mapping."""
    entries = data.get(key)
    if not entries or not names:
        return
    listed = entries if isinstance(entries, list) else [entries]
    kept = [entry for entry in listed if entry.get("config_name", MNIST1D.DEFAULT_CONFIG_NAME) not in names]
    if kept:
        data[key] = kept
    else:
        data.pop(key)


def _check_one_default(data: huggingface_hub.CardData) -> None:
    try:
        MetadataConfigs.from_dataset_card_data(data).get_default_config_name()
    except ValueError as error:
        raise CardError(
            f"{error} datasets could load neither of them: take `default: true` out of the header of {CARD} first, or "
            "push this one under another name"
        ) from error


def with_section(text: str, section: str) -> str:
    """Returns a card's text with our section between its marks in the place of the old one, else at the end."""
    marked = f"{BEGIN}\n\n{section}\n\n{END}"
    if BEGIN in text and END in text:
        return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: marked, text, count=1, flags=re.DOTALL)
    return f"{text.rstrip()}\n\n{marked}\n" if text.strip() else f"\n{marked}\n"


def _section(records: Records, path: str, with_files: bool) -> str:
    """Returns the part of the card that is generated."""
    names = sorted(records, key=lambda name: (name not in RECIPES, [*RECIPES, name].index(name), name))
    ordered = [records[name] for name in names]
    latents = [f"`{record.config_name}`" for record in ordered if record.latents]
    facts = {
        "any": bool(ordered),
        "default": MNIST1D.DEFAULT_CONFIG_NAME in records,
        "noisy": any(record.made_of.label_noise for record in ordered),
        "latents": bool(latents),
        "fast": any(record.population for record in ordered),
        "sharded": any(record.shards for record in ordered),
    }
    template = files("mnist1d_hf.hub").joinpath("card_template.md").read_text(encoding="utf-8")
    body = Template(_true_parts(template, facts)).substitute(
        load=f'dataset = load_dataset("{path}", "{names[0]}")' if with_files and names else _LOAD_GENERATED,
        figure=FIGURE if with_files else f"mnist1d_hf/hub/{files('mnist1d_hf.hub').joinpath('card_figure.png').name}",
        history="\n".join(f"- **{version}**: {what}" for version, what in DATA_HISTORY.items()),
        configs=_config_table(ordered),
        latents=", ".join(latents),
        digests=_digest_table(ordered),
        population=_population_table(ordered),
        citation=CITATION,
    )
    return body.strip()


def _true_parts(template: str, facts: Mapping[str, bool]) -> str:
    """Returns the template without parts whose condition is false: ``<!-- if NAME -->`` to ``<!-- end -->``."""

    def chosen(part: re.Match[str]) -> str:
        return part["text"] if facts[part["name"]] != bool(part["negated"]) else ""

    pattern = r"<!-- if (?P<negated>not )?(?P<name>\w+) -->\n(?P<text>(?:(?!<!-- (?:if|end)).)*)<!-- end -->\n"
    while (shorter := re.sub(pattern, chosen, template, flags=re.DOTALL)) != template:  # the inner parts first
        template = shorter
    return template


def _config_table(records: Sequence[ConfigRecord]) -> str:
    header = (
        *("config", "version", "train", "test", "points", "stream", "Bayes accuracy"),
        *("differs from the default in", "what it is for"),
    )
    rows = []
    for record in records:
        changes = ", ".join(f"`{name}={value!r}`" for name, value in record.recipe.items())
        rows.append(
            (
                f"`{record.config_name}`",
                record.version,
                *(f"{record.examples.get(split, 0):,}" for split in ("train", "test")),
                str(record.points),
                record.stream,
                _bayes_accuracy(record),
                changes or ("latent columns" if record.latents else "nothing"),
                record.description,
            )
        )
    return table(header, rows)


def _bayes_accuracy(record: ConfigRecord) -> str:
    """Returns the best accuracy possible, by the exact posterior, with its standard error; "" if it is not computed."""
    if record.recipe.get("iid_noise_scale") == 0:
        return "none"
    named = RECIPES.get(record.config_name)
    limits = committed_limits().get(record.config_name)
    if named is None or limits is None or named.recipe.differences() != _as_given(record.recipe):
        return ""
    return f"{100 * limits.accuracy.mean:.3f} ± {100 * limits.accuracy.error:.3f} %"


def _as_given(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a recipe's changes as `Recipe.differences` has them; YAML makes lists of pairs."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in recipe.items()}


def _digest_table(records: Sequence[ConfigRecord]) -> str:
    rows = [
        (f"`{record.config_name}`", split, column, f"`{digest}`")
        for record in records
        for split, columns in record.digests.items()
        for column, digest in columns.items()
    ]
    return table(("config", "split", "column", "SHA-256"), rows)


def _population_table(records: Sequence[ConfigRecord]) -> str:
    rows = [
        (f"`{record.config_name}`", *(f"{value:.9f}" for value in record.population))
        for record in records
        if record.population
    ]
    return table(("config", "mean", "standard deviation"), rows)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(builtin_card(), encoding="utf-8")
