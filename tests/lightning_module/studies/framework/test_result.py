import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_module.studies.framework.result import Result, table_of

# What the blog post's rows never hold, but those of somebody's study may.
ENTRIES = {
    "text": st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["NA", "nan", "", "a,b", 'a"b', "a\r\nb"]),
    "float": st.floats() | st.sampled_from([5e-324, 1.7976931348623157e308, -0.0, 0.1 + 0.2]),
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
}


@st.composite
def rows_of_a_table(draw):
    column = st.tuples(st.sampled_from(["seed", "network", "a b", "ä"]), st.sampled_from(sorted(ENTRIES)))
    columns = draw(st.lists(column, unique_by=lambda c: c[0], min_size=1))
    row = st.fixed_dictionaries({name: st.none() | ENTRIES[kind] for name, kind in columns})
    return draw(st.lists(row, max_size=5))


def is_missing(entry):
    return bool(pd.isna(entry) or entry == "")


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@settings(deadline=None, max_examples=100)
@given(rows=rows_of_a_table())
def test_any_table_comes_back_as_it_was(shared_folder, rows):
    before = result(tables={"rows": table_of(rows), "others": table_of([{"x": 1}])})
    after = Result.load(before.save(shared_folder))
    assert after == before
    assert len(after.rows) == len(rows)
    for name in after.rows:
        for given_entry, entry in zip([row[name] for row in rows], after.rows[name], strict=True):
            # Exactly; in a column of texts or truth values a missing entry is missing, and so is an empty text.
            assert is_missing(entry) if is_missing(given_entry) else entry == given_entry


def result(**keywords):
    names = {"study": "s", "preset": "smoke", "config": {"seeds": 2}}
    return Result(**{**names, "tables": {"rows": table_of([{"seed": 0, "accuracy": 0.5}])}, **keywords})


def test_everything_comes_back(tmp_path):
    before = result(
        arrays={"predictions": np.arange(6, dtype=np.uint8).reshape(2, 3), "loss": np.array([1.0, np.nan])},
        data={"frozen": {"version": "1.0.0", "sha256": {"train": {"x": "ab"}}}},
        versions={"torch": "2.13"},
        claims_sha256="cd",
        provenance={"command": "mnist1d study run s", "wall_seconds": 1.5},
    )
    after = Result.load(before.save(tmp_path / "new" / "folder"))
    assert after == before
    assert (after.claims_sha256, after.provenance) == (before.claims_sha256, before.provenance)
    assert after.arrays["predictions"].dtype == np.uint8


@pytest.mark.parametrize(
    "other",
    [
        {"preset": "quick"},
        {"config": {"seeds": 3}},
        {"versions": {"torch": "2.12"}},
        {"data": {"frozen": {}}},
        {"tables": {"rows": table_of([{"seed": 0, "accuracy": 0.5000000000000001}])}},
        {"tables": {"rows": table_of([{"seed": 0.0, "accuracy": 0.5}])}},
        {"tables": {}},
        {"arrays": {"a": np.zeros(1)}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_unequal(other):
    assert result(**other) != result()


def test_provenance_makes_no_difference():
    assert result(provenance={"wall_seconds": 1.0}) == result()
    arrays = [{"a": np.array([0.0])}, {"a": np.array([0])}, {"a": np.array([1.0])}, {"b": np.array([0.0])}]
    assert [result(arrays=each) == result(arrays=arrays[0]) for each in arrays] == [True, False, False, False]


def test_saving_the_same_again_changes_no_byte(tmp_path):
    one = result(arrays={"a": np.arange(100)})
    first = {path.name: path.read_bytes() for path in one.save(tmp_path).iterdir()}
    assert {path.name: path.read_bytes() for path in Result.load(tmp_path).save(tmp_path).iterdir()} == first


def test_no_pickle():
    with pytest.raises(ValueError, match="array 'a' has dtype object"):
        result(arrays={"a": np.array([{}], dtype=object)})
    with pytest.raises(ValueError, match="must have numbers"):
        result(arrays={"a": np.array(["text"])})


def test_a_column_of_texts_and_numbers_is_an_error():
    with pytest.raises(ValueError, match="column 'a' has mixed"):
        table_of([{"a": 1}, {"a": "one"}])


def test_nothing_to_load(tmp_path):
    with pytest.raises(ValueError, match="run the study first"):
        Result.load(tmp_path)
    result().save(tmp_path)
    head = json.loads((tmp_path / "result.json").read_text())
    (tmp_path / "result.json").write_text(json.dumps({**head, "format": 99}))
    with pytest.raises(ValueError, match="format 99"):
        Result.load(tmp_path)


@pytest.mark.parametrize("change", [lambda file: file.unlink(), lambda file: file.write_text("seed,accuracy\n0,0.6\n")])
def test_files_of_two_results_are_not_one(tmp_path, change):
    result().save(tmp_path)
    change(tmp_path / "rows.csv")
    with pytest.raises(ValueError, match=r"rows.csv is not the file that result.json belongs to"):
        Result.load(tmp_path)


def test_csv_is_readable_by_anybody(tmp_path):
    rows = [{"network": "cnn", "seed": 0, "accuracy": 0.1, "best": True}, {"network": "mlp", "seed": 1}]
    result(tables={"rows": table_of(rows)}).save(tmp_path)
    assert (tmp_path / "rows.csv").read_text() == "network,seed,accuracy,best\ncnn,0,0.1,True\nmlp,1,,\n"
