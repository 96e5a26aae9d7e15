import datasets
import numpy as np
import pytest
from datasets import Dataset, DatasetDict, load_dataset
from filelock import FileLock

import mnist1d_hf
from mnist1d_hf import DATA_VERSION, MNIST1D, as_numpy, make_mnist1d, mnist1d
from mnist1d_hf.cache.builds import install

PIXEL = (  # a whole PNG
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)
CLONE = {  # what a clone of the reference's repository holds
    "README.md": b"# The MNIST-1D dataset\n",
    "mnist1d_data.pkl": b"\x80\x04N.",
    "pyproject.toml": b"[project]\n",
    "mnist1d/__init__.py": b"",
    "mnist1d/data.py": b"",
    "notebooks/1. quickstart.ipynb": b'{"cells": []}',
}


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def is_generated(dataset):
    expected = make_mnist1d(num_samples=100)
    return np.array_equal(as_numpy(dataset["train"])["x"], expected.train.x.astype(np.float32))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Folders of that name


@pytest.mark.parametrize("extension", ["parquet", "csv", "json", "arrow"])
def test_a_local_folder_with_tables_comes_first(here, extension):
    rows = Dataset.from_dict({"y": [1, 2, 3]})
    (here / "mnist1d").mkdir()
    if extension == "arrow":
        with datasets.arrow_writer.ArrowWriter(path=str(here / "mnist1d" / "train.arrow")) as writer:
            writer.write_table(rows.data.table)
            writer.finalize()
    else:
        getattr(rows, f"to_{extension}")(str(here / "mnist1d" / f"train.{extension}"))
    assert load_dataset("mnist1d", split="train")["y"][:] == [1, 2, 3]


def test_a_local_folder_whose_card_names_configs_comes_first(here):
    write(
        here / "mnist1d",
        {
            "lines/some.txt": b"one\ntwo\n",
            "README.md": b"---\nconfigs:\n- config_name: default\n  data_files: lines/*.txt\n---\n",
        },
    )
    assert load_dataset("mnist1d", "default", split="train")["text"][:] == ["one", "two"]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"static/benchmarks.png": PIXEL, "notebooks/figures/tsne.png": PIXEL},
        {"notebooks/mpl_style.txt": b"axes.grid: True\n", "requirements.txt": b"numpy\n"},
        {"static/benchmarks.png": PIXEL, "requirements.txt": b"numpy\n"},
    ],
    ids=["code", "pictures", "texts", "both"],
)
def test_a_clone_of_the_reference_does_not_hide_the_builder(here, more):
    write(here / "mnist1d", CLONE | more)
    assert is_generated(load_dataset("mnist1d", "default", num_samples=100))
    assert datasets.get_dataset_config_names("mnist1d")[:2] == ["default", "high-noise"]


def test_an_empty_folder_a_file_and_other_files_around_do_not_hide_the_builder(here):
    write(here, {"train.csv": b"a,b\n1,2\n", "test.txt": b"text"})
    (here / "mnist1d").mkdir()
    assert is_generated(load_dataset("mnist1d", num_samples=100))
    (here / "mnist1d").rmdir()
    (here / "mnist1d").write_bytes(b"a file")
    assert is_generated(load_dataset("mnist1d", num_samples=100))


def test_a_folder_by_its_path_is_always_the_folder(here):
    write(here / "mnist1d", {"train.txt": b"one\n"})
    assert load_dataset("./mnist1d", split="train")["text"][:] == ["one"]


def test_other_names_are_left_alone(here):
    write(here / "other", {"train.csv": b"a\n7\n"})
    assert load_dataset("other", split="train")["a"][:] == [7]
    assert load_dataset("csv", data_files=str(here / "other" / "train.csv"), split="train")["a"][:] == [7]


# The wrapped function


def test_registering_again_changes_nothing():
    before = datasets.load.dataset_module_factory
    mnist1d_hf.register()
    mnist1d_hf.register()
    assert datasets.load.dataset_module_factory is before
    assert datasets.inspect.dataset_module_factory is before
    assert before.__wrapped__.__name__ == "dataset_module_factory"  # and it is the library's own
    assert not hasattr(before.__wrapped__, "__wrapped__")


