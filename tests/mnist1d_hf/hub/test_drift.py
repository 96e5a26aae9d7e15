"""Repositories that others have written into: a push judges their files, puts right what drifted, and says what."""

import copy
import hashlib
import io
import re

import huggingface_hub
import pyarrow.parquet as pq
import pytest
import yaml
from datasets.data_files import resolve_pattern
from hypothesis import given
from hypothesis import strategies as st

from mnist1d_hf.cache import golden
from mnist1d_hf.hub.card import CARD
from mnist1d_hf.hub.card_records import read_records
from mnist1d_hf.hub.drift import drifts, named_by
from mnist1d_hf.hub.export import export
from mnist1d_hf.hub.schema import FILES, ContentError, checked
from mnist1d_hf.stored import Stored, read_files, stored, stored_in, write_files

TRAIN, TEST = (f"train-1k/{split}-00000-of-00001.parquet" for split in ("train", "test"))
COLLEAGUE = """
import datasets, mnist1d_hf
datasets.load_dataset("mnist1d", {config!r}, seed=7, num_samples=2000).push_to_hub({repo_id!r}, {config!r})
"""


def value(answer):
    assert answer["ok"], answer["message"]
    return answer["value"]


def refused(answer, *words):
    assert not answer["ok"], answer["value"]
    assert answer["state"] == "unchanged"
    for word in words:
        assert word in answer["message"]


def text_of(server, repo_id, revision="main"):
    return server.file(repo_id, CARD, revision).decode()


