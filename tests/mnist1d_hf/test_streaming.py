"""Streams of the fast stream: any row at once, and pieces for many readers. `make_slice` says what each row is."""

import json
import pickle
from itertools import islice

import datasets
import numpy as np
import pytest
from datasets import IterableDataset, load_dataset
from datasets.distributed import split_dataset_by_node
from hypothesis import given
from hypothesis import strategies as st

from mnist1d_hf import RECIPES, make_slice
from mnist1d_hf.generator.fast_stream import FastStream
from mnist1d_hf.streaming import COUNTS, StreamedPieces, pieces

BLOCK = 1000  # of the fast stream: what is made at once
BILLION = {"num_samples": 10**9, "train_split": 0.9}
FAR = 899_999_500  # of 900,000,000 rows: in the last piece, and in the middle of a block
SOME = {"num_samples": 10_000, "train_split": 0.6551}  # 6,551 rows in 6 pieces, the last one of 1,551


def stream(split="train", **keywords):
    return load_dataset("mnist1d", "large", split=split, streaming=True, **keywords)


def digits(batches):
    """The labels of batches, in any format."""
    return np.concatenate([np.asarray(batch["y"]) for batch in batches])


def expected(start, stop):
    return make_slice("large", "train", start, stop).y


@pytest.fixture
def made(monkeypatch):
    """The numbers of the blocks that are made, in their order."""
    numbers, usual = [], FastStream._block

    def counted(self, split, block, *arguments, **keywords):
        numbers.append(block)
        return usual(self, split, block, *arguments, **keywords)

    monkeypatch.setattr(FastStream, "_block", counted)
    return numbers


# Pieces


