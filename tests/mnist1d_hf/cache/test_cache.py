import json
import logging
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest
from datasets import load_dataset

from mnist1d_hf import DATA_VERSION, MNIST1D, RECIPES, as_numpy, make_mnist1d, manifest, mnist1d
from mnist1d_hf.cache import golden
from mnist1d_hf.cache.builds import CachedBuild, cached_builds, install

FEW = {"num_samples": 200}
FILES = {"dataset_info.json", "manifest.json", "mnist1d-train.arrow", "mnist1d-test.arrow"}


def load(**keywords):
    return load_dataset("mnist1d", "default", **FEW, **keywords)


def folder():
    return Path(MNIST1D(**FEW).cache_dir)


def built():
    """The folder of a fresh build."""
    load()
    return folder()


def names(path):
    return {entry.name for entry in path.iterdir()} - {"LICENSE"}


def assert_right(dataset):
    arrays = make_mnist1d(**FEW)
    for split in ("train", "test"):
        np.testing.assert_array_equal(as_numpy(dataset[split])["x"], getattr(arrays, split).x.astype(np.float32))
        np.testing.assert_array_equal(as_numpy(dataset[split])["y"], getattr(arrays, split).y)


def test_the_tests_have_a_cache_of_their_own():
    assert "mnist1d-hf-tests-" in str(datasets.config.HF_DATASETS_CACHE)
    assert datasets.config.HF_HUB_OFFLINE


# Interrupted, and at the same time

BLOCKED_BUILD = """
import sys
import datasets, mnist1d_hf
from mnist1d_hf.generator.fast_stream import FastStream

slice_of = FastStream.slice
made = []

def blocked(self, *arguments, **keywords):
    if made:
        print("one table is made", flush=True)
        sys.stdin.read()  # for ever
    made.append(True)
    return slice_of(self, *arguments, **keywords)

FastStream.slice = blocked
mnist1d_hf.mnist1d.BUILT_ROWS = 1000
datasets.load_dataset("mnist1d", "large", num_samples=20_000, writer_batch_size=1000)
"""


