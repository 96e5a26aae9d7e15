import json
import os
from pathlib import Path

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from mnist1d_hf import DATA_VERSION, MNIST1D, RECIPES, RecipeError, as_numpy
from mnist1d_hf.cache import golden
from mnist1d_hf.hub import export
from mnist1d_hf.hub.card import FIGURE
from mnist1d_hf.hub.parquet import write_parquet
from mnist1d_hf.hub.sharded import choice
from mnist1d_hf.shards.writing import CHUNKING

# Loads a folder in a process that has no such package, and writes what it got.
LOAD_WITHOUT_PACKAGE = """
import sys

class NoPackage:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"mnist1d_hf", "lightning_module"}:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, NoPackage())
import datasets, numpy as np

folder, config, out = sys.argv[1:]
dataset = datasets.load_dataset(folder, config)
x = {split: dataset[split].with_format("numpy")[:] for split in dataset}
np.savez(out, **{f"{split}.{name}": x[split][name] for split in x for name in x[split]})
print(dataset["train"].features == dataset["test"].features, dataset["train"].features)
print(dataset["train"].info.version, "mnist1d_hf" in sys.modules)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder with three configs, one with each kind of columns."""
    folder = tmp_path_factory.mktemp("exported") / "mnist1d-files"
    export.export(folder, ["default", "label-noise", "latents"])
    return folder


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["default", "label-noise", "latents"])
def test_an_export_loads_without_the_package_as_what_the_builder_makes(exported, python, tmp_path, name):
    lines = python(LOAD_WITHOUT_PACKAGE, exported, name, tmp_path / "out.npz").splitlines()
    dataset = load_dataset("mnist1d", name)
    assert lines == [f"True {dataset['train'].features}", f"{DATA_VERSION} False"]
    found = np.load(tmp_path / "out.npz")
    expected = {f"{split}.{column}": values for split in dataset for column, values in as_numpy(dataset[split]).items()}
    assert set(found.files) == expected.keys()
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values, strict=True)


def test_an_export_is_named_as_the_hub_does_and_small(exported):
    assert set(contents(exported)) == {
        "README.md",
        FIGURE,
        *(
            f"{name}/{split}-00000-of-00001.parquet"
            for name in ("default", "label-noise", "latents")
            for split in ("train", "test")
        ),
    }
    assert sum(path.stat().st_size for path in (exported / "default").iterdir()) <= 690_000


def test_files_are_made_for_the_hub_s_viewer(tmp_path):
    write_parquet(load_dataset("mnist1d", "train-50k", split="train").select(range(1000)), tmp_path / "x.parquet")
    metadata = pq.ParquetFile(tmp_path / "x.parquet").metadata
    column = metadata.row_group(0).column(0)
    assert column.path_in_schema == "x.list.element"
    assert column.compression == "ZSTD"
    assert "BYTE_STREAM_SPLIT" in column.encodings
    for i in range(2):
        assert metadata.row_group(0).column(i).has_offset_index
        assert metadata.row_group(0).column(i).has_column_index
    assert json.loads(metadata.metadata[b"content_defined_chunking"]) == CHUNKING
    again = load_dataset("parquet", data_files=str(tmp_path / "x.parquet"), split="train")
    assert again.features == load_dataset("mnist1d", "train-50k", split="train").features


def test_pages_are_cut_by_content_so_that_a_changed_file_shares_most_of_its_bytes(tmp_path):
    rows = load_dataset("mnist1d", "train-20k", split="train")
    for name, part in (("all", rows), ("less", rows.select(range(7, len(rows))))):
        write_parquet(part, tmp_path / name)
    before, after = ((tmp_path / name).read_bytes() for name in ("all", "less"))
    pieces = [before[start : start + 1024] for start in range(0, len(before) - 1024, 10_000)]
    assert sum(piece in after for piece in pieces) / len(pieces) > 0.95


def test_the_options_are_those_of_datasets_itself():
    options = getattr(datasets.config, "DEFAULT_CDC_OPTIONS", CHUNKING)  # not yet in 4.0
    assert options == CHUNKING


def test_the_card_of_an_export_tells_its_sizes_and_digests(exported):
    readme = (exported / "README.md").read_text(encoding="utf-8")
    size = sum(path.stat().st_size for path in (exported / "default").iterdir())
    assert f"download_size: {size}" in readme
    for split, columns in golden.committed()["default"].items():
        assert all(f"| `default` | {split} | {column} | `{digest}` |" in readme for column, digest in columns.items())
    assert "| `long` |" not in readme
    assert 'load_dataset("mnist1d-files", "default")' in readme


