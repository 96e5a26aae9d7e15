from pathlib import Path

import datasets
import pytest
import torch

import mnist1d_hf


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Networks this small gain nothing from more, and lose much where the tests share the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set as a folder of Parquet files: 1440 training examples, 36 minibatches of 40, and 200 test examples."""
    path = tmp_path_factory.mktemp("folder")
    arrays = mnist1d_hf.make_mnist1d()
    for name, split, rows in (("train", arrays.train, 1440), ("test", arrays.test, 200)):
        columns = {"x": split.x[:rows].astype("float32"), "y": split.y[:rows]}
        datasets.Dataset.from_dict(columns).to_parquet(path / f"{name}.parquet")
    return path