def test_killed_in_mid_build_the_next_load_heals_and_takes_nothing_over(cache, tmp_path):
    child = subprocess.Popen([sys.executable, "-c", BLOCKED_BUILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"one table is made\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    (unfinished,) = cache.glob("mnist1d/*/*/*.incomplete")
    assert list(unfinished.iterdir())  # it had begun
    for stale in ("mnist1d-train-00000-of-00002.arrow", "mnist1d-validation.arrow", "manifest.json"):
        (unfinished / stale).write_bytes(b"stale")
    (unfinished / "folder").mkdir()
    (unfinished / "folder" / "stale").write_bytes(b"stale")

    assert cached_builds() == []  # an unfinished one is none
    dataset = load_dataset("mnist1d", "large", num_samples=20_000)
    arrays = make_mnist1d("large", num_samples=20_000)
    np.testing.assert_array_equal(as_numpy(dataset["train"])["x"], arrays.train.x)
    (built_folder,) = [path for path in cache.glob("mnist1d/*/*/*") if path.is_dir()]
    assert names(built_folder) == FILES
    assert manifest.content_problems(built_folder) == []


CONCURRENT_LOAD = """
import hashlib, pathlib, sys, time
import datasets, mnist1d_hf

me, other, log = map(pathlib.Path, sys.argv[1:])
make = mnist1d_hf.mnist1d.make_mnist1d

def logged(*arguments, **keywords):
    while not other.exists():  # the build lasts until the other process is about to load
        time.sleep(0.01)
    with log.open("a") as file:
        file.write("built\\n")
    return make(*arguments, **keywords)

mnist1d_hf.mnist1d.make_mnist1d = logged
me.touch()
dataset = datasets.load_dataset("mnist1d", "default", num_samples=200)
print(hashlib.sha256(mnist1d_hf.as_numpy(dataset["train"])["x"].tobytes()).hexdigest())
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_two_processes_at_once_build_once_and_both_are_right(cache, tmp_path, damaged):
    if damaged:
        (built() / "mnist1d-train.arrow").write_bytes(b"")
    flags, log = [tmp_path / "one", tmp_path / "two"], tmp_path / "log"
    children = [
        subprocess.Popen([sys.executable, "-c", CONCURRENT_LOAD, *order, log], stdout=subprocess.PIPE, text=True)
        for order in (flags, flags[::-1])
    ]
    printed = {child.communicate(timeout=120)[0] for child in children}
    assert log.read_text() == "built\n"
    assert [child.returncode for child in children] == [0, 0]
    assert len(printed) == 1
    assert_right(load())


def test_a_folder_that_another_process_has_just_healed_is_kept(cache, monkeypatch):
    path = built()
    before = (path / "manifest.json").stat().st_ino
    views = iter(["damaged, as seen before the other process healed it"])
    problem_of = manifest.problem_of
    monkeypatch.setattr(manifest, "problem_of", lambda found: next(views, None) or problem_of(found))
    assert_right(load())
    assert next(views, None) is None
    assert (path / "manifest.json").stat().st_ino == before


# Damage


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def replaced(content):
    return lambda path: path.write_bytes(content)


DAMAGE = {
    "truncated": truncated,
    "gone": Path.unlink,
    "empty": replaced(b""),
    "not UTF-8": replaced(b"\xff\xfe\x00garbage"),
    "no JSON": replaced(b"{broken"),
    "an empty object": replaced(b"{}"),
    "another JSON": replaced(b'["list"]'),
    "null": replaced(b"null"),
    "wrong types": replaced(b'{"data_version": 1, "config_id": 2, "sizes": 3, "digests": 4, "splits": 5}'),
    "splits that are none": replaced(b'{"splits": {"nothing": {}}, "features": {"x": {}}}'),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_damaged_folder_is_built_anew_with_a_warning(cache, caplog, name, damage):
    path = built()
    DAMAGE[damage](path / name)
    with caplog.at_level(logging.WARNING, logger="mnist1d_hf"):
        assert_right(load())
    (record,) = [record for record in caplog.records if record.name == "mnist1d_hf.manifest"]
    assert "is damaged" in record.getMessage()
    assert str(path) in record.getMessage()
    assert manifest.content_problems(path) == []
    assert names(path) == FILES


def test_a_good_folder_is_taken_without_a_word_and_without_a_build(cache, caplog, monkeypatch):
    built()
    monkeypatch.setattr(MNIST1D, "_make_reference", lambda self: pytest.fail("it is built again"))
    with caplog.at_level(logging.WARNING, logger="mnist1d_hf"):
        assert_right(load())
    assert not caplog.records


def flipped(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_one_altered_byte_is_found_by_its_content_and_gone_after_removal(cache):
    path = built()
    flipped(path / "mnist1d-test.arrow", len((path / "mnist1d-test.arrow").read_bytes()) // 2)
    assert manifest.problem_of(path) is None  # a load checks names and sizes only
    (cached,) = cached_builds()
    assert cached.problems() == ["split 'test', column 'x': the values are not those that were built"]
    shutil.rmtree(cached.folder)
    assert_right(load())
    assert cached_builds()[0].problems() == []


def test_what_was_built_wrongly_is_told_from_what_the_version_contains(cache, monkeypatch):
    make = mnist1d.make_mnist1d
    monkeypatch.setattr(mnist1d, "make_mnist1d", lambda recipe, **keywords: make(recipe.replace(seed=1), **keywords))
    MNIST1D().download_and_prepare()
    (cached,) = cached_builds()
    assert cached.config_id == "default"
    assert manifest.content_problems(cached.folder) == []
    assert cached.problems() == [
        f"default, split {split!r}: {column} is not what version {DATA_VERSION} contains"
        for split in ("test", "train")
        for column in ("x", "y")
    ]


def test_an_unremovable_damaged_folder_is_an_error_that_says_what_to_do(cache, monkeypatch):
    path = built()
    truncated(path / "mnist1d-train.arrow")

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(manifest.shutil, "rmtree", refused)
    with pytest.raises(OSError, match=r"is damaged \(mnist1d-train.arrow has .*cannot be removed .*HF_DATASETS_CACHE"):
        load()
    assert names(path) == FILES


def test_a_cache_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=str(tmp_path / "file")):
        load(cache_dir=str(tmp_path / "file"))


# Never stale


def test_a_changed_generator_or_version_never_serves_what_is_cached(cache, monkeypatch):
    old = built()
    make = mnist1d.make_mnist1d
    with monkeypatch.context() as patch:
        patch.setattr(mnist1d, "GENERATOR_CODE", "of other code")
        patch.setattr(mnist1d, "make_mnist1d", lambda recipe, **keywords: make(recipe.replace(seed=1), **keywords))
        assert folder() != old
        changed = as_numpy(load()["train"])["x"]
    np.testing.assert_array_equal(changed, make(seed=1, **FEW).train.x.astype(np.float32))
    with monkeypatch.context() as patch:
        patch.setattr(mnist1d, "DATA_VERSION", "1.0.1")
        assert folder() != old
    assert folder() == old
    assert_right(load())


def test_a_folder_of_another_version_is_not_taken(cache):
    path = built()
    record = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(record | {"data_version": "0.9.0"}))
    assert manifest.problem_of(path) == "it holds version 0.9.0"
    assert_right(load())


# The record


def test_the_record_holds_sizes_and_digests_and_what_it_was_made_with(cache):
    path = built()
    record = manifest.read_manifest(path)
    assert record["sizes"] == {name: (path / name).stat().st_size for name in FILES if name.endswith(".arrow")}
    assert record["digests"].keys() == {"train", "test"}
    assert record["digests"]["train"].keys() == {"x", "y"}
    assert (record["stream"], record["latents"], record["recipe"]["num_samples"]) == ("reference", False, 200)


@pytest.mark.parametrize("keywords", [{"num_proc": 2}, {"writer_batch_size": 7}])
def test_digests_do_not_depend_on_how_the_files_are_cut(tmp_path, keywords):
    fast = {"stream": "fast", "num_samples": 120_000}
    records = []
    for name, how in (("plain", {}), ("cut", keywords)):
        load_dataset("mnist1d", **fast, cache_dir=str(tmp_path / name), **how)
        (cached,) = cached_builds(tmp_path / name)
        assert cached.problems() == []
        assert cached.num_bytes > 120_000 * 168
        records.append(manifest.read_manifest(cached.folder))
    assert records[0]["digests"] == records[1]["digests"]
    assert records[0]["digests"]["train"] != records[0]["digests"]["test"]


def test_an_unreadable_record_is_an_error_of_its_own(tmp_path):
    with pytest.raises(OSError, match=r"manifest\.json"):
        manifest.read_manifest(tmp_path)
    for content in ("{", "[]", "{}"):
        (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(ValueError, match=r"Expecting|lacks entries"):
            manifest.read_manifest(tmp_path)


# What the cache holds


def test_cached_builds_are_listed_by_name_with_what_they_are(cache):
    assert cached_builds() == []
    for name, keywords in (("train-1k", {}), ("default", {"num_samples": 100}), ("default", {})):
        MNIST1D(config_name=name, **keywords).download_and_prepare()
    found = cached_builds()
    assert [cached.config_id for cached in found] == ["default", "default-num_samples=100", "train-1k"]
    assert {cached.data_version for cached in found} == {DATA_VERSION}
    assert all(cached.problems() == [] for cached in found)
    assert [cached.folder for cached in found] == [cached.folder for cached in cached_builds(str(cache))]
    assert found[0].num_bytes == sum(path.stat().st_size for path in found[0].folder.iterdir())


def test_a_build_of_the_fast_stream_is_compared_with_its_probes(cache, monkeypatch):
    probed = RECIPES["large"].recipe.replace(num_samples=70_000, train_split=60_000 / 70_000)
    monkeypatch.setattr(golden, "PROBE_ROWS", (0, 1, 999, 9_321))
    builder = MNIST1D(config_name="large", num_samples=probed.num_samples, train_split=probed.train_split)
    builder.download_and_prepare()
    (cached,) = cached_builds()
    as_large = CachedBuild(cached.folder, "large", DATA_VERSION, cached.num_bytes)
    monkeypatch.setattr(golden, "committed", lambda: {"large": golden.computed("large")})
    assert as_large.problems() == []
    shifted = {split: probe | {"mean": probe["mean"] + 1e-3} for split, probe in golden.computed("large").items()}
    monkeypatch.setattr(golden, "committed", lambda: {"large": shifted})
    assert len(as_large.problems()) == 2


def test_installing_builds_into_the_cache_that_is_named(tmp_path):
    (folder,) = install(["train-1k"], cache_dir=str(tmp_path))
    assert folder.is_relative_to(tmp_path)
    assert manifest.read_manifest(folder)["config_id"] == "train-1k"
    assert install(["train-1k"], cache_dir=str(tmp_path)) == [folder]
