"""Long configs read back: verified leaf by leaf, loaded by processes, streamed a shard at a time; never unverified."""

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from datasets import IterableDataset, IterableDatasetDict
from datasets.distributed import split_dataset_by_node
from hub_server import client_environment
from tiny_shards import PATHS, RECIPE, SHARDS, TEST, TRAIN

from lightning_module.commands.data import main
from mnist1d_hf import as_numpy, make_slice
from mnist1d_hf.hub.export import export
from mnist1d_hf.hub.load import ContentError, load
from mnist1d_hf.hub.verification import verify


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "data"
    export(folder, **SHARDS)
    return folder


@pytest.fixture
def folder(exported, tmp_path, cache):
    """An export that may be altered."""
    return shutil.copytree(exported, tmp_path / "data")


@pytest.fixture(scope="module")
def rows():
    return make_slice(RECIPE, "train", 0, TRAIN)


def alter(path, at=0.5):
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1
    path.write_bytes(content)


def states(answers):
    return [(answer.name, answer.state) for answer in answers]


# Verified


def test_an_export_is_verified_without_a_cache(folder, cache, capsys):
    assert main(["verify", str(folder)]) == 0
    assert f"ok           tiny 1.0.0 train {TRAIN:,}, test {TEST:,}\n" in capsys.readouterr().out
    assert not list(cache.rglob("*.arrow"))


def test_an_altered_byte_is_found_in_its_shard(folder, capsys):
    alter(folder / PATHS[2])
    told = []
    (answer,) = verify(folder, tell=lambda done, of: told.append((done, of)))
    assert answer.state == "damaged"
    assert PATHS[2] in answer.about
    assert not [path for path in PATHS if path != PATHS[2] and path in answer.about]
    assert told[-1] == (TRAIN + TEST, TRAIN + TEST)
    assert main(["verify", str(folder)]) == 1


def test_a_leaf_is_named_where_it_can_be_read(folder):
    shutil.copy(folder / PATHS[0], folder / PATHS[2])  # a sound file, but of other rows
    (answer,) = verify(folder)
    assert "another file" in answer.about
    assert "column 'x' of rows 200,000 to 299,999 of split 'train' has another digest" in answer.about


def test_a_list_that_was_altered_or_is_gone_is_damaged(folder):
    path = folder / "tiny/shards.json"
    content = path.read_bytes()
    data = json.loads(content)
    data["splits"]["train"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(data))
    (answer,) = verify(folder)
    assert (answer.state, "tiny/shards.json is another file" in answer.about) == ("damaged", True)
    path.unlink()
    assert states(verify(folder)) == [("tiny", "not verified")]
    path.write_bytes(content)
    (folder / PATHS[1]).unlink()
    assert states(verify(folder)) == [("tiny", "not verified")]


def test_a_file_too_many_or_an_edited_card_is_damaged(folder):
    shutil.copy(folder / PATHS[0], folder / "tiny/train-00009-of-00004.parquet")
    (answer,) = verify(folder)
    assert (answer.state, "would be loaded too" in answer.about) == ("damaged", True)


def test_num_proc_needs_a_folder(capsys, cache):
    assert main(["verify", "--num-proc", "2"]) == 2
    assert "--num-proc need a repository" in capsys.readouterr().err


# Loaded


def test_it_is_loaded_as_the_generator_makes_it(folder, rows, tmp_path):
    loaded = load(folder, cache_dir=str(tmp_path / "loaded"))
    found = as_numpy(loaded["train"])
    np.testing.assert_array_equal(found["x"], rows.x)
    np.testing.assert_array_equal(found["y"], rows.y)
    assert loaded["test"].info.license == "Apache-2.0"
    part = load(folder, split="train[:10]", cache_dir=str(tmp_path / "loaded"))
    np.testing.assert_array_equal(as_numpy(part)["x"], rows.x[:10])
    alter(folder / PATHS[2])
    with pytest.raises(ContentError, match=PATHS[2]):
        load(folder, cache_dir=str(tmp_path / "loaded"))


def test_an_altered_cache_is_found_and_built_anew(folder, rows, tmp_path, caplog):
    cache_dir = str(tmp_path / "loaded")
    loaded = load(folder, split="train", cache_dir=cache_dir)
    alter(type(tmp_path)(loaded.cache_files[0]["filename"]), 0.8)
    again = load(folder, split="train", cache_dir=cache_dir)
    assert "tiny/train-" in caplog.text
    assert "trying again from the files" in caplog.text
    np.testing.assert_array_equal(as_numpy(again)["x"], rows.x)


@pytest.mark.slow
def test_processes_compare_the_same(folder, rows, tmp_path):
    assert states(verify(folder, num_proc=2)) == [("tiny", "ok")]
    loaded = load(folder, split="train", num_proc=2, cache_dir=str(tmp_path / "loaded"))
    np.testing.assert_array_equal(as_numpy(loaded)["x"], rows.x)
    alter(folder / PATHS[2])
    assert states(verify(folder, num_proc=2)) == [("tiny", "damaged")]


# Streamed


def arrays(stream, n=10_000):
    return [signals(table) for table in stream.with_format("arrow").iter(n)]


def signals(table):
    return table.column("x").combine_chunks().flatten().to_numpy().reshape(len(table), -1)


