"""A cache that may not be written to, one in another format, and which config the bare name means without an import."""

import os
import shutil
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import datasets
import numpy as np
import pytest
from datasets import load_dataset

from mnist1d_hf import DATA_VERSION, MNIST1D, as_numpy, make_mnist1d, manifest
from mnist1d_hf.cache.builds import cached_builds, install
from mnist1d_hf.tidy import make_newest, prefer_default

ROOT = Path(__file__).parents[3]
NO_IMPORT = "import datasets; print(datasets.load_dataset('mnist1d', split='train').cache_files[0]['filename'])"


@pytest.mark.parametrize("order", [*permutations(["default", "shuffled", "train-1k"]), ("shuffled",)])
def test_the_bare_name_means_default_whatever_the_order_of_installs(cache, order):
    for name in order:
        assert install([name])[0].parts[-3] == name
    assert found_without_import() == "default"


def test_the_bare_name_means_default_after_other_builds_and_after_killed_ones(cache):
    (folder,) = install(["default"])
    MNIST1D(config_name="long").download_and_prepare()
    assert found_without_import() == "default"
    (
        folder.parents[2] / "long" / DATA_VERSION / "0123.incomplete"
    ).mkdir()  # of a killed build; the library stumbles over it
    MNIST1D(config_name="train-1k").download_and_prepare()
    assert found_without_import() == "default"
    assert not list(cache.glob("mnist1d/*/*/*.incomplete"))


def test_the_bare_name_means_default_when_another_build_lies_in_the_future(cache):
    install(["default"])
    other = Path(MNIST1D(config_name="long").cache_dir)
    MNIST1D(config_name="long").download_and_prepare()
    os.utime(other, ns=(2**62, 2**62))
    prefer_default(cache)
    assert found_without_import() == "default"
    make_newest(other)
    assert found_without_import() == "default"  # which is in the future now


def found_without_import():
    """The config that the bare name means to the library alone."""
    from datasets.packaged_modules.cache.cache import _find_hash_in_cache

    return _find_hash_in_cache("mnist1d", None, None, {}, None)[0]


def test_a_process_without_the_import_loads_default(cache, python):
    install(["shuffled", "default", "train-1k"])
    assert "/mnist1d/default/" in python(NO_IMPORT)


# Parquet in the cache


@pytest.mark.parametrize("config", [{}, {"config_name": "large", "num_samples": 3000}])
def test_a_cache_in_parquet_is_verified_and_built_anew_when_it_is_loaded(cache, config):
    builder = MNIST1D(**config)
    builder.download_and_prepare(file_format="parquet")
    assert manifest.format_of(builder.cache_dir) == "parquet"
    (cached,) = cached_builds()
    assert cached.problems() == []
    keywords = dict(config)
    train = load_dataset("mnist1d", keywords.pop("config_name", "default"), split="train", **keywords)
    named = config.get("config_name", "default")
    arrays = make_mnist1d(named, **({"num_samples": 3000} if config else {}))
    np.testing.assert_array_equal(as_numpy(train)["x"], arrays.train.x.astype(np.float32))
    assert manifest.format_of(builder.cache_dir) == "arrow"
    assert not list(Path(builder.cache_dir).glob("*.parquet"))


def test_a_fast_build_in_parquet_is_compared_with_its_probes(cache, monkeypatch):
    from mnist1d_hf.cache import golden
    from mnist1d_hf.cache.builds import CachedBuild

    monkeypatch.setattr(golden, "PROBE_ROWS", (0, 1))
    builder = MNIST1D(config_name="large", num_samples=3000)
    builder.download_and_prepare(file_format="parquet")
    (cached,) = cached_builds()
    as_large = CachedBuild(cached.folder, "large", cached.data_version, cached.num_bytes)
    assert all("large" in problem for problem in as_large.problems())  # of fewer rows, so not the committed ones
    assert as_large.problems()


def test_parquet_asked_for_in_the_cache_is_written_though_arrow_is_there(cache):
    builder = MNIST1D(config_name="train-1k")
    builder.download_and_prepare()
    builder.download_and_prepare(file_format="parquet")
    assert manifest.format_of(builder.cache_dir) == "parquet"
    builder.download_and_prepare()
    assert len(builder.as_dataset()["train"]) == 1000


def test_parquet_outside_the_cache_is_left_alone(cache, tmp_path):
    builder = MNIST1D(config_name="train-1k")
    builder.download_and_prepare(str(tmp_path / "out"), file_format="parquet")
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 2
    assert len(load_dataset("mnist1d", "train-1k")["train"]) == 1000


# A cache that may only be read

LOAD = """
import sys, datasets, mnist1d_hf
from lightning_module.cli import main
train = datasets.load_dataset("mnist1d", "default", split="train")
assert mnist1d_hf.as_numpy(train)["x"].shape == (4000, 40)
assert "/mnist1d/default/" in train.cache_files[0]["filename"]
assert main(["data", "build", "default"]) == 0
assert main(["data", "verify"]) == 0
print("the rest works")
try:
    datasets.load_dataset("mnist1d", "long")
except OSError as error:
    print(error)
print(main(["data", "build", "long"]), main(["data", "install"]))
"""


def read_only_mount(folder):
    """A file system that this process and its children may only read, also as root."""
    mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    return ["unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh"]


def another_user(folder):
    """The user nobody, to whom the folder belongs to somebody else."""
    for path in [folder, *folder.parents]:
        if not path.stat().st_mode & 0o5:
            path.chmod(path.stat().st_mode | 0o5)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.parametrize("prefix", [read_only_mount, another_user])
def test_a_cache_that_can_only_be_read_serves_what_it_holds_and_says_what_to_do_for_the_rest(cache, tmp_path, prefix):
    install(["default"])
    command = prefix(cache)
    tried = shutil.which(command[0]) and subprocess.run(
        [*command, sys.executable, "-c", "import os; os._exit(os.access(__import__('sys').argv[1], os.W_OK))", cache],
        check=False,
        capture_output=True,
    )
    if not tried or tried.returncode:
        pytest.skip(f"{prefix.__name__} is not to be had here")
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    environment = os.environ | {"HF_DATASETS_CACHE": str(cache), "PYTHONPATH": str(ROOT), "HOME": str(home)}
    environment |= {"HF_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, sys.executable, "-c", LOAD], env=environment, cwd=home, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (error,) = lines[lines.index("the rest works") + 1 :][:1]
    assert f"'long' is not in the cache {cache}, which cannot be written to" in error
    assert "mnist1d data build long" in error
    assert "HF_DATASETS_CACHE" in error
    assert lines[-1] == "2 2"
    assert "import mnist1d_hf, which does" in done.stderr.splitlines()[-1]  # the library alone reads no such cache
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before


def test_where_no_lock_can_be_written_the_data_are_served(cache, monkeypatch):
    install(["train-1k"])

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(datasets.builder, "FileLock", refused)
    dataset = load_dataset("mnist1d", "train-1k")
    np.testing.assert_array_equal(as_numpy(dataset["train"])["y"], make_mnist1d("train-1k").train.y)
    with pytest.raises(OSError, match=r"mnist1d data build no-shear.*HF_DATASETS_CACHE or cache_dir="):
        load_dataset("mnist1d", "no-shear")
