"""Minibatches of the fast stream: which examples they are. `make_slice` says what each example is."""

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightning_module.loop.loader import Execution
from lightning_module.loop.stream_loader import StreamLoader, _order
from mnist1d_hf import Recipe, make_slice
from mnist1d_hf.generator.blocks import StreamBlocks

RECIPE = Recipe(seed=7)
BLOCK = 1000


def loader(**keywords):
    return StreamLoader(RECIPE, **{"batch_size": 100, **({} if "stop" in keywords else {"steps": 15}), **keywords})


def rows(blocks, split="train", stop=10**15):
    parts = [make_slice(RECIPE, split, block * BLOCK, min(block * BLOCK + BLOCK, stop)) for block in blocks]
    return torch.tensor(np.concatenate([part.x for part in parts])), torch.tensor(
        np.concatenate([part.y for part in parts])
    )


def joined(batches):
    xs, ys = zip(*batches, strict=True)
    return torch.cat(xs), torch.cat(ys)


def assert_same(found, expected):
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


@pytest.mark.parametrize(("batch_size", "world_size"), [(100, 1), (128, 3), (2500, 2)])
def test_each_rank_goes_through_blocks_of_its_own(batch_size, world_size):
    for rank in range(world_size):
        own = loader(batch_size=batch_size, steps=4, rank=rank, world_size=world_size)
        assert len(own) == 4
        seen = []
        for epoch in range(2):
            own.set_epoch(epoch)
            seen += list(own)
        assert all(len(y) == batch_size for _, y in seen)
        count = 8 * batch_size
        x, y = rows(range(rank, rank + world_size * (count // BLOCK + 1), world_size))
        assert_same(joined(seen), (x[:count], y[:count]))
        assert seen[0][0].dtype == torch.float32
        assert seen[0][1].dtype == torch.int64


def test_no_rank_makes_the_blocks_of_another(monkeypatch):
    made, usual = [], StreamBlocks._block
    monkeypatch.setattr(
        StreamBlocks,
        "_block",
        lambda self, split, block, **keywords: [made.append(block), usual(self, split, block)][1],
    )
    list(loader(rank=5, world_size=64))
    assert {block % 64 for block in made} == {5}


@pytest.mark.parametrize("counts", [[3, 1, 5, 9], [15], [1] * 15])
def test_several_minibatches_at_once_are_the_same(counts):
    single, planned = list(loader()), loader()
    left = iter(counts)
    planned.plan = lambda _: next(left, 9)
    executions = list(planned)
    assert all(isinstance(each, Execution) for each in executions)
    assert_same(joined(pair for each in executions for pair in each.minibatches()), joined(single))


@pytest.mark.parametrize("step", [0, 1, 14, 15, 37, 10**9])
def test_one_number_says_where_it_is(step):
    going = loader()
    going.load_state_dict({"step": step})
    first = next(iter(going))
    assert going.state_dict() == {"step": step + 1}
    block, offset = divmod(step * 100, BLOCK)
    x, y = rows([block])
    assert_same(first, (x[offset : offset + 100], y[offset : offset + 100]))


def test_it_goes_on_from_the_middle_of_an_epoch():
    x, y = rows(range(3))
    first = loader()
    begun = list(islice(first, 7))
    again = loader()
    again.load_state_dict(first.state_dict())
    rest = list(again)
    again.set_epoch(1)
    assert_same(joined([*begun, *rest, *again]), (x, y))


def test_digits_that_are_kept():
    found = joined(loader(classes=(1, 7), steps=6))
    x, y = rows(range(3))
    kept = (y == 1) | (y == 7)
    assert_same(found, (x[kept], y[kept]))


def test_a_range_in_epochs_of_another_order_of_blocks():
    training = loader(start=2000, stop=9500, shuffle=True, seed=3)  # seven whole blocks
    assert len(training) == 70
    orders = []
    for epoch in range(3):
        training.set_epoch(epoch)
        labels = joined(training)[1].view(-1, BLOCK)
        assert sorted(map(tuple, labels.tolist())) == sorted(map(tuple, rows(range(2, 9))[1].view(-1, BLOCK).tolist()))
        orders.append(labels)
    assert not torch.equal(orders[0], orders[1]) or not torch.equal(orders[1], orders[2])
    ranks = [loader(stop=9500, rank=rank, world_size=2) for rank in range(2)]
    assert [len(rank) for rank in ranks] == [40, 40]
    assert_same(joined(ranks[1]), rows([1, 3, 5, 7]))


@pytest.mark.parametrize("world_size", [1, 2, 5])
def test_an_evaluation_sees_every_example_once(world_size):
    seen = []
    for rank in range(world_size):
        pieces = loader(split="test", stop=3210, drop_last=False, batch_size=700, rank=rank, world_size=world_size)
        for epoch in (0, 4):
            pieces.set_epoch(epoch)
            found = list(pieces)
            assert len(found) == len(pieces)
        seen += found
    x, _ = joined(seen)
    expected, _ = rows(range(4), "test", 3210)
    assert torch.equal(x[x[:, 0].argsort()], expected[expected[:, 0].argsort()])


@given(st.integers(-(2**62), 2**62), st.integers(1, 500))
def test_orders_are_permutations(seed, count):
    factor, shift = _order(seed, count)
    assert sorted((factor * i + shift) % count for i in range(count)) == list(range(count))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"steps": 3, "stop": 5}, "steps=3, stop=5: give one of them"),
        ({"steps": 0}, "steps=0 must be at least 1"),
        ({"start": 50}, "start=50 must be the first example of a block, a multiple of 1000"),
        ({"stop": 5000, "classes": (1,)}, r"classes=\(1,\) with a range: .* leave one of the two out"),
        ({"recipe": Recipe(label_noise=0.1), "classes": (1,)}, r"classes=\(1,\) with label_noise=0.1"),
        ({"rank": 2, "world_size": 2}, r"rank=2 must be in 0..1"),
        ({"split": "val"}, "split='val' "),
    ],
)
def test_what_cannot_be(keywords, message):
    recipe = keywords.pop("recipe", RECIPE)
    with pytest.raises(ValueError, match=message):
        StreamLoader(recipe, **{"batch_size": 10, **({} if "stop" in keywords else {"steps": 3}), **keywords})


def test_an_error_in_a_thread_comes_out(monkeypatch):
    def fails(*_, **__):
        raise MemoryError("no more")

    monkeypatch.setattr(StreamBlocks, "_block", fails)
    with pytest.raises(MemoryError, match="no more"):
        next(iter(loader()))
