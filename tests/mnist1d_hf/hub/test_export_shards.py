"""Long configs as folders: straight from the fast stream into shards, by any number of processes, killed or not."""

import errno
import hashlib
import json
import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset
from tiny_shards import PATHS, RECIPE, SHARDS, TEST, TINY, TRAIN, independent_leaves

from mnist1d_hf import make_slice
from mnist1d_hf.engine.local import LocalEngine
from mnist1d_hf.hub import export as module
from mnist1d_hf.hub.export import export
from mnist1d_hf.shards import make


class Counted(LocalEngine):
    """An engine that is interrupted after some tasks."""

    def __init__(self, until):
        super().__init__(1)
        self.until = until

    def map(self, function, tasks):
        for number, task in enumerate(tasks):
            if number == self.until:
                raise KeyboardInterrupt
            yield number, function(task)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def header(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An export that nobody disturbed."""
    target = tmp_path_factory.mktemp("exported") / "data"
    export(target, **SHARDS)
    return target


@pytest.fixture
def written(monkeypatch):
    """The paths of the shards that were made."""
    paths, write = [], make.write_shard

    def noted(recipe, latents, shard, path, **keywords):
        paths.append(shard.path)
        return write(recipe, latents, shard, path, **keywords)

    monkeypatch.setattr(make, "write_shard", noted)
    return paths


def test_it_holds_the_generator_s_rows_and_loads_without_the_package(folder, tmp_path):
    assert sorted(contents(folder)) == sorted(
        ["README.md", "mnist1d-examples.png", "tiny/shards.json", "tiny/test-00000-of-00001.parquet", *PATHS]
    )
    made = make_slice(RECIPE, "train", 0, TRAIN)
    for number, path in enumerate(PATHS):
        table = pq.read_table(folder / path)
        rows = slice(number * 100_000, number * 100_000 + len(table))
        x = table.column("x").combine_chunks().flatten().to_numpy().reshape(len(table), -1)
        np.testing.assert_array_equal(x, made.x[rows], strict=True)
        np.testing.assert_array_equal(table.column("y").to_numpy(), made.y[rows], strict=True)
    loaded = load_dataset(str(folder), "tiny", split="test", cache_dir=str(tmp_path))
    assert (len(loaded), str(loaded.info.version)) == (TEST, "1.0.0")


def test_digests_of_leaves_compose_and_the_card_has_the_digest_of_their_list(folder):
    (record,) = header(folder)["mnist1d"]
    listed = json.loads((folder / "tiny/shards.json").read_text())
    for split, rows in (("train", TRAIN), ("test", TEST)):
        for column, leaves in independent_leaves(split, rows).items():
            found = [digest for shard in listed["splits"][split] for digest in shard["leaves"][column]]
            assert found == [leaf.hex() for leaf in leaves]
            whole = hashlib.sha256(b"".join(leaves)).digest() if len(leaves) > 1 else leaves[0]
            assert record["digests"][split][column] == whole.hex()
    for shard in [*listed["splits"]["train"], *listed["splits"]["test"]]:
        content = (folder / shard["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (shard["size"], shard["sha256"])
    (file,) = record["files"]
    assert file["path"] == record["shards"] == "tiny/shards.json"
    assert file["sha256"] == hashlib.sha256((folder / "tiny/shards.json").read_bytes()).hexdigest()
    assert header(folder)["dataset_info"]["download_size"] == sum(
        path.stat().st_size for path in (folder / "tiny").glob("*.parquet")
    )


def test_another_cut_gives_the_same_digests(folder, tmp_path):
    export(tmp_path / "two", **{**SHARDS, "rows_per_shard": 200_000})
    (record,), (other,) = (header(each)["mnist1d"] for each in (folder, tmp_path / "two"))
    assert other["digests"] == record["digests"]
    assert len([*(tmp_path / "two/tiny").glob("train-*-of-00002.parquet")]) == 2


@pytest.mark.slow
def test_processes_give_the_same_bytes(folder, tmp_path):
    told = []
    export(tmp_path / "again", **SHARDS, num_proc=2, tell=lambda done, of: told.append((done, of)))
    found, expected = contents(tmp_path / "again"), contents(folder)
    for each in (found, expected):
        del each["README.md"]  # it tells the folder's name
    assert found == expected
    assert told[-1] == (TRAIN + TEST, TRAIN + TEST)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert (told[0], len(told)) == ((0, TRAIN + TEST), 6)


# Killed


def test_what_was_finished_is_kept_and_the_rest_is_made(folder, tmp_path, written):
    target = tmp_path / "data"
    with pytest.raises(KeyboardInterrupt):
        export(target, **SHARDS, engine=Counted(until=2))
    assert not target.exists()
    assert written == PATHS[:2]
    left = tmp_path / ".data.unfinished" / "content" / "tiny"
    (left / ".train-00002-of-00004.parquet.0123456789abcdef0123456789abcdef.part").write_bytes(b"half")
    (left / "train-00000-of-00009.parquet").write_bytes(b"of another command")
    written.clear()
    export(target, **SHARDS)
    assert written == [*PATHS[2:], "tiny/test-00000-of-00001.parquet"]
    assert contents(target) == contents(folder)
    assert os.listdir(tmp_path) == ["data"]


def test_a_finished_shard_is_checked_before_it_is_kept(folder, tmp_path, written):
    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "data", **SHARDS, engine=Counted(until=3))
    left = tmp_path / ".data.unfinished" / "content" / PATHS[1]
    altered = bytearray(left.read_bytes())
    altered[len(altered) // 2] ^= 1
    left.write_bytes(altered)
    written.clear()
    export(tmp_path / "data", **SHARDS)
    assert PATHS[1] in written
    assert PATHS[0] not in written
    assert contents(tmp_path / "data") == contents(folder)


def test_another_command_begins_anew(tmp_path, written):
    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "data", **SHARDS, engine=Counted(until=1))
    written.clear()
    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "data", **{**SHARDS, "recipe": {**TINY, "seed": 5}}, engine=Counted(until=1))
    assert written == PATHS[:1]
    export(tmp_path / "data", ["train-1k"])  # no shards, and nothing is left
    assert os.listdir(tmp_path) == ["data"]


def test_what_is_left_behind_a_folder_that_was_moved_is_swept_away(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "data")
    (tmp_path / ".data.unfinished/journal/tiny").mkdir(parents=True)
    with pytest.raises(FileExistsError):
        export(tmp_path / "data", **SHARDS)
    assert os.listdir(tmp_path) == ["data"]


def test_two_at_once_are_an_error_for_the_second(tmp_path):
    class Second(LocalEngine):
        def map(self, function, tasks):
            with pytest.raises(OSError, match=r"data is being written by another process"):
                export(tmp_path / "data", **SHARDS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "data", **SHARDS, engine=Second())


def test_a_disk_without_room_is_told_at_once(tmp_path, written, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10**6}))
    with pytest.raises(OSError, match=r"'tiny' needs about 0 GB more on the disk of .*, which has 0 GB free; choose"):
        export(tmp_path / "data", **SHARDS)
    assert not written


@pytest.mark.parametrize("number", [0, "two"])
def test_a_number_of_processes_that_is_none_is_refused(tmp_path, number):
    with pytest.raises(ValueError, match="num_proc="):
        export(tmp_path / "data", **SHARDS, num_proc=number)


def test_shards_of_the_reference_stream_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"rows_per_shard=100000 is for the fast stream.*stream='fast'"):
        export(tmp_path / "data", ["default"], rows_per_shard=100_000)
    assert list(tmp_path.iterdir()) == []


def test_small_configs_stand_beside_in_one_file(tmp_path):
    export(tmp_path / "data", ["train-1k"], **SHARDS)
    assert {path.name for path in (tmp_path / "data/train-1k").iterdir()} == {
        f"{split}-00000-of-00001.parquet" for split in ("train", "test")
    }
    assert [record["config_name"] for record in header(tmp_path / "data")["mnist1d"]] == ["tiny", "train-1k"]


def test_a_full_disk_ends_it_at_once_and_what_is_finished_stays(folder, tmp_path, monkeypatch):
    write, tried = make.write_shard, []

    def full(recipe, latents, shard, path, **keywords):
        tried.append(shard.path)
        if len(tried) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(recipe, latents, shard, path, **keywords)

    monkeypatch.setattr(make, "write_shard", full)
    with pytest.raises(OSError, match=r"No space left on device; shards that are finished stay, and the same call"):
        export(tmp_path / "data", **SHARDS)
    assert tried == PATHS[:2]
    export(tmp_path / "data", **SHARDS)
    assert tried[2:] == [*PATHS[1:], "tiny/test-00000-of-00001.parquet"]
    assert contents(tmp_path / "data") == contents(folder)


def test_a_shard_that_fails_again_and_again_is_named_and_the_others_are_made(tmp_path, monkeypatch):
    write = make.write_shard

    def failing(recipe, latents, shard, path, **keywords):
        if shard.path == PATHS[1]:
            raise ArithmeticError("a bad day")
        return write(recipe, latents, shard, path, **keywords)

    monkeypatch.setattr(make, "write_shard", failing)
    with pytest.raises(OSError, match=r"1 of 5 shards could not be made \(ArithmeticError: a bad day\); shards that"):
        export(tmp_path / "data", **SHARDS)
    assert (tmp_path / ".data.unfinished/content" / PATHS[3]).exists()


def test_latents_and_clean_labels_are_columns_of_shards_too(tmp_path):
    recipe = {"stream": "fast", "num_samples": 2_000, "latents": True, "label_noise": 0.2}
    export(tmp_path / "data", new_config="all", recipe=recipe, rows_per_shard=100_000)
    made = make_slice("default", "train", 0, 1_600, latents=True, num_samples=2_000, label_noise=0.2)
    table = pq.read_table(tmp_path / "data/all/train-00000-of-00001.parquet")
    assert table.column_names == ["x", "y", "y_clean", "padding", "scale", "shift", "shear"]
    columns = {"y": made.y, "y_clean": made.y_clean, **made.latents.columns()}
    for name, values in columns.items():
        np.testing.assert_array_equal(table.column(name).to_numpy(), values.astype(table.column(name).to_numpy().dtype))
    (record,) = header(tmp_path / "data")["mnist1d"]
    assert record["digests"]["train"]["y"] == hashlib.sha256(made.y.astype("<i8").tobytes()).hexdigest()
