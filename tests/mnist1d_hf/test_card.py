import re
from pathlib import Path

import huggingface_hub
import pytest
import yaml
from datasets import Features
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs

from mnist1d_hf import DATA_VERSION, MNIST1D, RECIPES, golden
from mnist1d_hf.card import builtin_card
from mnist1d_hf.export import export
from mnist1d_hf.mnist1d import DATA_HISTORY

COMMITTED = Path(__file__).parents[2] / "dataset_card.md"


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
    assert committed == built_in, "write it anew: python -m mnist1d_hf.card dataset_card.md"


def test_the_command_writes_it(tmp_path, python):
    python("import runpy; runpy.run_module('mnist1d_hf.card', run_name='__main__')", tmp_path / "card.md")
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
        assert "None" not in text.split("---\n", 2)[2].replace("None of these configs uses it.", "")


def test_a_folder_s_card_tells_of_its_own_configs_only(with_files):
    for name in ("default", "long"):
        assert f"| `{name}` | train | x | `{golden.committed()[name]['train']['x']}` |" in with_files
    assert golden.committed()["no-shift"]["train"]["x"] not in with_files
    assert [row[0] for row in rows_of(with_files, "Configs")[2:]] == ["`default`", "`long`"]
