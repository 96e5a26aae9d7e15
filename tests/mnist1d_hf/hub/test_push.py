"""Pushes by the real clients to a stand-in Hub, seen from the server."""

import dataclasses
import io
import json
import re
import time

import huggingface_hub
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_server import READ_TOKEN, WRITE_TOKEN, Fault

from mnist1d_hf import DATA_VERSION
from mnist1d_hf.cache import golden
from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.hub.card_records import read_records
from mnist1d_hf.hub.push import HubError, RefusedError, push
from mnist1d_hf.stored import stored

TAG = "data-v1"
WRITES = ("create", "preupload", "lfs_batch", "lfs_put", "commit", "tag")


def commits(server, repo_id):
    """Titles, the newest first, without the one that made the repository."""
    return [commit.title for commit in server.repo(repo_id).history()][:-1]


def card(server, repo_id, revision="main"):
    return huggingface_hub.DatasetCard(server.file(repo_id, "README.md", revision).decode())


def value(answer):
    assert answer["ok"], answer["message"]
    return answer["value"]


def refused(answer, *words):
    assert not answer["ok"], answer["value"]
    for word in words:
        assert word in answer["message"]
    return answer


# What a push makes


def test_two_configs_are_one_commit_and_one_tag_and_again_nothing(server, client, repo_id):
    first = client.push(repo_id, ["default", "high-noise"], tag=TAG)
    done = value(first)
    assert (done["state"], done["created"], done["committed"], done["tagged"]) == ("complete", True, True, True)
    assert commits(server, repo_id) == [f"MNIST-1D: default {DATA_VERSION}, high-noise {DATA_VERSION}"]
    assert server.repo(repo_id).tags == {TAG: done["commit"]}
    assert set(done["files"]) == set(server.repo(repo_id).at("main").tree) - {".gitattributes"}
    assert done["url"] == f"{server.url}/datasets/{repo_id}"
    assert done["load_line"] == f'load_dataset("{repo_id}", "default", revision="{TAG}")'

    asked = server.asked.copy()
    again = value(client.push(repo_id, ["high-noise", "default"], tag=TAG))
    assert (again["state"], again["commit"], again["files"]) == ("unchanged", done["commit"], {})
    assert len(commits(server, repo_id)) == 1
    assert not [endpoint for endpoint in WRITES if server.asked[endpoint] > asked[endpoint]]


def test_plain_datasets_load_it_by_tag_as_what_the_builder_makes(server, client, repo_id):
    value(client.push(repo_id, ["train-1k", "label-noise"], tag=TAG))
    found = value(client.call("datasets:load_dataset", repo_id, "label-noise", revision=TAG))
    for split, digests in golden.committed()["label-noise"].items():
        assert found[split]["digests"] == digests
        assert found[split]["version"] == DATA_VERSION