@given(st.integers(1, 10**12))
def test_pieces_are_whole_blocks_of_one_size_and_together_the_split(n):
    cut = pieces(n)
    assert [start for start, _ in cut] + [n] == [0] + [stop for _, stop in cut]
    assert all(start % BLOCK == 0 for start, _ in cut)
    blocks = {-(-(stop - start) // BLOCK) for start, stop in cut}
    assert max(blocks) - min(blocks) <= 1
    assert min(blocks) > 0
    assert len(cut) in COUNTS


@pytest.mark.parametrize("n", [5_040_000, 5_040_001, 10**9, 10**12])
def test_long_streams_divide_by_the_usual_numbers_of_nodes_and_workers(n):
    count = len(pieces(n))
    assert count <= 5_100
    assert all(count % readers == 0 for readers in [*range(1, 11), 12, 14, 15, 16, 18, 20, 21, 24, 28, 30, 36, 48, 56])


@given(st.integers(1, 60), st.integers(1, 40))
def test_more_readers_than_pieces_or_a_number_that_does_not_divide(blocks, readers):
    """Each row is read once, whoever reads it; datasets gives some readers one piece more, or none."""
    whole = StreamedPieces(RECIPES["large"].recipe, False, "train", pieces(blocks * BLOCK))
    shares = [whole.shard_data_sources(readers, reader, contiguous=False) for reader in range(readers)]
    ranges = sorted(piece for share in shares for piece in share.ranges)
    assert ranges == pieces(blocks * BLOCK)


@pytest.mark.parametrize("world_size", [1, 3, 8, 16, 60])
def test_a_node_makes_no_more_than_its_share(world_size, made):
    whole = stream(**BILLION)
    node = split_dataset_by_node(whole, rank=world_size - 1, world_size=world_size)
    first, _ = pieces(900_000_000)[world_size - 1]
    np.testing.assert_array_equal(next(node.with_format("numpy").iter(700))["y"], expected(first, first + 700))
    assert len(made) == 2


def test_nodes_that_divide_share_every_row(made):
    whole = stream(**SOME)
    assert whole.num_shards == 6
    shares = [digits(split_dataset_by_node(whole, rank, 3).with_format("numpy").iter(300)) for rank in range(3)]
    assert sorted(made) == list(range(7))
    ranges = [pieces(6_551)[rank::3] for rank in range(3)]
    for share, own in zip(shares, ranges, strict=True):
        np.testing.assert_array_equal(share, np.concatenate([expected(*piece) for piece in own]))


@pytest.mark.parametrize("world_size", [5, 32])
def test_any_number_of_nodes_can_take_whole_pieces_by_shard(world_size):
    whole = stream(num_samples=400_000, train_split=0.5)
    shares = [whole.shard(world_size, rank) for rank in range(world_size)]
    ranges = [piece for share in shares for piece in share._ex_iterable.ranges]
    assert ranges == pieces(200_000)
    sizes = [sum(stop - start for start, stop in share._ex_iterable.ranges) for share in shares]
    assert max(sizes) - min(sizes) <= 2 * BLOCK + BLOCK


@pytest.mark.skipif(not hasattr(IterableDataset, "reshard"), reason="this datasets has no reshard()")
def test_reshard_cuts_every_piece_so_that_powers_of_two_divide(made):
    whole = stream(**BILLION)
    finer = whole.reshard()
    assert finer.num_shards == 20_160
    assert finer.num_shards % 64 == finer.num_shards % 63 == 0
    assert finer.reshard().num_shards % 256 == 0
    ranges = finer._ex_iterable.ranges
    assert [start for start, _ in ranges] + [900_000_000] == [0] + [stop for _, stop in ranges]
    node = split_dataset_by_node(finer, rank=63, world_size=64).with_format("numpy")
    np.testing.assert_array_equal(next(node.iter(500))["y"], expected(ranges[63][0], ranges[63][0] + 500))
    assert len(made) == 2
    few = stream(**SOME)
    assert few.reshard().num_shards == few.num_shards  # of one block each: they cannot be cut
    np.testing.assert_array_equal(digits(few.reshard().with_format("numpy").iter(1000)), expected(0, 6_551))
    shuffled = few.shuffle(seed=1, buffer_size=10).reshard()
    assert sorted(digits(shuffled.iter(100))) == sorted(expected(0, 6_551))


# Any row at once


@pytest.mark.parametrize("kind", [None, "arrow", "numpy"])
def test_skip_makes_only_the_block_of_the_next_row(kind, made):
    far = stream(**BILLION).with_format(kind).skip(FAR)
    np.testing.assert_array_equal(digits([next(far.iter(7))]), expected(FAR, FAR + 7))
    assert len(made) == 2  # one of them by `expected`
    np.testing.assert_array_equal(digits(far.iter(300)), expected(FAR, 900_000_000))
    assert not list(stream(**BILLION).skip(10**9).iter(10))


def test_a_state_far_in_the_stream_is_gone_on_from_at_once(made):
    far = stream(**BILLION).skip(FAR)
    rows = iter(far)
    seen = [next(rows)["y"] for _ in range(3)]
    state = json.loads(json.dumps(far.state_dict()))
    again = stream(**BILLION).skip(FAR)
    again.load_state_dict(state)
    made.clear()
    seen += [row["y"] for row, _ in zip(iter(again), range(4), strict=False)]
    assert made == [FAR // BLOCK]
    np.testing.assert_array_equal(seen, expected(FAR, FAR + 7))


@pytest.mark.parametrize("prepared", ["whole", "skipped", "node", "node of four", "node skipped"])
@pytest.mark.parametrize(
    ("kind", "batch", "taken"),
    [(None, 1, 1), (None, 1, 1000), (None, 100, 13), ("arrow", 128, 9), ("numpy", 1000, 1), ("numpy", 700, 2)],
)
def test_a_state_is_gone_on_from_at_the_next_row(prepared, kind, batch, taken):
    def fresh():
        whole = stream(**SOME).with_format(kind)
        if prepared in ("whole", "skipped"):
            return whole.skip(1234) if prepared == "skipped" else whole
        node = split_dataset_by_node(whole, 1, 4 if prepared == "node of four" else 3)
        return node.skip(234) if prepared == "node skipped" else node

    def batches(of):
        return ({"y": [row["y"]]} for row in of) if batch == 1 else of.iter(batch)

    all_of_it = digits(fresh().with_format("numpy").iter(1000))
    first = fresh()
    going = batches(first)
    begun = [next(going) for _ in range(taken)]
    state = json.loads(json.dumps(first.state_dict()))
    again = fresh()
    again.load_state_dict(state)
    np.testing.assert_array_equal(digits([*begun, *batches(again)]), all_of_it)


def reference(ranges):
    """The same pieces as a stream of datasets' own, from a Python generator."""

    def rows(ranges):
        for start, stop in ranges:
            for y in expected(start, stop):
                yield {"y": int(y)}

    return IterableDataset.from_generator(rows, gen_kwargs={"ranges": ranges})


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.skip(3210),
        lambda ds: ds.skip(1000).skip(77),
        lambda ds: ds.skip(2000).take(1500),
        lambda ds: ds.take(5000).skip(3333),
        lambda ds: split_dataset_by_node(ds.skip(999), 2, 4),
        lambda ds: split_dataset_by_node(ds.skip(999), 2, 5),
        lambda ds: split_dataset_by_node(ds, 2, 4).skip(1111),
        lambda ds: split_dataset_by_node(ds, 2, 5).skip(111),
        lambda ds: ds.skip(1500).shard(3, 1),
        lambda ds: ds.shard(3, 1).skip(1500),
        lambda ds: ds.shuffle(seed=3, buffer_size=1),
        lambda ds: ds.shuffle(seed=3, buffer_size=1).skip(50),
        lambda ds: ds.skip(0),
        lambda ds: ds.skip(10**6),
    ],
)
def test_every_way_to_choose_rows_is_that_of_datasets(change):
    own, theirs = change(stream(**SOME).select_columns(["y"])), change(reference(pieces(6_551)))
    assert own.num_shards == theirs.num_shards
    np.testing.assert_array_equal([row["y"] for row in own], [row["y"] for row in theirs])


def test_an_epoch_has_another_order_of_pieces_and_every_row():
    shuffled = stream(**SOME).shuffle(seed=5, buffer_size=100)
    orders = []
    for epoch in range(2):
        shuffled.set_epoch(epoch)
        orders.append(digits(shuffled.iter(1000)))
    assert not np.array_equal(*orders)
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(expected(0, 6_551))


def test_a_state_of_other_pieces_is_refused():
    whole = stream(**SOME)
    next(iter(whole))
    state = whole.state_dict()
    other = stream(num_samples=2_500)
    other.load_state_dict(state)
    with pytest.raises(ValueError, match=r"a place in 6 pieces .*, and this stream has 2 .*by the same release"):
        next(iter(other))


def test_other_data_sets_are_skipped_as_before():
    numbers = datasets.Dataset.from_dict({"a": range(30)}).to_iterable_dataset(num_shards=3)
    stream(**SOME)
    assert [row["a"] for row in numbers.skip(12)] == list(range(12, 30))
    assert [row["y"] for row in load_dataset("mnist1d", split="test", streaming=True).skip(998)] == [
        row["y"] for row in load_dataset("mnist1d", split="test[998:]")
    ]


def test_columns_of_latents_and_noisy_labels_go_along():
    keywords = {"latents": True, "label_noise": 0.2, "num_samples": 20_000}
    far = next(stream(**keywords).with_format("numpy").skip(12_345).iter(5))
    rows = make_slice("large", "train", 12_345, 12_350, latents=True, label_noise=0.2)
    for name, values in {"x": rows.x, "y": rows.y, "y_clean": rows.y_clean, **rows.latents.columns()}.items():
        np.testing.assert_array_equal(far[name], values)


def test_it_pickles_small_and_goes_on_after_it():
    far = stream(**BILLION).skip(FAR)
    text = pickle.dumps(far)
    assert len(text) < 250_000
    np.testing.assert_array_equal(digits([next(pickle.loads(text).iter(5))]), expected(FAR, FAR + 5))  # noqa: S301


def test_workers_of_a_data_loader_share_the_pieces():
    torch = pytest.importorskip("torch")
    whole = stream(num_samples=2_500).with_format("torch")
    loader = torch.utils.data.DataLoader(whole, batch_size=None, num_workers=2)
    labels = np.array([int(row["y"]) for row in islice(loader, 200)])  # of the two workers in turn
    np.testing.assert_array_equal(labels[::2], expected(0, 100))
    np.testing.assert_array_equal(labels[1::2], expected(BLOCK, BLOCK + 100))
