"""`study verify` is content with nothing but what a run wrote: every edit of a result is seen, or said not to be."""

import copy
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import counting
import numpy as np
import pytest
from counting import STUDY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightning_module.cli import main
from lightning_module.studies import Band, Config, Result, Study
from lightning_module.studies.framework.cells import ConfigError, grid
from lightning_module.studies.framework.proof import recompute
from lightning_module.studies.framework.proof.checks import Check, overall
from lightning_module.studies.framework.proof.committed import FILE, content
from lightning_module.studies.framework.proof.recompute import recomputed, shuffled
from lightning_module.studies.framework.proof.verify import config_of, findings_of
from lightning_module.studies.framework.sealing import seal_of, tables_of_cells

RESULTS = Path(__file__).parents[5] / "docs" / "results"
STUDY_FILE = str(Path(counting.__file__))
OK, DIFFERS, NO_RESULT, NOT_VERIFIED = 0, 1, 2, 3


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original") / "run"
    STUDY.run("smoke", folder=folder)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return Path(shutil.copytree(original, tmp_path / "mine"))


@pytest.fixture
def verify(capsys):
    """Runs the command; returns its exit status, and the lines of its checks."""

    def command(folder, *arguments, study=STUDY_FILE):
        status = main(["study", "verify", study, "--folder", str(folder), *arguments])
        out, error = capsys.readouterr()
        assert "Traceback" not in out + error
        return status, [line for line in out.splitlines() if line.startswith(("ok ", "DIFFERS ", "not verified "))]

    return command


def edit(folder, change):
    """Changes `result.json`."""
    file = folder / "result.json"
    head = json.loads(file.read_text())
    change(head)
    file.write_text(json.dumps(head))


