import json
import re
from importlib.resources import files
from pathlib import Path

import huggingface_hub
import pytest
import yaml
from datasets import Features, load_dataset
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs

import mnist1d_hf
from mnist1d_hf import DATA_VERSION, MNIST1D, RECIPES
from mnist1d_hf.cache import golden
from mnist1d_hf.hub.card import builtin_card, merged_card, new_card, size_category
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.export import export
from mnist1d_hf.mnist1d import DATA_HISTORY

COMMITTED = Path(__file__).parents[3] / "dataset_card.md"


@pytest.fixture(scope="module")
def built_in():
    return builtin_card()


@pytest.fixture(scope="module")
def with_files(tmp_path_factory):
    """The card of an exported folder."""
    folder = tmp_path_factory.mktemp("exported") / "some-folder"
    export(folder, ["default", "long"])
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_committed_card_is_the_generated_one(built_in):
    committed = COMMITTED.read_text(encoding="utf-8")
    assert committed == built_in, "run make card"


def test_the_command_writes_it(tmp_path, python):
    python("import runpy; runpy.run_module('mnist1d_hf.hub.card', run_name='__main__')", tmp_path / "card.md")
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == COMMITTED.read_text(encoding="utf-8")


def test_both_libraries_read_its_header(built_in):
    data = huggingface_hub.DatasetCard(built_in).data
    assert data.license == "apache-2.0"
    assert data.pretty_name == "MNIST-1D"
    assert data.size_categories == ["1M<n<10M"]
    infos = DatasetInfosDict.from_dataset_card_data(data)
    assert infos.keys() == RECIPES.keys()
    for name, info in infos.items():
        builder = MNIST1D(config_name=name)
        assert info.features == Features(builder.info.features)
        sizes = {split: made.num_examples for split, made in builder.info.splits.items()}
        assert {split: found.num_examples for split, found in info.splits.items()} == sizes
    assert not MetadataConfigs.from_dataset_card_data(data)  # no files lie beside it


def test_the_header_tells_where_the_files_are_and_their_version(with_files):
    data = huggingface_hub.DatasetCard(with_files).data
    configs = MetadataConfigs.from_dataset_card_data(data)
    assert list(configs) == ["default", "long"]
    assert configs["long"]["data_files"] == [
        {"split": "train", "path": "long/train-*"},
        {"split": "test", "path": "long/test-*"},
    ]
    assert {config["version"] for config in configs.values()} == {DATA_VERSION}
    assert configs["long"]["description"] == RECIPES["long"].why
    assert configs.get_default_config_name() == "default"
    assert data.size_categories == ["1K<n<10K"]
    assert 'load_dataset("some-folder", "default")' in with_files
    assert "import mnist1d_hf" not in with_files


def test_the_header_is_yaml_between_two_lines(built_in):
    _, header, body = built_in.split("---\n", 2)
    assert yaml.safe_load(header).keys() >= {"license", "tags", "dataset_info", "task_categories"}
    assert body.startswith("\n# MNIST-1D")