def test_a_folder_streams_every_row_in_order(folder, rows, cache):
    splits = load(folder, streaming=True)
    assert isinstance(splits, IterableDatasetDict)
    assert splits["train"].features["y"].names == [str(digit) for digit in range(10)]
    assert splits["train"].info.license == "Apache-2.0"
    np.testing.assert_array_equal(np.concatenate(arrays(splits["train"])), rows.x)
    assert not list(cache.rglob("*.arrow"))
    test = load(folder, split="test", streaming=True)
    assert isinstance(test, IterableDataset)
    assert sum(1 for _ in test) == TEST
    first = next(iter(splits["train"]))
    assert first["x"] == rows.x[0].tolist()


def test_nodes_and_workers_get_shards_of_their_own(folder, rows):
    train = load(folder, split="train", streaming=True)
    assert train.num_shards == 4
    parts = [arrays(split_dataset_by_node(train, rank, 2)) for rank in range(2)]
    assert sum(len(part) for of_rank in parts for part in of_rank) == TRAIN
    assert parts[0][0].tolist() != parts[1][0].tolist()
    again = pickle.loads(pickle.dumps(train))  # noqa: S301  # as for a loader's workers
    assert next(iter(again))["x"] == rows.x[0].tolist()


def test_it_goes_on_where_it_was(folder, rows):
    train = load(folder, split="train", streaming=True)
    it = iter(train)
    for _ in range(5):
        next(it)
    state = train.state_dict()
    train = load(folder, split="train", streaming=True)
    train.load_state_dict(state)
    assert next(iter(train))["x"] == rows.x[5].tolist()


def test_an_altered_shard_of_a_folder_is_refused_by_its_name(folder):
    alter(folder / PATHS[2])
    served = []
    with pytest.raises(ContentError, match=rf"{PATHS[2]} of the folder .* is another file"):
        served.extend(map(len, load(folder, split="train", streaming=True).with_format("arrow").iter(10_000)))
    assert sum(served) == 200_000


def test_parts_of_a_split_cannot_be_streamed(folder):
    with pytest.raises(ValueError, match=r"split='train\[:5\]' must be one of 'train', 'test'.*take"):
        load(folder, split="train[:5]", streaming=True)
    with pytest.raises(ValueError, match="streaming='yes' must be True or False"):
        load(folder, streaming="yes")


def test_small_configs_and_the_generator_stream_too(tmp_path, cache):
    export(tmp_path / "small", ["train-1k"])
    small = load(tmp_path / "small", split="train", streaming=True)
    assert isinstance(small, IterableDataset)
    assert sum(1 for _ in small) == 1000
    assert isinstance(load(tmp_path / "small", streaming=True), IterableDatasetDict)
    assert isinstance(load("mnist1d", split="train", streaming=True), IterableDataset)


# From the Hub


STREAM = """
import hashlib, json, sys, tempfile
from pathlib import Path
import mnist1d_hf

def on_disk():
    return sum(path.stat().st_size > 100_000 for path in Path(tempfile.gettempdir()).rglob("*") if path.is_file()
               and not path.is_symlink())

digest, most, served = hashlib.sha256(), 0, 0
for table in mnist1d_hf.load(*sys.argv[1:3], split="train", streaming=True).with_format("arrow").iter(10_000):
    digest.update(table.column("x").combine_chunks().flatten().to_numpy().tobytes())
    served += len(table)
    most = max(most, on_disk())
print(json.dumps([served, digest.hexdigest(), most, on_disk()]))
"""
ALTERED = """
import mnist1d_hf

served = 0
for table in mnist1d_hf.load("owner/altered", "tiny", split="train", streaming=True).with_format("arrow").iter(10_000):
    served += len(table)
    if served == 200_000:
        print("served", served)
"""


@pytest.fixture(scope="module")
def published(_server, exported):
    """A repository with the files of the export, as a push puts them there."""
    files = {path.relative_to(exported).as_posix(): path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    _server.put("owner/long", files)
    return "owner/long"


@pytest.fixture
def stream(server, tmp_path):
    """Streams a repository in a process with caches and a place for temporary files of its own."""

    def run(repo_id):
        for name in ("home", "temporary"):
            (tmp_path / name).mkdir(exist_ok=True)
        environment = os.environ | client_environment(server, str(tmp_path / "home"))
        environment |= {"TMPDIR": str(tmp_path / "temporary")}
        command = [sys.executable, "-c", STREAM, repo_id, "tiny"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        assert sorted((tmp_path / "home").rglob("*.parquet")) == []  # nothing stays
        return json.loads(done.stdout)

    return run


def test_a_repository_streams_with_one_shard_on_the_disk(published, stream, rows):
    served, digest, most, left = stream(published)
    assert (served, digest) == (TRAIN, hashlib.sha256(rows.x.tobytes()).hexdigest())
    assert (most, left) == (1, 0)


def test_one_altered_byte_in_a_repository_is_refused_while_streaming(server, published, client):
    content = bytearray(server.file(published, PATHS[2]))
    content[len(content) // 2] ^= 1
    tree = {path: server.file(published, path) for path in server.repo(published).at("main").tree}
    server.put("owner/altered", tree | {PATHS[2]: bytes(content)})
    answer = client.call("builtins:exec", ALTERED)
    assert answer["error"] == "ContentError", answer
    assert f"{PATHS[2]} of owner/altered at commit" in answer["message"]
    assert "is another file than the one that its record tells of; tell its owner" in answer["message"]
    assert "served 200000" in answer["output"]


def test_a_repository_is_verified_and_loaded(server, published, client, tmp_path):
    (answer,) = client.call("mnist1d_hf.hub.verification:verify", published)["value"]
    assert "ok" in str(answer)
    loaded = client.load(published, "tiny", split="train")
    assert loaded["value"]["rows"] == TRAIN