def fit(folder):
    """Makes the digests of the files fit."""

    def change(head):
        head["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in head["files"]}

    edit(folder, change)


def edit_rows(folder):
    table = folder / "rows.csv"
    text = table.read_text().splitlines()
    text[1] = text[1].rsplit(",", 1)[0] + ",9.5"
    table.write_text("\n".join(text) + "\n")


def of_older_version(head):
    head["format"] = 2
    del head["cells"]


def test_a_run_is_verified(folder, verify):
    status, lines = verify(folder)
    assert status == OK
    assert "ok            rows, arrays and data are those that its 4 cells came to, by their digests" in lines
    assert "ok            the numbers are those of preset smoke" in lines
    assert "ok            the versions are those that are here" in lines
    assert any(line.startswith("not verified  no cell was computed again") for line in lines)
    assert not any(line.startswith("DIFFERS") for line in lines)


def rows_without_digests(folder):
    edit_rows(folder)
    edit(folder, lambda head: head.update(files={}))


def rows_with_digests(folder):
    edit_rows(folder)
    fit(folder)


def one_row_less(folder):
    table = folder / "rows.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    fit(folder)


def arrays_with_digests(folder):
    with np.load(folder / "arrays.npz") as held:
        arrays = dict(held)
    arrays["predictions-0"] = arrays["predictions-0"] + np.uint8(1)
    np.savez(folder / "arrays.npz", **arrays)
    fit(folder)


def a_table_elsewhere(folder):
    base = folder.parent / "base"
    base.mkdir()
    shutil.copy(folder / "rows.csv", base / "rows.csv")

    def change(head):
        head["tables"]["../base/rows"] = head["tables"].pop("rows")
        head["files"]["../base/rows.csv"] = head["files"].pop("rows.csv")

    edit(folder, change)


def one_table_more(folder):
    shutil.copy(folder / "rows.csv", folder / "more.csv")

    def change(head):
        head["tables"]["more"] = head["tables"]["rows"]
        head["files"]["more.csv"] = head["files"]["rows.csv"]

    edit(folder, change)


def one_table_less(folder):
    def change(head):
        del head["tables"]["notes"], head["files"]["notes.csv"]

    edit(folder, change)


def head_with(change):
    return lambda folder: edit(folder, change)


EDITS = {
    "rows, and no digests": rows_without_digests,
    "rows, and their digest": rows_with_digests,
    "one row less": one_row_less,
    "arrays, and their digest": arrays_with_digests,
    "a table at another place": a_table_elsewhere,
    "one table more": one_table_more,
    "one table less": one_table_less,
    "a file is missing": lambda folder: (folder / "notes.csv").unlink(),
    "other seeds": head_with(lambda head: head["config"].update(seeds=4)),
    "one number more": head_with(lambda head: head["config"].update(more=4)),
    "no numbers": head_with(lambda head: head.update(config={})),
    "another preset": head_with(lambda head: head.update(preset="quick")),
    "no preset": head_with(lambda head: head.update(preset="huge")),
    "somebody's own numbers": head_with(lambda head: head.update(preset="custom")),
    "other versions": head_with(lambda head: head["versions"].update(torch="1.0")),
    "no versions": head_with(lambda head: head.update(versions={})),
    "other data": head_with(lambda head: head["data"]["set 0"].update(version="2")),
    "no data": head_with(lambda head: head.update(data={})),
    "data of one set less": head_with(lambda head: head["data"].pop("set 3")),
    "data of one set more": head_with(lambda head: head["data"].update(more={})),
    "other rules": head_with(lambda head: head.update(claims_sha256="0" * 64)),
    "another processor": head_with(lambda head: head["cells"][0].update(processor="another")),
    "one cell less": head_with(lambda head: head["cells"].pop()),
    "one cell twice": head_with(lambda head: head["cells"].append(head["cells"][0])),
    "cells in another order": head_with(lambda head: head["cells"].reverse()),
    "rows of another cell": head_with(lambda head: head["cells"][0]["rows"].update(rows=2)),
    "arrays of another cell": head_with(lambda head: head["cells"][0].update(arrays=["predictions-1"])),
    "arrays of no cell": head_with(lambda head: head["cells"][0].update(arrays=[])),
    "no cells": head_with(lambda head: head.update(cells=[])),
    "as of an older version": head_with(of_older_version),
    "rows, as of an older version": lambda folder: (rows_with_digests(folder), edit(folder, of_older_version)),
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_every_edit_is_seen(folder, verify, change):
    change(folder)
    status, lines = verify(folder)
    unknown = change in (EDITS["no cells"], EDITS["as of an older version"], EDITS["rows, as of an older version"])
    assert status == (NOT_VERIFIED if unknown else DIFFERS)
    assert any(line.startswith("not verified  what each cell" if unknown else "DIFFERS") for line in lines)


FILES = {
    "empty": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "zeros": lambda file: file.write_bytes(b"\0" * 1000),
    "a list": lambda file: file.write_text("[]"),
    "deep": lambda file: file.write_text("[" * 100_000),
    "long number": lambda file: file.write_text('{"format": ' + "9" * 5000 + "}"),
    "NaN": lambda file: edit(file.parent, lambda head: head["provenance"].update(wall_seconds=float("nan"))),
    "twice": lambda file: file.write_text('{"format": 3, "format": 3}'),
    "not UTF-8": lambda file: file.write_bytes(b"\xff\xfe"),
}


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
@pytest.mark.parametrize("name", ["result.json", "rows.csv", "arrays.npz"])
def test_every_damaged_file_is_named(folder, verify, damage, name):
    if name != "result.json" and damage is FILES["NaN"]:
        return
    damage(folder / name)
    if name != "result.json" and damage is not FILES["half"]:
        fit(folder)  # so that not only the digest says so
    status, lines = verify(folder)
    assert status == DIFFERS
    assert name in lines[0]
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        Result.load(folder)
    assert main(["study", "plot", STUDY_FILE, "--folder", str(folder)]) == NO_RESULT
    assert main(["study", "report", "--folder", str(folder), "--output", str(folder / "pages")]) == NO_RESULT
    assert not (folder / "pages").exists()


def test_arrays_that_say_they_are_huge(folder):
    """Nothing is allocated for what a header tells of: 8 EB here."""
    import io
    import zipfile

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**60,)})
    for entry in (header.getvalue(), header.getvalue() + b"\0" * 8):
        with zipfile.ZipFile(folder / "arrays.npz", "w") as archive:
            for i in range(4):
                archive.writestr(f"predictions-{i}.npy", entry)
        fit(folder)
        with pytest.raises(ValueError, match=r"arrays\.npz does not hold the arrays"):
            Result.load(folder)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def edits_of(draw, value):
    """A copy of a JSON value with one entry changed, added or taken away, at any depth."""
    value = copy.deepcopy(value)
    at, names = value, []
    while isinstance(at, dict | list) and len(at):
        name = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        names.append(name)
        if not isinstance(at[name], dict | list) or draw(st.integers(0, 2)) == 0:
            break
        at = at[name]
    last = names[-1] if at is not None and names[-1] in (at if isinstance(at, dict) else range(len(at))) else None
    match draw(st.sampled_from(["change", "take away", "add"])):
        case "change" if last is not None:
            at[last] = draw(JSON)
        case "take away" if last is not None:
            del at[last]
        case _ if isinstance(at, dict):
            at[draw(st.text(max_size=8))] = draw(JSON)
        case _:
            at.append(draw(JSON))
    return value