@pytest.mark.parametrize(
    "imports",
    [
        "import mnist1d_hf; from datasets import load_dataset",
        "from datasets import load_dataset; import mnist1d_hf",
        "from datasets import load_dataset; import importlib; import mnist1d_hf; importlib.reload(mnist1d_hf)",
    ],
)
def test_the_order_of_imports_does_not_matter(python, imports):
    code = f"{imports}\nprint(load_dataset('mnist1d', 'default', num_samples=100, split='train').num_rows)"
    assert python(code) == "80\n"


@pytest.mark.parametrize("revision", [None, DATA_VERSION, f"v{DATA_VERSION}", datasets.Version(DATA_VERSION)])
def test_the_version_made_here_may_be_asked_for(revision):
    assert is_generated(load_dataset("mnist1d", "default", revision=revision, num_samples=100))


@pytest.mark.parametrize("revision", ["2.0.0", "main", "1.0", datasets.Version("0.1.0")])
def test_another_version_is_an_error_that_says_what_is_made_here(cache, revision):
    with pytest.raises(ValueError, match=rf"revision='{revision}' cannot be generated.*{DATA_VERSION}.*owner/name"):
        load_dataset("mnist1d", "default", revision=revision)
    assert not cache.exists()


@pytest.mark.parametrize("keywords", [{"data_files": "train.csv"}, {"data_dir": "data"}])
def test_files_are_refused(cache, keywords):
    with pytest.raises(ValueError, match=rf"{next(iter(keywords))}='.*' cannot be used with 'mnist1d'.*leave it out"):
        load_dataset("mnist1d", "default", **keywords)
    assert not cache.exists()


def test_the_config_may_be_named_or_left_out():
    named = load_dataset("mnist1d", name="default", num_samples=100)
    assert isinstance(named, DatasetDict)
    assert is_generated(named)
    assert is_generated(load_dataset("mnist1d", num_samples=100))


# Without an import

NO_IMPORT = """
import sys
from datasets import load_dataset
train = load_dataset("mnist1d", sys.argv[1], split="train")
assert not [name for name in sys.modules if name.startswith("mnist1d_hf")]
print(train.num_rows, train.cache_files[0]["filename"], train[0]["x"][:2], sorted(train.features))
"""


def test_an_installed_config_loads_with_no_import_even_beside_an_older_build(cache, python, monkeypatch):
    with monkeypatch.context() as patch:  # the same config, as an older release has built it
        patch.setattr(mnist1d, "GENERATOR_CODE", "older")
        make = mnist1d.make_mnist1d
        patch.setattr(mnist1d, "make_mnist1d", lambda recipe, **keywords: make(recipe.replace(seed=1), **keywords))
        older = MNIST1D()
        older.download_and_prepare()
        variant = MNIST1D(seed=3)
        variant.download_and_prepare()
    folders = install(["default", "latents"])
    older.download_and_prepare()  # used again: it is in the cache
    arrays = make_mnist1d()
    for folder, name in zip(folders, ("default", "latents"), strict=True):
        rows, filename, *rest = python(NO_IMPORT, name).split(maxsplit=2)
        assert rows == "4000"
        assert filename == str(folder / "mnist1d-train.arrow")
        assert str(arrays.train.x[0, :2].astype(np.float32).tolist()) in rest[0]
    assert older.cache_dir != str(folders[0])


def test_installing_again_makes_the_present_build_the_one_that_loads(cache, python, monkeypatch):
    (present,) = install(["default"])
    with monkeypatch.context() as patch:
        patch.setattr(mnist1d, "GENERATOR_CODE", "another release, used in between")
        (other,) = install(["default"])
    assert str(other) in python(NO_IMPORT, "default")
    assert install(["default"]) == [present]
    assert str(present) in python(NO_IMPORT, "default")


def test_installing_clears_away_what_killed_builds_left(cache, python):
    (present,) = install(["default"])
    (present.parent / "older.incomplete").mkdir()  # of an older release: no build of ours would use it again
    (present.parent / "busy.incomplete").mkdir()
    with FileLock(f"{present.parent / 'busy'}_builder.lock"):
        assert install(["default"]) == [present]
    assert [path.name for path in present.parent.glob("*.incomplete")] == ["busy.incomplete"]
    install(["default"])
    assert str(present) in python(NO_IMPORT, "default")


def test_nothing_is_installed_if_one_name_is_wrong(cache):
    with pytest.raises(mnist1d_hf.RecipeError, match="no config 'nope'"):
        install(["default", "nope"])
    assert not list(cache.rglob("*.arrow"))