def test_without_names_every_config_of_the_reference_stream_is_exported(tmp_path, monkeypatch):
    few = {name: RECIPES[name] for name in ("default", "train-1k", "large")}
    monkeypatch.setattr(choice, "RECIPES", few)
    export.export(tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {"default", "train-1k"}


def test_a_config_named_twice_is_written_once(tmp_path):
    written = export.export(tmp_path / "out", ["train-1k", "train-1k"])
    assert [path.name for path in written] == [
        "README.md",
        FIGURE,
        "test-00000-of-00001.parquet",
        "train-00000-of-00001.parquet",
    ]


# Nothing half done


@pytest.fixture
def full_disk(monkeypatch):
    """The second file that is written does not fit."""
    write_table, calls = pq.ParquetWriter.write_table, []

    def full(self, *arguments, **keywords):
        calls.append(1)
        if len(calls) == 2:
            raise OSError("No space left on device")
        return write_table(self, *arguments, **keywords)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)


def test_an_interrupted_export_leaves_nothing(tmp_path, full_disk):
    with pytest.raises(OSError, match="No space left"):
        export.export(tmp_path / "out", ["train-1k"])
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_name_writes_nothing(tmp_path):
    with pytest.raises(RecipeError, match="no config 'nope'"):
        export.export(tmp_path / "deep" / "out", ["train-1k", "nope"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_there_is_not_overwritten_unasked(tmp_path, kind):
    target = tmp_path / "out"
    if kind == "folder":
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    else:
        target.write_text("mine")
    with pytest.raises(FileExistsError, match=r"out exists and is not empty.*overwrite"):
        export.export(target, ["train-1k"])
    assert (target / "mine.txt" if kind == "folder" else target).read_text() == "mine"


def test_an_empty_folder_is_taken_and_a_new_one_may_replace_an_old(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    export.export(target, ["train-1k"])
    first = contents(target)
    (target / "stale.txt").write_text("stale")
    export.export(str(target), ["train-1k"], overwrite=True)
    assert contents(target) == first
    assert os.listdir(tmp_path) == ["out"]
    assert target.stat().st_mode & 0o777 == 0o755


@pytest.fixture
def old(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    return tmp_path / "out"


def test_a_failed_replacement_keeps_the_old_folder(old, full_disk):
    with pytest.raises(OSError, match="No space left"):
        export.export(old, ["train-1k"], overwrite=True)
    assert contents(old.parent) == {"out/mine.txt": b"mine"}


@pytest.mark.parametrize("error", [OSError("broken"), KeyboardInterrupt()], ids=["failed", "interrupted"])
@pytest.mark.parametrize("failing", [1, 2])
def test_a_replacement_stopped_between_its_moves_keeps_the_old_folder(old, monkeypatch, failing, error):
    replace, calls = os.replace, []

    def stopped(source, target):
        if Path(target).parent == old.parent or Path(source) == old:  # one of the two moves
            calls.append(source)
            if len(calls) == failing:
                raise error
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(export.os, "replace", stopped)
        with pytest.raises(type(error)):
            export.export(old, ["train-1k"], overwrite=True)
    assert contents(old.parent) == {"out/mine.txt": b"mine"}
    assert len(calls) >= failing


def test_if_the_old_folder_cannot_be_put_back_it_is_still_somewhere(old, monkeypatch):
    replace, calls = os.replace, []

    def broken(source, target):
        calls.append(source)
        if Path(target) == old:
            raise OSError("broken")
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(export.os, "replace", broken)
        with pytest.raises(OSError, match="broken"):
            export.export(old, ["train-1k"], overwrite=True)
    assert b"mine" in contents(old.parent).values()


def test_altered_bytes_in_the_cache_are_not_exported(cache, tmp_path):
    builder = MNIST1D(config_name="train-1k")
    builder.download_and_prepare()
    path = Path(builder.cache_dir, "mnist1d-train.arrow")
    altered = bytearray(path.read_bytes())
    altered[len(altered) // 2] ^= 1
    path.write_bytes(altered)
    with pytest.raises(ValueError, match=r"'train-1k' does not hold what was built; run .*--force"):
        export.export(tmp_path / "out", ["train-1k"])
    assert not (tmp_path / "out").exists()
