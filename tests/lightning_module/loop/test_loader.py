from itertools import chain

import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from lightning_module import TensorLoader
from lightning_module.loop.loader import Execution

X = torch.arange(103).repeat(4, 1).T.float()  # (103, 4): each row says which it is
Y = torch.arange(103)


def flat(batches) -> list[int]:
    return list(chain.from_iterable(batches))


def rows(loader: TensorLoader) -> list[list[int]]:
    batches = list(loader)
    assert all(torch.equal(x[:, 0].long(), y) for x, y in batches)
    return [y.tolist() for _, y in batches]


@pytest.mark.parametrize("drop_last", [False, True])
def test_own_order_is_that_of_a_data_loader(drop_last):
    reference = DataLoader(TensorDataset(X, Y), batch_size=10, drop_last=drop_last)
    loader = TensorLoader(X, Y, batch_size=10, drop_last=drop_last)
    assert rows(loader) == [y.tolist() for _, y in reference]
    assert len(loader) == len(reference)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("n", "world_size"), [(103, 2), (103, 4), (100, 4), (3, 8), (103, 1)])
def test_order_on_several_ranks_is_that_of_a_distributed_sampler(n, world_size, shuffle):
    for rank in range(world_size):
        sampler = DistributedSampler(Y[:n], world_size, rank, shuffle=shuffle, seed=5)
        loader = TensorLoader(X[:n], Y[:n], batch_size=10, shuffle=shuffle, seed=5, rank=rank, world_size=world_size)
        for epoch in (0, 3):
            sampler.set_epoch(epoch)
            loader.set_epoch(epoch)
            assert flat(rows(loader)) == list(sampler)
            assert len(loader) == -(-len(sampler) // 10)


def test_minibatches_of_all_ranks_are_the_minibatch_of_one_device():
    one = TensorLoader(X[:100], Y[:100], batch_size=20, shuffle=True)
    two = [TensorLoader(X[:100], Y[:100], batch_size=10, shuffle=True, rank=r, world_size=2) for r in range(2)]
    for whole, *parts in zip(rows(one), *map(rows, two), strict=True):
        assert sorted(whole) == sorted(flat(parts))


def test_evaluation_sees_every_row_once():
    loaders = [TensorLoader(X, Y, batch_size=20, rank=r, world_size=4, pad=False) for r in range(4)]
    assert sorted(flat(flat(rows(loader)) for loader in loaders)) == Y.tolist()


def test_plan_hands_out_the_same_rows_in_larger_pieces():
    loader = TensorLoader(X, Y, batch_size=10, shuffle=True)
    single = rows(loader)
    counts = iter([3, 1, 5, 9])  # 11 minibatches, the last with 3 rows; more is asked for than there is
    loader.plan = lambda left: next(counts)
    pieces = list(loader)
    assert [len(piece.minibatches()) for piece in pieces] == [3, 1, 5, 2]
    taken = []
    for piece in pieces:
        assert isinstance(piece, Execution)
        taken += piece.minibatches()
    assert [y.tolist() for _, y in taken] == single


@pytest.mark.parametrize("taken", [1, 4, 10])
def test_resumed_in_mid_epoch(taken):
    loader = TensorLoader(X, Y, batch_size=10, shuffle=True)
    loader.set_epoch(2)
    whole = rows(loader)
    iterator = iter(loader)
    for _ in range(taken):
        next(iterator)
    state = loader.state_dict()
    assert state == {"epoch": 2, "position": taken}

    resumed = TensorLoader(X, Y, batch_size=10, shuffle=True)
    resumed.load_state_dict(state)
    resumed.set_epoch(2)
    assert rows(resumed) == whole[taken:]
    assert rows(resumed) == whole


@pytest.mark.parametrize(("limit", "taken"), [(None, 11), (4, 4)])
def test_resumed_at_the_end_of_an_epoch_starts_the_next(limit, taken):
    resumed = TensorLoader(X, Y, batch_size=10, shuffle=True)
    resumed.limit = limit
    resumed.load_state_dict({"epoch": 2, "position": taken})
    resumed.set_epoch(3)
    fresh = TensorLoader(X, Y, batch_size=10, shuffle=True)
    fresh.set_epoch(3)
    assert rows(resumed) == rows(fresh)


def test_rewound_minibatches_are_not_counted():
    loader = TensorLoader(X, Y, batch_size=10)
    loader.plan = lambda left: 6
    next(iter(loader))
    loader.move(-2)
    assert loader.state_dict()["position"] == 4


def test_an_iterator_that_is_only_made_changes_nothing():
    """Lightning makes one to see whether it can."""
    loader = TensorLoader(X, Y, batch_size=10)
    loader.load_state_dict({"epoch": 0, "position": 9})
    iter(loader)
    assert len(rows(loader)) == 2


def test_slices_share_memory_with_the_split():
    x, _ = next(iter(TensorLoader(X, Y, batch_size=10)))
    assert x.data_ptr() == X.data_ptr()


def test_global_random_state_stays(request):
    before = torch.get_rng_state()
    rows(TensorLoader(X, Y, batch_size=10, shuffle=True))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"batch_size": 1, "rank": 2, "world_size": 2}, r"rank=2 must be in 0\.\.1"),
        ({"batch_size": 1, "y": Y[1:]}, "x has 103 rows and y has 102"),
    ],
)
def test_errors(keywords, message):
    with pytest.raises(ValueError, match=message):
        TensorLoader(X, keywords.pop("y", Y), **keywords)