def edited(server, repo_id, change):
    """The card's header, changed by hand."""
    card = huggingface_hub.DatasetCard(text_of(server, repo_id))
    header = card.data.to_dict()
    change(header)
    body = text_of(server, repo_id).split("---\n", 2)[2]
    server.put(repo_id, {CARD: f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n{body}".encode()})


def without(server, repo_id, *paths):
    repo = server.repo(repo_id)
    tree = {path: blob for path, blob in repo.at("main").tree.items() if path not in paths}
    server.commit(repo, tree, "deleted")


def drift_of(server, repo_id, revision="main"):
    """What is found in the repository's own tree, by its own card."""
    tree = server.repo(repo_id).at(revision).tree
    files = {path: stored(server.file(repo_id, path, revision)) for path in tree}
    return {name: drift.found for name, drift in drifts(text_of(server, repo_id, revision), files).items()}


def entry(header, key="configs", name="train-1k"):
    listed = header[key] if isinstance(header[key], list) else [header[key]]
    return next(found for found in listed if found.get("config_name", "default") == name)


def other_bytes(data, **options):
    """The same table as another version of the library might write it."""
    table, sink = pq.read_table(io.BytesIO(data)), io.BytesIO()
    pq.write_table(table, sink, compression="snappy", **options)
    return sink.getvalue()


# What others may do to a config; each in its own repository, and all found in one way


def pushed_over(server, client, repo_id):
    value(client.call("builtins:exec", COLLEAGUE.format(config="train-1k", repo_id=repo_id)))


def other_weights(server, client, repo_id):
    server.put(repo_id, {TRAIN: server.file(repo_id, TEST)})


def a_byte(server, client, repo_id):
    data = bytearray(server.file(repo_id, TEST))
    data[len(data) // 2] ^= 1
    server.put(repo_id, {TEST: bytes(data)})


def elsewhere(server, client, repo_id):
    server.put(repo_id, {"mine/x.parquet": server.file(repo_id, TEST)})
    edited(server, repo_id, lambda header: entry(header)["data_files"][0].update(path="mine/x.parquet"))


def another_type(server, client, repo_id):
    edited(server, repo_id, lambda header: entry(header, "dataset_info")["features"].pop(1))


def other_sizes(server, client, repo_id):
    edited(server, repo_id, lambda header: entry(header, "dataset_info")["splits"][0].update(num_examples=7))


DRIFTS = {
    "another data set pushed over it": (pushed_over, "another content"),
    "a file replaced": (other_weights, f"{TRAIN!r} has another content"),
    "a byte of a file": (a_byte, f"{TEST!r} has another content"),
    "a file deleted": (lambda server, _, repo_id: without(server, repo_id, TEST), f"{TEST!r} is gone"),
    "a file more that the pattern matches": (
        lambda server, _, repo_id: server.put(repo_id, {"train-1k/train-00001.parquet": server.file(repo_id, TRAIN)}),
        "'train-1k/train-00001.parquet' would be loaded too",
    ),
    "its files named elsewhere": (elsewhere, "its files are 'mine/x.parquet', 'train-1k/test-*'"),
    "a split left out": (
        lambda server, _, repo_id: edited(server, repo_id, lambda header: entry(header)["data_files"].pop()),
        "not 'train-1k/train-*', 'train-1k/test-*'",
    ),
    "only some columns": (
        lambda server, _, repo_id: edited(server, repo_id, lambda header: entry(header).update(columns=["y"])),
        "'columns'",
    ),
    "another version": (
        lambda server, _, repo_id: edited(server, repo_id, lambda header: entry(header).update(version="3.0.0")),
        "the version '3.0.0'",
    ),
    "its entry taken out": (
        lambda server, _, repo_id: edited(server, repo_id, lambda header: header["configs"].remove(entry(header))),
        "no longer names it",
    ),
    "its columns told otherwise": (another_type, "other columns"),
    "its sizes told otherwise": (other_sizes, "other numbers of examples"),
    "its columns told no more": (
        lambda server, _, repo_id: edited(server, repo_id, lambda header: header.pop("dataset_info")),
        "no longer tells its columns",
    ),
}


@pytest.fixture(scope="module")
def written(_server, client):
    """The files of a repository as a push leaves them."""
    value(client.push("owner/as-pushed", ["train-1k", "train-2k"]))
    return {path: _server.file("owner/as-pushed", path) for path in _server.repo("owner/as-pushed").at("main").tree}


@pytest.mark.parametrize("case", DRIFTS)
def test_whatever_others_do_to_a_config_is_found_put_right_and_told(server, client, repo_id, written, case):
    change, words = DRIFTS[case]
    server.put(repo_id, {**written, CARD: written[CARD].replace(b"owner/as-pushed", repo_id.encode())})
    assert drift_of(server, repo_id) == {"train-1k": (), "train-2k": ()}
    change(server, client, repo_id)
    head = server.repo(repo_id).branches["main"]
    found = drift_of(server, repo_id)
    assert words in " ".join(found["train-1k"])
    others = {name for name, other in found.items() if other}
    assert others == {"train-1k", *(["train-2k"] if case == "its columns told no more" else [])}

    # what is not pushed is told of, and no tag marks it
    pushed = value(client.push(repo_id, ["train-5k"], dry_run=True))
    assert pushed["drifted"].keys() == others
    refused(client.push(repo_id, ["train-5k"], tag="v1"), "'train-1k'", "Push that config too")
    refused(client.push(repo_id, ["train-5k"], tag="v1", dry_run=True), "'train-1k'", "Push that config too")
    planned = value(client.push(repo_id, sorted(others), tag="v1", dry_run=True))
    assert (server.repo(repo_id).branches["main"], server.repo(repo_id).tags) == (head, {})

    done = value(client.push(repo_id, sorted(others), tag="v1"))
    assert done["state"] == "complete"
    assert tuple(done["repaired"]["train-1k"]) == found["train-1k"]
    assert (planned["repaired"], planned["files"]) == (done["repaired"], done["files"])
    assert done["drifted"] == {}
    assert not any(drift_of(server, repo_id).values())
    assert server.repo(repo_id).tags == {"v1": server.repo(repo_id).branches["main"]}
    for name in ("train-1k", "train-2k"):
        loaded = value(client.call("datasets:load_dataset", repo_id, name, revision="v1"))
        assert {split: rows["digests"] for split, rows in loaded.items()} == golden.committed()[name]
    again = value(client.push(repo_id, ["train-1k", "train-2k"], tag="v1"))
    assert (again["state"], again["repaired"], again["drifted"]) == ("unchanged", {}, {})


@pytest.mark.parametrize("key", ["configs", "dataset_info"])
def test_an_entry_that_is_there_twice_is_put_right_and_never_tagged(server, client, repo_id, key):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    edited(server, repo_id, lambda header: header[key].append(copy.deepcopy(entry(header, key))))
    assert f"two entries of it under {key}" in drift_of(server, repo_id)["train-1k"][0]
    head = server.repo(repo_id).branches["main"]
    planned = value(client.push(repo_id, ["train-1k"], tag="v1", dry_run=True))
    done = value(client.push(repo_id, ["train-1k"], tag="v1"))
    assert f"two entries of it under {key}" in done["repaired"]["train-1k"][0]
    assert (planned["repaired"], set(done["files"])) == (done["repaired"], {CARD})
    assert head != server.repo(repo_id).branches["main"] == server.repo(repo_id).tags["v1"]
    assert drift_of(server, repo_id) == {"train-1k": (), "train-2k": ()}
    assert client.load(repo_id, "train-1k", revision="v1")["ok"]
    assert value(client.push(repo_id, ["train-1k"], tag="v1"))["state"] == "unchanged"


def test_a_byte_order_mark_before_the_card_is_taken_out(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    before = server.file(repo_id, CARD)
    server.put(repo_id, {CARD: b"\xef\xbb\xbf" + before})
    value(client.push(repo_id, ["train-1k"], tag="v1"))
    assert server.file(repo_id, CARD, "v1") == before
    assert client.load(repo_id, "train-1k", revision="v1")["ok"]


@pytest.mark.parametrize("name", ["v1", "dev"])
def test_a_branch_gets_no_tag_of_its_name(server, client, repo_id, name):
    value(client.push(repo_id, ["train-1k"]))
    repo = server.repo(repo_id)
    repo.branches[name] = head = repo.branches["main"]
    for config in ("train-1k", "train-2k"):
        for dry_run in (True, False):
            answer = client.push(repo_id, [config], tag=name, dry_run=dry_run)
            assert f"a branch {name!r}" in answer["message"]
            there = config == "train-1k" and not dry_run
            assert answer["state"] == ("committed but untagged" if there else "unchanged")
    assert (repo.branches["main"], repo.tags) == (head, {})


def test_a_record_that_is_there_twice_is_refused_and_never_tagged(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    edited(server, repo_id, lambda header: header["mnist1d"].append(copy.deepcopy(entry(header, "mnist1d"))))
    for pushed in ("train-1k", "train-2k"):
        refused(client.push(repo_id, [pushed], tag="v1"), "the record of 'train-1k' is there twice")
    assert server.repo(repo_id).tags == {}


def test_a_colleagues_default_is_not_taken_for_ours_and_its_files_stay(server, client, repo_id):
    value(client.push(repo_id, ["default"], tag="v1"))
    value(client.call("builtins:exec", COLLEAGUE.format(config="default", repo_id=repo_id)))
    theirs = {path for path in server.repo(repo_id).at("main").tree if path.startswith("data/")}
    assert len(theirs) == 2
    done = value(client.push(repo_id, ["default"], tag="v2"))
    assert any("data/train-*" in what for what in done["repaired"]["default"])
    loaded = value(client.call("datasets:load_dataset", repo_id, revision="v2"))
    assert {split: rows["digests"] for split, rows in loaded.items()} == golden.committed()["default"]
    assert theirs <= set(server.repo(repo_id).at("main").tree)


def test_an_old_tag_on_content_that_drifted_is_no_proof_of_it(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    good = server.repo(repo_id).branches["main"]
    other_weights(server, client, repo_id)
    repo = server.repo(repo_id)
    repo.tags["v1"] = repo.branches["main"]
    refused(client.push(repo_id, ["train-1k"], tag="v1"), "'v1'", "never moved")
    repo.tags["v0"] = good
    value(client.push(repo_id, ["train-1k"]))
    assert value(client.push(repo_id, ["train-1k"], tag="v0"))["tagged"] is False


def test_a_second_default_config_is_found_and_refused(server, client, repo_id):
    value(client.push(repo_id, ["default", "train-1k"]))
    edited(server, repo_id, lambda header: entry(header).update(default=True))
    assert "several default configs" in drift_of(server, repo_id)["default"][0]
    refused(client.push(repo_id, ["default"], tag="v1"), "take `default: true` out")
    done = value(client.push(repo_id, ["train-1k"], tag="v1"))  # its own entry can be put right
    assert "several default configs" in done["repaired"]["train-1k"][0]
    assert drift_of(server, repo_id) == {"default": (), "train-1k": ()}


def test_the_default_that_its_owner_has_chosen_stays(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    edited(server, repo_id, lambda header: entry(header).update(default=True, version="2.0.0"))
    assert value(client.push(repo_id, ["train-1k"]))["repaired"]
    assert entry(huggingface_hub.DatasetCard(text_of(server, repo_id)).data.to_dict())["default"] is True


def test_the_same_content_in_other_bytes_is_no_drift_of_a_record_that_says_so(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    before = {path: server.file(repo_id, path) for path in (TRAIN, TEST)}
    after = {path: other_bytes(data) for path, data in before.items()}
    text = text_of(server, repo_id)
    for path in before:
        old, new = stored(before[path]), stored(after[path])
        for name in ("sha256", "size", "git_sha1"):
            text = text.replace(f" {getattr(old, name)}\n", f" {getattr(new, name)}\n")
    server.put(repo_id, {**after, CARD: text.encode()})
    done = value(client.push(repo_id, ["train-1k"], tag="v1"))
    assert (done["committed"], done["tagged"], done["repaired"]) == (False, True, {})
    assert {path: server.file(repo_id, path) for path in before} == after


# Records of earlier releases


def forget_files(header):
    for record in header["mnist1d"]:
        del record["files"], record["data_files"]


def test_records_without_file_digests_are_completed_and_files_stay_whoever_wrote_them(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    complete = read_records(huggingface_hub.DatasetCard(text_of(server, repo_id)).data)
    replaced = other_bytes(server.file(repo_id, TRAIN))
    server.put(repo_id, {TRAIN: replaced})
    edited(server, repo_id, forget_files)
    done = value(client.push(repo_id, ["train-1k"], tag="v1"))
    assert set(done["files"]) == {CARD}
    assert (done["repaired"], done["drifted"]) == ({}, {})
    records = read_records(huggingface_hub.DatasetCard(text_of(server, repo_id)).data)
    assert records["train-2k"] == complete["train-2k"]
    assert records["train-1k"].stored[TRAIN] == stored(replaced)
    assert server.file(repo_id, TRAIN) == replaced
    assert value(client.push(repo_id, ["train-1k"], tag="v1"))["state"] == "unchanged"


@pytest.mark.parametrize("pushed", ["train-1k", "train-2k"])
def test_a_record_without_file_digests_is_not_completed_from_files_that_hold_something_else(
    server, client, repo_id, pushed
):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    other_weights(server, client, repo_id)
    edited(server, repo_id, forget_files)
    if pushed == "train-2k":
        refused(client.push(repo_id, [pushed], tag="v1"), "'train-1k'")
        done = value(client.push(repo_id, [pushed]))
        assert "another content" in " ".join(done["drifted"]["train-1k"])
        assert not read_records(huggingface_hub.DatasetCard(text_of(server, repo_id)).data)["train-1k"].stored
    done = value(client.push(repo_id, ["train-1k"], tag="v1"))
    assert "another content" in " ".join(done["repaired"]["train-1k"])
    assert not any(drift_of(server, repo_id).values())


def test_a_record_without_digests_is_never_taken_for_verified(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    edited(server, repo_id, lambda header: entry(header, "mnist1d")["digests"].pop("train"))
    refused(client.push(repo_id, ["train-2k"], tag="v1"), "lacks a digest of column 'x' of split 'train'")
    done = value(client.push(repo_id, ["train-1k"], tag="v1"))  # its content is compared with what was built
    assert set(done["files"]) == {CARD}
    records = read_records(huggingface_hub.DatasetCard(text_of(server, repo_id)).data)
    assert records["train-1k"].digests == golden.committed()["train-1k"]


def test_a_record_of_some_files_only_is_no_record_of_all(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    before = server.file(repo_id, TEST)
    edited(server, repo_id, lambda header: entry(header, "mnist1d")["files"].pop(0))
    done = value(client.push(repo_id, ["train-1k"], tag="v1"))
    assert set(done["files"]) == {CARD}
    assert server.file(repo_id, TEST) == before
    record = read_records(huggingface_hub.DatasetCard(text_of(server, repo_id)).data)["train-1k"]
    assert set(record.stored) == {TRAIN, TEST}


def test_files_outside_of_a_configs_folder_are_never_removed_for_it(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    server.put(repo_id, {"LICENSE": b"theirs", "mine.md": b"mine"})
    everything = [{"split": "train", "path": "*"}, {"split": "test", "path": "*/test-*"}]

    def change(header):
        entry(header, "mnist1d").update(data_files=everything)
        entry(header).update(data_files=everything)

    edited(server, repo_id, change)
    client.push(repo_id, ["train-1k"])
    client.push(repo_id, ["train-1k"], tag="v1")
    assert {"LICENSE", "mine.md", CARD} <= set(server.repo(repo_id).at("main").tree)


# What a repository may hold beside


def test_removing_a_config_takes_its_own_files_and_leaves_the_rest(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    server.put(repo_id, {"train-1k/notes.md": b"mine"})
    elsewhere(server, client, repo_id)
    done = value(client.push(repo_id, [], remove=["train-1k"], tag="v1"))
    assert set(done["removed"]) == {TRAIN, TEST, "mine/x.parquet"}
    assert done["load_line"] == f'load_dataset("{repo_id}", "train-2k", revision="v1")'
    done = value(client.push(repo_id, [], remove=["train-2k"]))
    assert done["load_line"] == ""
    assert set(server.repo(repo_id).at("main").tree) >= {CARD, ".gitattributes", "train-1k/notes.md"}


TREE = ("a.parquet", "train/a.parquet", "train/b.csv", "train/deep/a.parquet", "trains/a.parquet", "x/train/a.csv")
PATTERNS = ("*", "*.parquet", "train/*", "train*/a.parquet", "train/**", "**/a.parquet", "**/train/**", "**", "[tx]/*")


@pytest.mark.parametrize("pattern", [*TREE, *PATTERNS, "none/*"])
def test_a_pattern_names_what_datasets_loads_for_it(pattern, tmp_path):
    for path in TREE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    try:
        loaded = [str(path).removeprefix(f"{tmp_path}/") for path in resolve_pattern(pattern, str(tmp_path))]
    except FileNotFoundError:
        loaded = []
    assert named_by([pattern], TREE) == sorted(loaded)


def test_a_long_pattern_takes_no_time():
    path, pattern = "a/" * 60 + "b", "**/a/" * 60 + "c"
    assert named_by([pattern, "b"], [path]) == []  # trying all ways would take longer than there are stars


def test_a_pattern_that_matches_everything_takes_no_card_with_it(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    edited(server, repo_id, lambda header: entry(header).update(data_files="*"))
    value(client.push(repo_id, [], remove=["train-1k"]))
    tree = set(server.repo(repo_id).at("main").tree)
    assert {CARD, ".gitattributes"} <= tree
    assert not any(drift_of(server, repo_id).values())


def test_a_file_that_another_config_names_is_not_deleted_but_no_tag_marks_it(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    more = "train-1k/train-more.parquet"
    server.put(repo_id, {more: server.file(repo_id, TRAIN)})
    edited(server, repo_id, lambda header: header["configs"].append({"config_name": "theirs", "data_files": more}))
    refused(client.push(repo_id, ["train-1k"], tag="v1"), more, "another config names it, or")
    assert value(client.push(repo_id, ["train-1k"]))["drifted"]["train-1k"]
    assert more in server.repo(repo_id).at("main").tree


def test_a_new_version_takes_the_old_ones_files_and_no_others(server, client, repo_id):
    value(client.push(repo_id, [], new_config="mine", recipe={"seed": 1, "num_samples": 500}))
    server.put(repo_id, {"mine/train-extra.parquet": b"x", "mine/notes.md": b"x"})
    done = value(
        client.push(repo_id, [], new_config="mine", recipe={"seed": 2, "num_samples": 500}, version="2.0.0", tag="v2")
    )
    assert done["removed"] == ["mine/train-extra.parquet"]
    assert "mine/notes.md" in server.repo(repo_id).at("main").tree
    assert drift_of(server, repo_id) == {"mine": ()}


def test_files_outside_lfs_are_compared_by_what_git_calls_them(server, client, repo_id, monkeypatch):
    monkeypatch.setattr("hub_server.LFS_SUFFIXES", (".png",))
    value(client.push(repo_id, ["train-1k"], tag="v1"))
    assert server.repo(repo_id).at("main").tree[TRAIN].sha256 is None
    assert value(client.push(repo_id, ["train-1k"], tag="v1"))["state"] == "unchanged"
    other_weights(server, client, repo_id)
    assert "another content" in value(client.push(repo_id, ["train-1k"], tag="v2"))["repaired"]["train-1k"][0]


def test_a_tag_is_not_set_on_a_commit_that_the_server_made_otherwise(server, client, repo_id, monkeypatch):
    blob = type(server)._blob
    monkeypatch.setattr(
        type(server), "_blob", lambda self, path, data: blob(self, path, data + b"\n" if path == TEST else data)
    )
    answer = client.push(repo_id, ["train-1k"], tag="v1")
    assert not answer["ok"]
    assert "is not tagged" in answer["message"]
    assert server.repo(repo_id).tags == {}


# The command


def test_the_command_says_what_it_puts_right_and_nothing_remote_reaches_the_terminal_unescaped(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    server.put(repo_id, {"train-1k/train-\x1b[31m.parquet": b"x", TEST.replace("1k", "2k"): b"x"})
    answer = client.call("lightning_module.cli:main", ["data", "push", repo_id, "--config", "train-1k"])
    assert "put right   train-1k: the file 'train-1k/train-\\x1b[31m.parquet' would be loaded too" in answer["output"]
    assert "DRIFTED     train-2k: the file 'train-2k/test-00000-of-00001.parquet' has another" in answer["output"]
    assert "push those configs too" in answer["output"]
    assert "\x1b" not in answer["output"]


# Folders, and the comparison itself


def test_a_folder_is_judged_in_the_same_way(tmp_path):
    export(tmp_path / "out", ["train-1k"])
    text = (tmp_path / "out" / CARD).read_text(encoding="utf-8")
    files = stored_in(tmp_path / "out")
    assert [(drift.found, drift.unproven) for drift in drifts(text, files).values()] == [((), ())]
    some = {path: file for path, file in files.items() if path != TEST}
    assert drifts(text, some)["train-1k"].missing == (TEST,)
    assert drifts(text, some, whole=False)["train-1k"].unproven == (TEST,)
    (tmp_path / "out" / TRAIN).write_bytes(b"")
    assert drifts(text, stored_in(tmp_path / "out"))["train-1k"].changed == (TRAIN,)
    assert drifts(None, files) == {}


def test_keys_of_a_header_hold_no_dots(tmp_path):
    export(tmp_path / "out", ["train-1k"])

    def keys(content):
        if isinstance(content, dict):
            yield from content
        for inner in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
            yield from keys(inner)

    header = yaml.safe_load((tmp_path / "out" / CARD).read_text(encoding="utf-8").split("---\n")[1])
    assert not [key for key in keys(header) if re.search(r"[.$]", key)]


files = st.builds(
    Stored,
    st.none() | st.integers(0, 10),
    st.sampled_from(["", "a" * 64, "b" * 64]),
    st.sampled_from(["", "c" * 40, "d" * 40]),
)


@given(files, files)
def test_files_are_equal_only_if_a_digest_of_both_says_so(left, right):
    equal = left.equals(right)
    assert equal == right.equals(left)
    shared = [name for name in ("sha256", "git_sha1") if getattr(left, name) and getattr(right, name)]
    if equal:
        assert shared
    if not shared and left.size == right.size:
        assert equal is None


@given(st.binary(max_size=100))
def test_digests_are_those_of_sha256_and_of_git(content):
    found = stored(content)
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.git_sha1 == hashlib.sha1(b"blob " + str(len(content)).encode() + b"\0" + content).hexdigest()
    assert read_files(write_files({"a/b.parquet": found})) == {"a/b.parquet": found}


@pytest.mark.parametrize(
    "entries",
    [
        3,
        {"x": "a" * 64},
        "x",
        [3],
        [{"sha256": "a" * 64}],
        [{"path": "", "sha256": "a" * 64}],
        [{"path": "x"}],
        [{"path": "x", "sha256": "A" * 64}],
        [{"path": "x", "sha256": "a" * 63}],
        [{"path": "x", "sha256": 3}],
        [{"path": "x", "sha256": "a" * 64, "size": -1}],
        [{"path": "x", "sha256": "a" * 64, "size": True}],
        [{"path": "x", "sha256": "a" * 64, "git_sha1": "0"}],
        [{"path": ["x"], "sha256": "a" * 64}],
    ],
)
def test_file_lists_that_push_would_not_write_are_refused(entries):
    with pytest.raises(ContentError, match="its files"):
        checked(copy.deepcopy(entries), FILES, "its files")