def test_licence_homepage_and_citation_are_there_when_it_is_loaded(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    code = f"""
import datasets, mnist1d_hf
for load in (datasets.load_dataset, mnist1d_hf.load):
    info = load({repo_id!r}, "train-1k")["train"].info
    assert (info.license, info.homepage) == ("Apache-2.0", "https://github.com/greydanus/mnist1d"), info
    assert "greydanus2024scaling" in info.citation and "1,000 training examples" in info.description, info
"""
    value(client.call("builtins:exec", code))


def test_a_config_of_ones_own_has_its_numbers_in_the_card(server, client, repo_id):
    value(client.push(repo_id, [], new_config="my-noise", recipe={"iid_noise_scale": 0.1, "padding": [36, 60]}))
    record = read_records(card(server, repo_id).data)["my-noise"]
    assert (dict(record.recipe), record.version, record.stream) == ({"iid_noise_scale": 0.1}, DATA_VERSION, "reference")
    assert record.examples == {"train": 4000, "test": 1000}
    loaded = value(client.load(repo_id, "my-noise"))
    made = value(client.call("datasets:load_dataset", "mnist1d", "default", iid_noise_scale=0.1))
    assert {split: rows["digests"] for split, rows in loaded.items()} == record.digests
    assert {split: rows["digests"] for split, rows in made.items()} == record.digests


def test_private_is_private(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"], private=True))
    assert server.repo(repo_id).private


def test_large_files_go_in_parts(server, client, repo_id):
    server.multipart_above = 50_000
    asked = server.asked["lfs_complete"]
    value(client.push(repo_id, [], new_config="parts", recipe={"seed": 5, "num_samples": 1000}, tag=TAG))
    assert server.asked["lfs_complete"] > asked
    assert client.load(repo_id, "parts", revision=TAG)["ok"]


def test_a_dry_run_tells_all_and_writes_nothing(server, client, repo_id):
    asked = server.asked.copy()
    planned = value(client.push(repo_id, ["train-1k"], tag=TAG, dry_run=True))
    assert (planned["state"], planned["committed"], planned["commit"]) == ("unchanged", False, "")
    assert ("dataset", repo_id) not in server.repos
    assert "+license: apache-2.0" in planned["card_diff"]
    done = value(client.push(repo_id, ["train-1k"], tag=TAG))
    assert done["files"] == planned["files"]
    sizes = {path: blob.size for path, blob in server.repo(repo_id).at("main").tree.items()}
    assert planned["files"] == {path: size for path, size in sizes.items() if path != ".gitattributes"}
    before = server.asked.copy()
    more = value(client.push(repo_id, ["train-1k", "no-shift"], dry_run=True))
    assert set(more["files"]) == {"README.md", *(f"no-shift/{s}-00000-of-00001.parquet" for s in ("train", "test"))}
    assert "-| `train-1k`" not in more["card_diff"]
    assert [server.asked[endpoint] - before[endpoint] for endpoint in WRITES] == [0] * len(WRITES)
    assert server.asked["whoami"] == asked["whoami"]


# What others wrote


OTHERS = """---
license: mit
pretty_name: Somebody's signals
tags: [mine]
configs:
- config_name: theirs
  data_files: theirs/*.csv   # one file
---
# Somebody's signals

Their words.
"""


def test_configs_text_and_licence_of_others_survive(server, client, repo_id):
    server.put(repo_id, {"README.md": OTHERS.encode(), "theirs/train.csv": b"a,b\n1,2\n"})
    value(client.push(repo_id, ["train-1k"]))
    found = card(server, repo_id)
    assert (found.data.license, found.data.pretty_name, found.data.tags) == ("mit", "Somebody's signals", ["mine"])
    assert found.text.startswith("# Somebody's signals\n\nTheir words.\n")
    assert "size_categories" not in found.data.to_dict()  # it would be about their data too
    assert value(client.call("datasets:load_dataset", repo_id, "theirs"))["train"]["rows"] == 1
    assert client.load(repo_id, "train-1k")["ok"]
    edited = server.file(repo_id, "README.md").decode().replace("Their words.", "Other words.") + "\nA last line.\n"
    server.put(repo_id, {"README.md": edited.encode()})
    value(client.push(repo_id, ["train-2k"]))
    text = card(server, repo_id).text
    assert "Other words." in text
    assert text.endswith("\nA last line.\n")
    assert text.count("# MNIST-1D\n") == 1
    assert list(read_records(card(server, repo_id).data)) == ["train-1k", "train-2k"]


def test_the_librarys_own_push_and_ours_leave_each_other_alone(server, client, repo_id, start_client):
    value(client.push(repo_id, ["train-1k"], tag=TAG))
    code = f"import datasets; datasets.Dataset.from_dict(dict(a=[1])).push_to_hub({repo_id!r}, 'theirs')"
    value(client.call("builtins:exec", code))
    assert client.push(repo_id, ["train-1k"], tag=TAG)["value"]["state"] == "unchanged"
    value(client.push(repo_id, ["train-2k"]))
    assert value(client.call("datasets:load_dataset", repo_id, "theirs"))["train"]["rows"] == 1
    for name in ("train-1k", "train-2k"):
        assert client.load(repo_id, name)["ok"]


REFUSED = {
    "a folder of that name": ({"train-1k/x.bin": b""}, "did not write"),
    "a config of that name": (
        {"README.md": b"---\nconfigs:\n- config_name: train-1k\n  data_files: x.csv\n---\n", "x.csv": b"a\n1\n"},
        "did not write",
    ),
    "data that no config names": ({"train.csv": b"a\n1\n"}, "has no card"),
    "data that the card does not name": ({"train.csv": b"a\n1\n", "README.md": b"# Mine\n"}, "names no configs"),
    "a header that is no YAML": ({"README.md": b"---\na: [\n---\n# Mine\n"}, "repair it by hand"),
    "another default": (
        {
            "README.md": b"---\nconfigs:\n- config_name: x\n  data_files: x.csv\n  default: true\n---\n",
            "x.csv": b"a\n1\n",
        },
        "default: true",
    ),
}


def test_a_licence_is_no_data(server, client, repo_id):
    server.put(repo_id, {"LICENSE.txt": b"MIT", "requirements.txt": b"datasets", "README.md": b"# Mine\n"})
    assert value(client.push(repo_id, ["train-1k"]))["state"] == "complete"


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_lost_is_refused(server, client, repo_id, case):
    files, message = REFUSED[case]
    head = server.put(repo_id, files)
    config = "default" if case == "another default" else "train-1k"
    refused(client.push(repo_id, [config]), message, "State of the repository: unchanged.")
    assert server.repo(repo_id).branches["main"] == head


def test_removal_takes_files_and_entries_and_leaves_those_of_others(server, client, repo_id):
    server.put(repo_id, {"README.md": OTHERS.encode(), "theirs/train.csv": b"a,b\n1,2\n", "notes.md": b"x"})
    value(client.push(repo_id, ["train-1k", "train-2k"]))
    before = len(commits(server, repo_id))
    done = value(client.push(repo_id, ["train-5k"], remove=["train-1k", "theirs"]))
    assert len(commits(server, repo_id)) == before + 1
    assert sorted(done["removed"]) == [
        "theirs/train.csv",
        "train-1k/test-00000-of-00001.parquet",
        "train-1k/train-00000-of-00001.parquet",
    ]
    tree = server.repo(repo_id).at("main").tree
    assert {path.split("/")[0] for path in tree if "/" in path} == {"train-2k", "train-5k"}
    assert "notes.md" in tree
    data = card(server, repo_id).data
    assert [entry["config_name"] for entry in data["configs"]] == ["train-2k", "train-5k"]
    assert "train-1k" not in str(data.to_dict())
    assert value(client.push(repo_id, [], remove=["train-1k"]))["state"] == "unchanged"


# Promises


def test_a_tag_is_never_moved(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"], tag=TAG))
    there = dict(server.repo(repo_id).tags)
    answer = refused(client.push(repo_id, ["train-2k"], tag=TAG), TAG, "never moved", "unchanged")
    assert (answer["error"], answer["state"]) == ("RefusedError", "unchanged")
    assert len(commits(server, repo_id)) == 1
    value(client.push(repo_id, ["train-2k"]))
    refused(client.push(repo_id, ["train-2k"], tag=TAG), "never moved")  # its content is there, but not at the tag
    assert value(client.push(repo_id, ["train-1k"], tag=TAG))["state"] == "unchanged"  # at the tag, though not the head
    refused(client.push(repo_id, ["train-2k"], tag=TAG, dry_run=True), TAG)
    value(client.push(repo_id, [], remove=["train-1k"]))
    for dry_run in (True, False):  # at the tag its content is there, but it would have to be committed anew
        refused(client.push(repo_id, ["train-1k"], tag=TAG, dry_run=dry_run), TAG, "never moved", "unchanged")
    assert server.repo(repo_id).tags == there


def test_content_changes_only_with_its_version_and_the_old_one_stays_at_its_tag(server, client, repo_id):
    old, new = {"seed": 1, "num_samples": 1000}, {"seed": 2, "num_samples": 1000}
    value(client.push(repo_id, [], new_config="mine", recipe=old, tag="v1"))
    for version in (None, DATA_VERSION, "0.9.0"):
        refused(client.push(repo_id, [], new_config="mine", recipe=new, version=version), "raise it", "unchanged")
    assert len(commits(server, repo_id)) == 1
    value(client.push(repo_id, [], new_config="mine", recipe=new, version="9.0.0", tag="v2"))
    refused(client.push(repo_id, [], new_config="mine", recipe=old), "9.0.0")
    loaded = {tag: value(client.load(repo_id, "mine", revision=tag)) for tag in ("v1", "v2")}
    assert [loaded[tag]["train"]["version"] for tag in ("v1", "v2")] == [DATA_VERSION, "9.0.0"]
    assert loaded["v1"]["train"]["digests"]["x"] != loaded["v2"]["train"]["digests"]["x"]
    done = value(client.push(repo_id, [], new_config="mine", recipe=new, version="9.1.0"))
    assert set(done["files"]) == {"README.md"}  # the same records under a higher version: only the card


def perturbed(server, repo_id, config, by):
    """The repository as another machine would have pushed it: signals that differ by so much."""
    files, text = {}, server.file(repo_id, "README.md").decode()
    for split in ("train", "test"):
        path = f"{config}/{split}-00000-of-00001.parquet"
        table = pq.read_table(io.BytesIO(server.file(repo_id, path)))
        x = np.array(table.column("x").combine_chunks().flatten())
        x[::7] += np.float32(by)
        changed = pa.FixedSizeListArray.from_arrays(pa.array(x), type=table.schema.field("x").type)
        other = table.set_column(0, table.schema.field("x"), changed)
        text = text.replace(column_digests([table])["x"], column_digests([other])["x"])
        sink = io.BytesIO()
        pq.write_table(other, sink)
        before, files[path] = stored(server.file(repo_id, path)), sink.getvalue()
        for name, value in dataclasses.asdict(stored(files[path])).items():
            text = text.replace(f": {getattr(before, name)}\n", f": {value}\n")
    server.put(repo_id, {**files, "README.md": text.encode()})
    return files


def test_the_fast_streams_last_bit_may_differ_and_the_remotes_bytes_stay(server, client, repo_id):
    wanted = {"new_config": "wild", "recipe": {"stream": "fast", "num_samples": 2000}}
    value(client.push(repo_id, [], **wanted))
    files = perturbed(server, repo_id, "wild", 4e-6)
    head = server.repo(repo_id).branches["main"]
    done = value(client.push(repo_id, [], **wanted, tag="v1"))
    assert (done["committed"], done["tagged"], done["commit"]) == (False, True, head)
    assert {path: server.file(repo_id, path) for path in files} == files
    assert client.load(repo_id, "wild", revision="v1")["ok"]  # by the digests of the remote's bytes
    perturbed(server, repo_id, "wild", 1e-3)
    refused(client.push(repo_id, [], **wanted), "other content")


def test_the_reference_streams_last_bit_may_not_differ(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    perturbed(server, repo_id, "train-1k", 4e-6)
    refused(client.push(repo_id, ["train-1k"]), "other content")


def test_deleted_files_come_back(server, client, repo_id):
    value(client.push(repo_id, ["train-1k"]))
    repo = server.repo(repo_id)
    tree = {path: blob for path, blob in repo.at("main").tree.items() if "test-" not in path}
    server.commit(repo, tree, "a file is gone")
    value(client.push(repo_id, ["train-1k"]))
    assert client.load(repo_id, "train-1k")["ok"]


# Faults; all of them are in tests/fault_matrix.py


def test_a_lost_reply_to_the_commit_makes_no_second_one(server, client, repo_id):
    server.faults = [Fault("commit", "lost", count=1), Fault("tag", "lost", count=1)]
    done = value(client.push(repo_id, ["train-1k"], tag=TAG))
    assert (done["committed"], done["tagged"]) == (True, True)
    assert len(commits(server, repo_id)) == 1


def test_a_push_killed_before_its_tag_is_completed_by_the_next(server, start_client, client, repo_id):
    server.faults = [Fault("tag", "slow", seconds=3, count=1)]
    doomed = start_client()
    line = {"function": "mnist1d_hf.hub.push:push", "arguments": [repo_id, ["train-1k"]], "keywords": {"tag": TAG}}
    doomed._process.stdin.write(json.dumps(line) + "\n")
    doomed._process.stdin.flush()
    deadline = time.monotonic() + 60
    while not server.faults[0].seen and time.monotonic() < deadline:
        time.sleep(0.02)
    doomed._process.kill()
    server.faults = [Fault("tag", "drop", count=1)]
    assert len(commits(server, repo_id)) == 1
    done = value(client.push(repo_id, ["train-1k"], tag=TAG))
    assert (done["state"], len(commits(server, repo_id)), list(server.repo(repo_id).tags)) == ("complete", 1, [TAG])


def test_a_server_that_asks_to_wait_is_waited_for(server, client, repo_id):
    server.faults = [Fault("commit", "429", count=1, seconds=2)]
    answer = client.push(repo_id, ["train-1k"])
    assert value(answer)["state"] == "complete"
    assert answer["seconds"] > 2
    server.faults = [Fault("commit", "429", seconds=600)]
    answer = refused(client.push(repo_id, ["train-1k", "train-2k"], patience=5), "429", "unchanged")
    assert answer["seconds"] < 15


def test_no_server_is_an_error_in_bounded_time(server, client, repo_id):
    server.stop()
    answer = refused(client.push(repo_id, ["train-1k"], patience=3), "could not read the repository", "unchanged")
    assert (answer["error"], answer["state"]) == ("HubError", "unchanged")
    assert answer["seconds"] < 8


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (READ_TOKEN, ['"owner-read" (role "read") in HF_TOKEN', "needs the role \"write\" for 'owner'"]),
        ("hf_nobodystokenabcdefghijklmnopqrs", ["the token in HF_TOKEN is not valid here"]),
        (None, ["no token is set", "hf auth login"]),
    ],
)
def test_the_message_names_the_token_and_what_it_lacks_and_never_shows_it(server, start_client, repo_id, token, words):
    server.echo_token = True
    writer = start_client(**({"HF_TOKEN": token} if token else {"HF_TOKEN": ""}))
    refused(answer := writer.push(repo_id, ["train-1k"]), *words, "State of the repository: unchanged.")
    assert ("dataset", repo_id) not in server.repos
    if token:
        assert token not in json.dumps(answer) + writer.log()
        refused(passed := writer.push(repo_id, ["train-1k"], token="hf_passedtokenabcdefghijklmnopqrstu"), "token=")
        assert "hf_passedtoken" not in json.dumps(passed) + writer.log()


def test_a_namespace_of_somebody_else_is_refused(server, client):
    refused(client.push("other/name", ["train-1k"]), "403", "\"write\" for 'other'", "unchanged")
    assert value(client.push("team/name", ["train-1k"]))["state"] == "complete"


def test_a_private_repository_that_the_token_cannot_see_is_no_endless_loop(server, client, repo_id):
    server.put(repo_id, {"x.md": b""})
    server.faults = [Fault("info", "404")]
    answer = refused(client.push(repo_id, ["train-1k"], patience=20), "exists, but cannot be seen")
    assert answer["seconds"] < 10


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_writers_at_once_lose_nothing(server, client, repo_id, start_client, count):
    value(client.push(repo_id, ["train-1k"], tag="v0"))
    writers = [start_client() for _ in range(count)]
    for writer in writers:  # all have imported everything before the first one starts
        writer.call("builtins:len", "")
    conflicts = server.asked["commit"]
    for i, writer in enumerate(writers):
        recipe = {"seed": i, "num_samples": 500}
        line = {"function": "mnist1d_hf.hub.push:push", "arguments": [repo_id]}
        line["keywords"] = {"new_config": f"variant-{i}", "recipe": recipe, "tag": f"v-{i}"}
        writer._process.stdin.write(json.dumps(line) + "\n")
        writer._process.stdin.flush()
    answers = [json.loads(writer._process.stdout.readline()) for writer in writers]
    assert [value(answer)["state"] for answer in answers] == ["complete"] * count
    assert len(commits(server, repo_id)) == count + 1
    assert server.asked["commit"] - conflicts > count  # they did collide
    assert set(read_records(card(server, repo_id).data)) == {"train-1k", *(f"variant-{i}" for i in range(count))}
    for i in range(count):
        assert client.load(repo_id, f"variant-{i}")["ok"]
        assert client.load(repo_id, f"variant-{i}", revision=f"v-{i}")["ok"]
    assert client.load(repo_id, "train-1k", revision="v0")["ok"]


# What is wrong before anything is asked


WRONG = [
    ({"repo_id": "mnist1d"}, "owner/name"),
    ({"repo_id": "a b/c"}, "owner/name"),
    ({"configs": ["defualt"]}, "did you mean 'default'"),
    ({"new_config": "default"}, "always mean that one"),
    ({"new_config": "a/b"}, "letters"),
    ({"new_config": "x", "base": "defualt"}, "did you mean 'default'"),
    ({"new_config": "x", "recipe": {"iid_noise_scal": 1}}, "iid_noise_scale"),
    ({"new_config": "x", "version": "1.0"}, "MAJOR.MINOR.PATCH"),
    ({"recipe": {"seed": 1}}, "new_config="),
    ({"version": "1.0.0"}, "new_config="),
    ({"base": "long"}, "new_config="),
    ({"tag": "a b"}, "data-v1.0.0"),
    ({"tag": "0123456789abcdef"}, "commit"),
    ({"configs": ["long"], "remove": ["long"]}, "both pushed and removed"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_cannot_be_used_is_refused_before_anything_is_built_or_asked(given, message, monkeypatch):
    monkeypatch.setattr("mnist1d_hf.hub.parquet.BuiltConfig.build", None)  # would be a TypeError
    monkeypatch.setattr("mnist1d_hf.hub.push.Remote", None)
    given = {"repo_id": "owner/name", **given}
    with pytest.raises(ValueError, match=re.escape(message)):
        push(given.pop("repo_id"), given.pop("configs", ()), **given)


def test_errors_are_of_their_kinds():
    assert issubclass(HubError, OSError)
    assert issubclass(RefusedError, ValueError)
    assert WRITE_TOKEN.startswith("hf_")  # as real ones do