def without_what_no_digest_has(head):
    """Without how long it took and on which machine, which decides nothing."""
    head = {name: value for name, value in head.items() if name != "provenance"}
    if isinstance(head.get("cells"), list):
        head["cells"] = [
            {name: value for name, value in cell.items() if name != "seconds"} if isinstance(cell, dict) else cell
            for cell in head["cells"]
        ]
    return head


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_edit_of_the_record_is_seen_or_changes_nothing(original, tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "edited"
    if not folder.exists():
        shutil.copytree(original, folder)
    head = json.loads((original / "result.json").read_text())
    edited = data.draw(edits_of(head))
    (folder / "result.json").write_text(json.dumps(edited))
    try:
        answer = overall(findings_of(STUDY, Result.load(folder), folder))
    except ValueError as error:
        answer = str(error)
        assert str(folder) in answer  # it may raise or not
    same = without_what_no_digest_has(edited) == without_what_no_digest_has(head)
    assert answer != "ok" or same or edited["study"] != "counting"  # the command refuses another study's result


def test_no_check_at_all_is_not_ok():
    assert overall([]) == "not verified"
    assert overall([Check("ok", ""), Check("not verified", "")]) == "ok"
    assert overall([Check("ok", ""), Check("not verified", "", essential=True)]) == "not verified"
    assert overall([Check("not verified", "", essential=True), Check("DIFFERS", "")]) == "DIFFERS"


def test_data_are_made_anew(tmp_path):
    from lightning_module.studies.framework.data import frozen

    def with_data(what):
        result = replace(STUDY, run_cell=lambda config, cell: counting_outcome(config, cell, what))
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return [check for check in findings_of(result, result.run("smoke", folder=folder)) if "data" in check.what]

    what = frozen("default", num_samples=100).what
    answers = [check.answer for check in with_data(what)]
    assert answers == ["ok", "ok"]
    (changed,) = [check for check in with_data({**what, "sha256": {}}) if check.answer == "DIFFERS"]
    assert "others than they were: frozen" in changed.what
    (other,) = [check for check in with_data({**what, "version": "0.1"}) if check.answer == "not verified"]
    assert "of another version" in other.what
    for hostile in [
        {"changes": 1},
        {"changes": {"nonsense": 1}},
        {"changes": {"tests": -1}},
        {"changes": {"tests": "x"}},
    ]:
        assert any(check.answer != "ok" for check in with_data({**what, **hostile}))


def counting_outcome(config, cell, what):
    return replace(counting.run_cell(config, cell), data={"frozen": what})


def test_changed_rules_and_bands_that_were_left(original):
    result = Result.load(original)
    changed = replace(STUDY, claims=list(reversed(STUDY.claims)))
    assert "the claims' rules were changed" in next(c.what for c in findings_of(changed, result) if not c.good)
    far = replace(STUDY, bands=[Band(name="far", of=counting.FIRST, low=50, high=60)])
    assert next(c.what for c in findings_of(far, result) if not c.good).startswith("band far")
    of_others = replace(STUDY, bands=[replace(band, numbers={"seeds": 99}) for band in far.bands])
    assert all(check.good and "band" not in check.what for check in findings_of(of_others, result))
    of_these = replace(STUDY, bands=[replace(band, numbers={"seeds": result.config["seeds"]}) for band in far.bands])
    assert not all(check.good for check in findings_of(of_these, result))


def test_a_run_with_own_numbers_is_verified_as_that(tmp_path, verify):
    STUDY.run(counting.CountingConfig(seeds=2, scale=0.5), folder=tmp_path / "own")
    status, lines = verify(tmp_path / "own")
    assert status == OK
    assert any("somebody's own" in line for line in lines)
    edit(tmp_path / "own", lambda head: head["config"].update(cells=10**12))  # whose cells are not even listed
    assert verify(tmp_path / "own")[0] == DIFFERS


def test_text_in_a_result_does_not_reach_the_terminal_as_it_is(folder, capsys):
    edit(folder, lambda head: head.update(preset="\x1b[2Jok"))
    main(["study", "verify", STUDY_FILE, "--folder", str(folder)])
    assert "\x1b[2J" not in capsys.readouterr().out


def committed_copy(tmp_path):
    return Path(shutil.copytree(RESULTS / "recipe-sweep", tmp_path / "copy"))


def test_a_committed_result_is_known(tmp_path, verify, monkeypatch):
    monkeypatch.setattr("lightning_module.studies.framework.data.CHEAP", 0)  # its 144 data sets are made anew elsewhere
    folder = committed_copy(tmp_path)
    status, lines = verify(folder, study="recipe-sweep")
    assert status == OK
    assert "ok            it is the committed result of this study and preset, by its digest" in lines
    assert any(line.startswith("not verified  what each cell came to") for line in lines)
    edit_rows(folder)
    fit(folder)
    status, lines = verify(folder, study="recipe-sweep")
    assert status == DIFFERS
    assert any("says that it is the committed result" in line for line in lines)
    edit(folder, lambda head: head["provenance"].update(finished="2026-11-23T00:00:00+00:00"))
    assert verify(folder, study="recipe-sweep")[0] in (DIFFERS, NOT_VERIFIED)


def test_the_list_of_committed_results_is_that_of_the_files():
    listed = Path(recompute.__file__).with_name(FILE).read_text(encoding="utf-8")
    assert listed == content(RESULTS), "python -m lightning_module.studies.framework.proof.committed docs/results"


def forge(folder):
    """Changes a number and all digests, as somebody can who knows how they are made."""
    result = Result.load(folder)
    result.tables["rows"].loc[0, "number"] = 0.25
    parts = list(tables_of_cells(result))
    cells = [replace(c, sha256=seal_of(result, c, part)) for c, part in zip(result.cells, parts, strict=True)]
    replace(result, cells=cells).save(folder)


def test_what_digests_cannot_show_computing_again_does(folder, verify):
    status, lines = verify(folder, "--recompute", "4")
    assert (status, sum("computed again: the same to the last bit" in line for line in lines)) == (OK, 4)
    forge(folder)
    assert verify(folder)[0] == OK  # and says that no cell was computed again
    status, lines = verify(folder, "--recompute", "9")
    assert status == DIFFERS
    assert sum(line.startswith("DIFFERS       cell cell=0,kind=a_b, computed again") for line in lines) == 1


def test_cells_are_chosen_by_chance_and_their_time_is_said_before(folder, capsys):
    edit(folder, lambda head: [cell.update(seconds=1000.0 * (i + 1)) for i, cell in enumerate(head["cells"])])
    chosen = {shuffled(STUDY, STUDY.config("smoke"), Result.load(folder))[0].cell.name for _ in range(100)}
    assert len(chosen) == 4
    assert main(["study", "verify", STUDY_FILE, "--folder", str(folder), "--recompute", "4"]) == OK
    out = capsys.readouterr().out
    names = out.partition("computing 4 of 4 cells again, chosen by chance: ")[2].splitlines()[0]
    assert sorted(names.split(", ")) == [f"cell={i},kind=a_b" for i in range(4)]
    assert out.index("when they were computed they took 10,000 seconds") < out.index("computed again: the same")


@pytest.mark.parametrize("reasons", ["", "1"], ids=["no rows", "rows that say why"])
@pytest.mark.parametrize("older", [False, True], ids=["with seals", "of an older version"])
@pytest.mark.parametrize(
    ("then", "now", "count", "status", "words"),
    [
        ("2", "2", 4, OK, None),  # the other three are computed again
        ("013", "013", 1, OK, None),  # whichever is chosen at first
        ("", "2", 4, NOT_VERIFIED, "not verified  cell cell=2,kind=a_b comes to nothing here, and the result has rows"),
        (
            "2",
            "",
            4,
            NOT_VERIFIED,
            "not verified  cell cell=2,kind=a_b uses data that the result does not name: set 2;",
        ),
        ("0123", "0123", 4, NOT_VERIFIED, "not verified  no cell comes to anything that can be compared"),
    ],
)
def test_a_cell_without_data_is_passed_over(
    monkeypatch, tmp_path, verify, reasons, older, then, now, count, status, words
):
    monkeypatch.setenv(counting.REASONS, reasons)
    monkeypatch.setenv(counting.ABSENT, then)
    STUDY.run("smoke", folder=tmp_path / "run")
    if older:
        edit(tmp_path / "run", of_older_version)
    monkeypatch.setenv(counting.ABSENT, now)
    found, lines = verify(tmp_path / "run", "--recompute", str(count))
    same = [line for line in lines if "computed again: the same to the last bit" in line]
    assert len(same) == 4 - len(set(then + now))
    assert words is None or any(line.startswith(words) for line in lines), lines
    assert found == (NOT_VERIFIED if older and status == OK else status), lines  # for other rows may have been added


def noisy(by):
    def run_cell(config, cell):
        outcome = counting.run_cell(config, cell)
        rows = [{**row, "number": row["number"] + by} for row in outcome.tables["rows"]]
        return replace(outcome, tables={**outcome.tables, "rows": rows})

    return replace(STUDY, run_cell=run_cell)


@pytest.mark.parametrize(
    ("by", "here", "there"), [(0.0, "ok", "ok"), (1e-6, "DIFFERS", "not verified"), (5.0, "DIFFERS", "DIFFERS")]
)
def test_to_the_bit_on_the_same_processor_and_nearly_on_another(original, monkeypatch, by, here, there):
    result = Result.load(original)

    def answer():
        again, *_ = shuffled(noisy(by), STUDY.config("smoke"), result)
        return recomputed(noisy(by), STUDY.config("smoke"), result, again).answer

    assert answer() == here
    monkeypatch.setattr(recompute, "processor", lambda: "another (AVX512)")
    assert answer() == there
    monkeypatch.undo()
    monkeypatch.setattr(recompute, "versions", dict)
    assert answer() == there


def test_results_of_older_versions_are_computed_again_too(folder, verify):
    edit(folder, of_older_version)
    status, lines = verify(folder, "--recompute", "4")
    assert sum("the same to the last bit" in line for line in lines) == 4
    assert status == NOT_VERIFIED  # for other rows may have been added
    rows_with_digests(folder)
    edit(folder, lambda head: None)
    status, lines = verify(folder, "--recompute", "4")
    assert sum("the same to the last bit" in line for line in lines) == 3
    assert status in (DIFFERS, NOT_VERIFIED)


def test_times_are_not_compared(tmp_path):
    import time

    def run_cell(config, cell):
        return [{"a": cell["a"], "number": 1, "seconds": time.perf_counter()}]

    study = Study(name="s", question="?", presets={"smoke": Config()}, cells=grid(a=[1, 2]), run_cell=run_cell)
    result = study.run("smoke", folder=tmp_path)
    timed = replace(study, of_the_moment={"rows": ("seconds",)})
    for of, answer in ((study, "DIFFERS"), (timed, "ok")):
        assert {recomputed(of, Config(), result, a).answer for a in shuffled(of, Config(), result)[:2]} == {answer}


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ([{"cell": 0}, {"other": 1}], "has no column 'other'"),
        ([{"cell": 0, "number": 1.0}], "it has other"),
        (lambda: 1 / 0, "cannot be computed: ZeroDivisionError"),
    ],
)
def test_a_cell_that_comes_to_something_else_altogether(original, outcome, message):
    study = replace(STUDY, run_cell=lambda config, cell: outcome() if callable(outcome) else outcome)
    result = Result.load(original)
    again, *_ = shuffled(study, STUDY.config("smoke"), result)
    check = recomputed(study, STUDY.config("smoke"), result, replace(again, part=None, seal=None))
    assert check.answer in ("DIFFERS", "not verified")
    check = recomputed(study, STUDY.config("smoke"), result, again)
    assert check.answer == ("not verified" if callable(outcome) else "DIFFERS")


def test_numbers_of_own_runs_are_found_again(original):
    result = Result.load(original)
    own = replace(result, preset="custom", config={"seeds": 2, "cells": 3, "scale": 0.5})
    assert config_of(STUDY, own) == counting.CountingConfig(seeds=2, cells=3, scale=0.5)
    for config in ({}, {"seeds": 0, "cells": 3, "scale": 1.0}, {"seeds": "x", "cells": 3, "scale": 1.0}):
        with pytest.raises(ConfigError, match="none that the study can be run with"):
            config_of(STUDY, replace(own, config=config))


@pytest.mark.parametrize("name", ["extra.csv", "extra.npz"])
def test_a_table_beside_those_of_the_result_is_named(name, folder, verify):
    (folder / name).write_text("a\n1\n")
    (folder / "notes.txt").write_text("what one thinks of it")
    status, lines = verify(folder)
    assert status == DIFFERS
    assert name in lines[0]
    assert "notes.txt" not in lines[0]
    (folder / name).unlink()
    assert verify(folder)[0] == OK
