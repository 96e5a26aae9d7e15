import multiprocessing
import pickle

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, Subset, random_split

from lightning_module import SignalDataset, torch_dataset
from mnist1d_hf import RecipeError, make_mnist1d


def doubled(x):
    x *= 2  # in place: the data set itself must not change
    return x


def one_hot(digit):
    return torch.nn.functional.one_hot(torch.tensor(digit), 10)


@pytest.mark.parametrize(("split", "rows"), [("train", 4000), ("test", 1000)])
def test_it_is_the_split_pair_by_pair(split, rows):
    dataset = torch_dataset(split)
    expected = getattr(make_mnist1d(dtype="float32"), split)
    assert isinstance(dataset, Dataset)
    assert len(dataset) == rows
    assert len(list(dataset)) == rows  # iteration ends
    for row in (0, 1, -1):
        x, y = dataset[row]
        assert x.dtype == torch.float32
        assert x.tolist() == expected.x[row].tolist()
        assert type(y) is int
        assert y == expected.y[row]
    assert torch.equal(dataset.data, torch.from_numpy(expected.x))
    assert torch.equal(dataset.targets, torch.from_numpy(expected.y))
    assert dataset.classes == [str(digit) for digit in range(10)]
    assert "4000 signals of shape (40,)" in repr(torch_dataset("train"))


def test_a_channel():
    dataset = torch_dataset("test", channel=True)
    assert dataset[0][0].shape == (1, 40)
    assert torch.equal(dataset[0][0][0], torch_dataset("test")[0][0])
    assert torch.nn.Conv1d(1, 3, 5)(next(iter(DataLoader(dataset, 7)))[0]).shape == (7, 3, 36)


def test_transforms_see_one_example_and_cannot_change_the_data():
    plain, changed = torch_dataset("test"), torch_dataset("test", transform=doubled, target_transform=one_hot)
    for _ in range(2):
        x, y = changed[3]
        assert torch.equal(x, 2 * plain[3][0])
        assert int(y.argmax()) == plain[3][1]
    plain[3][0].zero_()
    assert plain[3][0].any()


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_however_they_start(start):
    dataset = torch_dataset("test", transform=doubled, recipe={"num_samples": 100})
    loader = DataLoader(dataset, 10, num_workers=1, multiprocessing_context=multiprocessing.get_context(start))
    x, y = (torch.cat(parts) for parts in zip(*loader, strict=True))
    assert torch.equal(x, 2 * dataset.data)
    assert torch.equal(y, dataset.targets)
    assert y.dtype == torch.int64


def test_it_pickles_and_can_be_divided():
    dataset = torch_dataset("train", transform=doubled)
    again = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own
    assert isinstance(again, SignalDataset)
    assert torch.equal(again[5][0], dataset[5][0])
    kept, held_out = random_split(dataset, [0.8, 0.2], generator=torch.Generator().manual_seed(0))
    assert (len(kept), len(held_out)) == (3200, 800)
    sevens = Subset(dataset, (dataset.targets == 7).nonzero().flatten().tolist())
    assert {y for _, y in sevens} == {7}


def test_other_data():
    assert torch_dataset("test", name="long")[0][0].shape == (120,)
    noisy = torch_dataset("test", name="shuffled", recipe={"num_samples": 100, "iid_noise_scale": 0.1})
    expected = make_mnist1d("shuffled", num_samples=100, iid_noise_scale=0.1, dtype="float32").test.x
    assert torch.equal(noisy.data, torch.from_numpy(expected))


@pytest.mark.parametrize(
    ("split", "keywords", "said"),
    [
        ("val", {}, "split='val' must be"),
        (0, {}, "split=0 must be"),
        ("train", {"channel": 1}, "channel=1 must be True or False"),
        ("train", {"transform": "double"}, "transform='double' must be a function or None"),
        ("train", {"target_transform": 3}, "target_transform=3 must be a function or None"),
        ("train", {"recipe": {"iid_noise": 1}}, "iid_noise"),
        ("train", {"path": "owner/data", "recipe": {"seed": 1}}, "recipe="),
    ],
    ids=range(7),
)
def test_arguments_that_make_no_sense_are_named(split, keywords, said):
    with pytest.raises((ValueError, RecipeError), match=said):
        torch_dataset(split, **keywords)


def test_only_single_rows_can_be_asked_for():
    dataset = torch_dataset("test")
    with pytest.raises(IndexError):
        dataset[1000]
    with pytest.raises(TypeError):
        dataset[0:5]