def rows_of(text, title):
    """The cells of the table under a heading."""
    section = re.search(rf"^#+ {title}.*?(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL).group()
    return [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines() if line[:1] == "|"
    ]


def test_it_lists_every_config_with_its_numbers(built_in):
    header, _, *rows = rows_of(built_in, "Configs")
    cells = {row[0].strip("`"): dict(zip(header, row, strict=True)) for row in rows}
    assert cells.keys() == RECIPES.keys()
    for name, named in RECIPES.items():
        found, sizes = cells[name], named.recipe.split_sizes(named.stream)
        assert (found["train"], found["test"]) == tuple(f"{sizes[split]:,}" for split in ("train", "test"))
        assert (found["points"], found["stream"]) == (str(named.recipe.final_seq_length), named.stream)
        assert found["what it is for"] == named.why
        changes = found["differs from the default in"]
        assert all(f"{field}=" in changes for field in named.recipe.differences())


def test_it_lists_every_committed_digest(built_in):
    for name, splits in golden.committed().items():
        for split, columns in splits.items():
            for column, digest in columns.items():
                if isinstance(digest, str):
                    assert f"| `{name}` | {split} | {column} | `{digest}` |" in built_in


def test_it_tells_the_history_and_leaves_nothing_unfilled(built_in, with_files):
    assert all(f"**{version}**: {what}" in built_in for version, what in DATA_HISTORY.items())
    assert DATA_VERSION in DATA_HISTORY
    for text in (built_in, with_files):
        assert not re.search(r"\$[a-z{]", text)
        assert "None" not in text.split("---\n", 2)[2]
        assert "<!-- if" not in text
        assert "<!-- end -->" not in text


def test_a_folder_s_card_tells_of_its_own_configs_only(with_files):
    for name in ("default", "long"):
        assert f"| `{name}` | train | x | `{golden.committed()[name]['train']['x']}` |" in with_files
    assert golden.committed()["no-shift"]["train"]["x"] not in with_files
    assert [row[0] for row in rows_of(with_files, "Configs")[2:]] == ["`default`", "`long`"]


def body_of(text):
    return text.split("---\n", 2)[2]


def card_of(*names, **changes):
    """The card of a repository with these configs, made from their builders alone."""
    builders = {name: MNIST1D(config_name=name, **changes) for name in names}
    records = {name: ConfigRecord.of(builder, {}) for name, builder in builders.items()}
    return new_card(records, {name: builder.info for name, builder in builders.items()}, path="owner/data")


def test_nothing_is_said_of_configs_that_are_not_there():
    text = body_of(card_of("train-1k", "train-2k"))
    for word in ("`default`", '"default"', "Benchmark", "y_clean", "`padding`, `scale`", "`latents`", "not stratified"):
        assert word not in text
    assert "Population constants" not in text
    assert 'load_dataset("owner/data", "train-1k")' in text
    assert "Population constants" in body_of(card_of("large"))
    assert "y_clean" in body_of(card_of("label-noise"))
    assert "only in `latents`" in body_of(card_of("latents"))
    assert "only in `train-1k`" in body_of(card_of("train-1k", latents=True))
    with_default = body_of(card_of("default"))
    for word in ("The config `default` is the frozen data set", "## Benchmark", "not stratified"):
        assert word in with_default


def test_what_was_removed_is_no_longer_told():
    text = card_of("default", "latents")
    text = merged_card(text, {}, {}, removed=["default"], path="owner/data")
    assert "`default`" not in body_of(text)
    assert 'load_dataset("owner/data", "latents")' in text
    text = merged_card(text, {}, {}, removed=["latents"], path="owner/data")
    assert "load_dataset(" not in text
    assert "## Digests" not in text
    assert "size_categories" not in text


@pytest.mark.parametrize("power", range(14))
def test_sizes_are_those_that_the_hub_allows(power):
    allowed = json.loads(files("datasets.utils.resources").joinpath("size_categories.json").read_text())
    for examples in (10**power - 1, 10**power, 10**power + 1):
        found = size_category(examples)
        assert found in allowed
        low, _, high = re.fullmatch(r"(?:(\d+[KMBT]?)<)?n(<|>)(\d+[KMBT])", found).groups()
        numbers = [int(text[:-1] if text[-1] in "KMBT" else text) * 1000 ** " KMBT".find(text[-1]) for text in (high,)]
        assert examples >= numbers[0] if ">" in found else examples < numbers[0]
        assert low is None or examples >= int(low[:-1]) * 1000 ** " KMBT".find(low[-1])


ABOUT = {
    "license": "Apache-2.0",
    "homepage": "https://github.com/greydanus/mnist1d",
    "citation": MNIST1D(config_name="default").info.citation,
}


def test_licence_homepage_description_and_citation_survive_a_load(tmp_path):
    export(tmp_path / "out", ["default", "train-1k"])
    for name in ("default", "train-1k"):
        description = MNIST1D(config_name=name).info.description
        assert RECIPES[name].why in description
        for found in (
            load_dataset(str(tmp_path / "out"), name)["test"],
            mnist1d_hf.load(tmp_path / "out", name)["test"],
            mnist1d_hf.load(tmp_path / "out", name, split="test"),
            mnist1d_hf.load(tmp_path / "out", name, split="train[:3]"),
        ):
            assert {key: getattr(found.info, key) for key in ABOUT} == ABOUT
            assert found.info.description == description


def test_they_are_there_for_cards_of_earlier_releases_and_for_hostile_ones(tmp_path):
    export(tmp_path / "out", ["train-1k"])
    readme = tmp_path / "out" / "README.md"
    card = huggingface_hub.DatasetCard(readme.read_text(encoding="utf-8"))
    for entry in ({}, {"license": 3, "homepage": ["x"], "citation": "x" * 10**5}):
        info = {key: value for key, value in card.data["dataset_info"].items() if key not in {*ABOUT, "description"}}
        card.data["dataset_info"] = {**info, **entry}
        readme.write_text(str(card), encoding="utf-8")
        found = mnist1d_hf.load(tmp_path / "out", "train-1k", split="test")
        assert {key: getattr(found.info, key) for key in ABOUT} == ABOUT
        assert found.info.description == MNIST1D(config_name="train-1k").info.description
