"""How splits are cut, what their digests are, and what is read of a list of shards that somebody else wrote."""

import hashlib
import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from tiny_shards import RECIPE, TEST, TRAIN

from mnist1d_hf import RECIPES
from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.shards.cut import LEAF_ROWS, MANY, Shard, checked_rows, cut, usual_rows
from mnist1d_hf.shards.journal import Entry, Journal
from mnist1d_hf.shards.leaves import composed, leaf_digests
from mnist1d_hf.shards.listing import MadeShard, read_list, split_digests, written_list
from mnist1d_hf.shards.writing import group_rows
from mnist1d_hf.stored import Stored

SIZES = [(1, 1), (100_000, 1), (100_001, 1), (999_999, 3), (6_400_000, 1), (6_300_000, 1), (10**9, 20), (10**7, 1)]


@pytest.mark.parametrize(("rows", "leaves"), SIZES)
def test_shards_hold_every_row_once_in_whole_leaves(rows, leaves):
    shards = cut("c", {"train": rows}, leaves * LEAF_ROWS)
    assert [shard.start for shard in shards] == [0, *(shard.stop for shard in shards[:-1])]
    assert shards[-1].stop == rows
    assert all(shard.start % LEAF_ROWS == 0 and 0 < shard.rows <= leaves * LEAF_ROWS for shard in shards)
    assert {shard.count for shard in shards} == {len(shards)}
    assert [shard.number for shard in shards] == list(range(len(shards)))


def test_many_shards_are_a_multiple_of_64_and_few_are_as_few_as_can_be():
    assert len(cut("c", {"train": 10**9}, 20 * LEAF_ROWS)) == 512  # 500 would do
    assert len(cut("c", {"train": 63 * LEAF_ROWS}, LEAF_ROWS)) == 63
    assert len(cut("c", {"train": 65 * LEAF_ROWS}, LEAF_ROWS)) == 65  # no leaf can be cut
    assert len(cut("c", {"train": 2 * LEAF_ROWS, "test": 5}, 10 * LEAF_ROWS)) == 2
    assert MANY == 64


def test_a_path_is_as_datasets_names_it():
    assert Shard("c", "train", 7, 512, 0, 1).path == "c/train-00007-of-00512.parquet"


@pytest.mark.parametrize(("length", "rows"), [(40, 2_000_000), (120, 600_000), (4096, 100_000)])
def test_the_usual_shard_is_about_270_megabytes_in_whole_leaves(length, rows):
    assert usual_rows(RECIPE.replace(final_seq_length=length)) == rows


@pytest.mark.parametrize("name", RECIPES)
def test_every_config_of_this_package_is_one_file_for_each_split(name):
    assert max(RECIPES[name].recipe.split_sizes(RECIPES[name].stream).values()) <= usual_rows(RECIPES[name].recipe)


@pytest.mark.parametrize("length", [2, 40, 120, 500, 1000, 4096])
def test_a_row_group_is_a_whole_part_of_a_leaf_and_fits_into_memory(length):
    rows = group_rows(RECIPE.replace(final_seq_length=length))
    assert LEAF_ROWS % rows == 0
    assert rows % 1000 == 0
    assert rows * length * 4 <= 1 << 26


@pytest.mark.parametrize(
    ("given", "said"),
    [(1, "from 100000"), (250_000, "multiple of 100000.*write 200000 or 300000"), ("many", "an integer")],
)
def test_rows_that_no_leaf_fits_into_are_refused(given, said):
    with pytest.raises(ValueError, match=f"rows_per_shard=.*{said}"):
        checked_rows(given)


# Digests


@pytest.fixture(scope="module")
def numbers():
    return np.arange(250_007, dtype=np.int64)


@pytest.mark.parametrize("piece", [1_000, 77_777, 100_000, 300_000])
def test_leaves_do_not_depend_on_tables(numbers, piece):
    table = pa.table({"y": numbers})
    found = leaf_digests(table.slice(start, piece) for start in range(0, len(table), piece))
    ends = [0, 100_000, 200_000, 250_007]
    expected = [hashlib.sha256(numbers[a:b].tobytes()).hexdigest() for a, b in pairwise(ends)]
    assert [leaf["y"] for leaf in found] == expected
    joined = hashlib.sha256(b"".join(map(bytes.fromhex, expected))).hexdigest()
    assert composed(found) == {"y": joined}


def test_a_split_of_one_leaf_has_the_digest_that_it_always_had(numbers):
    table = pa.table({"y": numbers[:100_000]})
    assert composed(leaf_digests([table])) == column_digests([table])
    assert leaf_digests([]) == []


# The list of shards


def shards(config="tiny"):
    digest = iter(range(10**6))

    def sha(pattern="{:064x}"):
        return pattern.format(next(digest))

    return [
        MadeShard(
            shard,
            Stored(100 + shard.number, sha(), sha("{:040x}")),
            [{"x": sha(), "y": sha()} for _ in range(-(-shard.rows // LEAF_ROWS))],
        )
        for shard in cut(config, {"train": TRAIN, "test": TEST}, 200_000)
    ]


def read(content, config="tiny"):
    return read_list(content, config, {"train": TRAIN, "test": TEST}, ["x", "y"])


def test_a_list_is_read_as_it_was_written_and_digests_do_not_depend_on_the_cut():
    made = shards()
    content = written_list("tiny", made)
    assert read(content) == made
    leaves = [leaf for each in made for leaf in each.leaves]
    again = []
    for shard in cut("tiny", {"train": TRAIN}, 100_000):
        first = shard.start // LEAF_ROWS
        again.append(MadeShard(shard, Stored(1), leaves[first : first + -(-shard.rows // LEAF_ROWS)]))
    assert split_digests(again)["train"] == split_digests(made)["train"]


def changed(change):
    data = json.loads(written_list("tiny", shards()))
    change(data)
    return json.dumps(data).encode()


def entry(data):
    return data["splits"]["train"][0]


WRONG = {
    "another format": lambda data: data.update(format=2),
    "other leaves": lambda data: data.update(leaf_rows=5),
    "a number that is none": lambda data: data.update(format=True),
    "another config": lambda data: data.update(config_name="other"),
    "no splits": lambda data: data.update(splits=[]),
    "a split less": lambda data: data["splits"].pop("test"),
    "a shard less": lambda data: data["splits"]["train"].pop(),
    "no shards": lambda data: data["splits"].update(train=[]),
    "a shard that is none": lambda data: data["splits"].update(train=["x"]),
    "a path outside": lambda data: entry(data).update(path="../../secret"),
    "rows of part of a leaf": lambda data: entry(data).update(rows=150_000),
    "rows below zero": lambda data: entry(data).update(rows=-1),
    "rows as a text": lambda data: entry(data).update(rows="200000"),
    "more rows": lambda data: entry(data).update(rows=300_000),
    "no digest": lambda data: entry(data).update(sha256=""),
    "a digest with a line": lambda data: entry(data).update(sha256="0" * 64 + "\n"),
    "a leaf less": lambda data: entry(data)["leaves"]["x"].pop(),
    "a column less": lambda data: entry(data)["leaves"].pop("x"),
    "a column more": lambda data: entry(data)["leaves"].update(z=[]),
    "a leaf that is none": lambda data: entry(data)["leaves"].update(x=[1, 2]),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_list_that_is_none_is_refused(change):
    with pytest.raises(ValueError, match=r"must|instead of"):
        read(changed(change))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": NaN}', b'{"format": 1, "format": 1}', b"\xff"])
def test_a_file_that_is_no_list_is_refused(content):
    with pytest.raises(ValueError, match=r"."):
        read(content)


# The journal


def test_an_entry_is_of_exactly_these_rows_of_these_data(tmp_path):
    journal = Journal.of(tmp_path, RECIPE, False)
    made = shards()
    journal.write(Entry(made[0], b"head"))
    assert journal.read(made[0].shard) == Entry(made[0], b"head")
    journal.write(Entry(made[0], b"head", sent=True))
    assert journal.read(made[0].shard).sent
    assert journal.read(made[1].shard) is None
    assert Journal.of(tmp_path, RECIPE.replace(seed=1), False).read(made[0].shard) is None
    assert Journal.of(tmp_path, RECIPE, True).read(made[0].shard) is None
    longer = Shard("tiny", "train", 0, made[0].shard.count, 0, made[0].shard.stop + LEAF_ROWS)
    assert journal.read(longer) is None
    (tmp_path / "train-00000-of-00002.json").write_text("{")
    assert journal.read(made[0].shard) is None
