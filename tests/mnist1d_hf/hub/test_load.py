"""`load`: exactly the revision asked for, verified, offline or an error."""

import logging
import re
import subprocess
import sys
import time

import pytest
from hub_server import WRITE_TOKEN, Fault, client_environment

import mnist1d_hf
from mnist1d_hf import DATA_VERSION
from mnist1d_hf.cache import golden
from mnist1d_hf.hub.export import export
from mnist1d_hf.hub.load import ContentError, UnavailableError, configs_at, load

OLD, NEW = {"seed": 1, "num_samples": 500}, {"seed": 2, "num_samples": 500}


@pytest.fixture(scope="module")
def published(_server, client):
    """A repository with a config in two versions, each at its tag."""
    repo_id = "owner/published"
    for recipe, version, tag in ((OLD, "1.0.0", "v1"), (NEW, "2.0.0", "v2")):
        answer = client.push(repo_id, ["train-1k"], new_config="mine", recipe=recipe, version=version, tag=tag)
        assert answer["ok"], answer["message"]
    return repo_id


def digest(answer, split="train"):
    assert answer["ok"], answer["message"]
    return answer["value"][split]["digests"]["x"]


def failed(answer, *words):
    assert not answer["ok"], answer["value"]
    for word in words:
        assert word in answer["message"]
    return answer


def test_each_tag_is_its_own_content(server, published, client):
    old, new = (client.load(published, "mine", revision=tag) for tag in ("v1", "v2"))
    assert digest(old) != digest(new)
    assert (old["value"]["train"]["version"], new["value"]["train"]["version"]) == ("1.0.0", "2.0.0")
    assert digest(client.load(published, "mine")) == digest(new)
    commit = server.repo(published).tags["v1"]
    assert digest(client.load(published, "mine", revision=commit)) == digest(old)


def test_a_split_and_a_part_of_one(server, published, client):
    part = client.load(published, "train-1k", revision="v1", split="train[:10%]")
    assert part["value"]["rows"] == 100
    assert client.load(published, "train-1k", revision="v1", split="test")["value"]["rows"] == 1000


# Bounds on seconds are three times those of a quiet machine: they find a wait without an end, and no slow machine.
# Only what a config needs is fetched, so "train-1k" may be in the cache where "mine" is not.


def test_unreachable_it_serves_exactly_what_is_cached_and_else_fails_at_once(server, published, start_client, tmp_path):
    reader = start_client(home=tmp_path / "home")
    old = digest(reader.load(published, "mine", revision="v1"))
    server.stop()
    again = reader.load(published, "mine", revision="v1")
    assert digest(again) == old
    assert again["seconds"] < 15
    for revision, config in (("v2", "mine"), ("never", "mine"), (None, "mine"), ("0" * 40, "mine"), ("v1", "train-1k")):
        answer = failed(reader.load(published, config, revision=revision), "not on this machine", "load it once")
        assert answer["error"] == "UnavailableError"
        assert answer["seconds"] < 15


LOAD = """
import sys, mnist1d_hf
print(mnist1d_hf.load(*sys.argv[1:3], revision=sys.argv[3], split="train").info.version)
"""


def test_offline_a_wrong_revision_is_an_error_within_seconds(server, published, tmp_path):
    environment = {**client_environment(server, str(tmp_path)), "PATH": "", "HOME": str(tmp_path)}

    def run(revision, **more):
        start = time.monotonic()
        command = [sys.executable, "-c", LOAD, published, "mine", revision]
        done = subprocess.run(command, env=environment | more, capture_output=True, text=True, check=False)
        return done, time.monotonic() - start

    done, _ = run("v1")
    assert done.stdout == "1.0.0\n", done.stderr
    done, usual = run("v1", HF_HUB_OFFLINE="1")
    assert done.stdout == "1.0.0\n", done.stderr
    for more in ({"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}):
        done, seconds = run("v2", **more)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("mnist1d_hf.hub.snapshot.UnavailableError")
        assert seconds < 2 * usual + 5  # beside what importing takes on this machine at this time


def test_without_a_revision_the_newest_seen_is_served_with_a_warning(server, published, start_client, tmp_path):
    reader = start_client(home=tmp_path / "home")
    newest = digest(reader.load(published, "mine"))
    server.stop()
    answer = reader.load(published, "mine")
    assert digest(answer) == newest
    assert server.repo(published).branches["main"] in answer["output"]
    assert "seen before" in answer["output"]


@pytest.mark.parametrize("kind", ["500", "503", "429", "drop", "slow"])
def test_a_server_in_trouble_is_no_reason_to_wait_if_the_revision_is_cached(server, published, client, kind):
    old = digest(client.load(published, "mine", revision="v1"))
    server.faults = [Fault("info", kind, seconds=4)]
    answer = client.load(published, "mine", revision="v1")
    assert digest(answer) == old
    assert answer["seconds"] < 15
    server.faults = [Fault("info", kind, seconds=4)]
    assert failed(client.load(published, "mine", revision="never"), "not on this machine")["seconds"] < 15


def test_a_revision_or_repository_that_does_not_exist_is_an_error_even_if_it_was_cached(server, client, repo_id):
    assert client.push(repo_id, [], new_config="mine", recipe=OLD, tag="v1")["ok"]
    digest(client.load(repo_id, "mine", revision="v1"))
    del server.repo(repo_id).tags["v1"]
    assert (
        failed(client.load(repo_id, "mine", revision="v1"), "no such repository or revision")["error"] == "ValueError"
    )
    failed(client.load("owner/no-such", "mine"), "no such repository or revision")
    failed(client.load(repo_id, "mien"), "did you mean 'mine'")
    failed(client.load("no-such-folder/", "mine"), "no-such-folder")
    failed(client.load("./no-such-folder", "mine"), "no folder")


def test_a_private_repository_says_which_token_is_missing(server, start_client, client, repo_id):
    assert client.push(repo_id, [], new_config="mine", recipe=OLD, private=True)["ok"]
    stranger = start_client(HF_TOKEN="")
    failed(stranger.load(repo_id, "mine"), "no token is set", "hf auth login")
    assert stranger.load(repo_id, "mine", token=WRITE_TOKEN)["ok"]


# Content


def test_content_that_is_not_the_cards_is_an_error(server, published, client, repo_id):
    assert client.push(repo_id, [], new_config="mine", recipe=OLD)["ok"]
    path = "mine/train-00000-of-00001.parquet"
    server.put(repo_id, {path: server.file(published, path, "v2")})  # of the same shape, size and schema
    answer = failed(client.load(repo_id, "mine"), "another file than the one that its record", "tell its owner")
    assert answer["error"] == "ContentError"
    card = server.file(repo_id, "README.md").decode()
    entries = re.compile(r"^  files:\n(  - .*\n|    .*\n)+", flags=re.MULTILINE)  # as earlier releases wrote it
    assert entries.search(card)
    server.put(repo_id, {"README.md": entries.sub("", card).encode()})
    failed(client.load(repo_id, "mine"), "column 'x' of split 'train' has another digest", "tell its owner")
    server.put(repo_id, {path: b"PAR1 truncated"})
    failed(client.load(repo_id, "mine"), "cannot be read")


def altered(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x55
    path.chmod(0o644)
    path.write_bytes(data)


def test_altered_bytes_in_the_caches_are_healed(server, published, start_client, tmp_path):
    home = tmp_path / "home"
    reader = start_client(home=home)
    old = digest(reader.load(published, "mine", revision="v1"))
    altered(next(path for path in (home / "datasets").rglob("*train*.arrow")))
    answer = reader.load(published, "mine", revision="v1")
    assert digest(answer) == old
    assert "another digest" in answer["output"]
    blob = next((home / "hub").rglob("train-*.parquet")).resolve()
    altered(blob)
    assert digest(reader.load(published, "mine", revision="v1")) == old  # the Arrow copy is sound
    altered(next(path for path in (home / "datasets").rglob("*train*.arrow") if path.stat().st_size))
    answer = reader.load(published, "mine", revision="v1")
    assert digest(answer) == old
    for path in (home / "datasets").rglob("*train*.arrow"):
        altered(path)
    altered(next((home / "hub").rglob("train-*.parquet")).resolve())
    server.stop()
    failed(reader.load(published, "mine", revision="v1"), "not what its card says", "delete")


# Folders, and what this package did not write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("exported") / "here"
    export(made, ["train-1k"])
    return made


def test_a_folder_is_verified_and_has_one_version(folder, cache):
    found = load(folder, "train-1k")
    assert found["train"].info.version == DATA_VERSION
    for revision in (DATA_VERSION, f"v{DATA_VERSION}", f"data-v{DATA_VERSION}"):
        assert len(load(str(folder), "train-1k", revision=revision, split="test[:5]")) == 5
    with pytest.raises(ValueError, match=f"holds version {re.escape(DATA_VERSION)}"):
        load(folder, "train-1k", revision="9.9.9")
    assert load(folder, split="train").info.config_name == "train-1k"  # the only one
    with pytest.raises(ValueError, match="has no config 'default'"):
        load(folder, "default")
    assert configs_at(str(folder))["train-1k"].digests == golden.committed()["train-1k"]


def test_a_folder_that_was_altered_is_an_error(folder, cache, tmp_path):
    other = tmp_path / "other"
    export(other, ["train-2k"])
    text = (folder / "README.md").read_text(encoding="utf-8").replace("train-1k", "train-2k")
    (other / "README.md").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match="another file than the one that its record tells of, so it is not"):
        load(other, "train-2k")
    (other / "train-2k" / "test-00000-of-00001.parquet").unlink()
    with pytest.raises(UnavailableError, match="split 'test'"):
        load(other, "train-2k")


def test_others_data_are_of_the_right_revision_but_not_verified(server, client, repo_id):
    text = "---\nconfigs:\n- config_name: default\n  data_files: data.csv\n---\n"
    server.put(repo_id, {"README.md": text.encode(), "data.csv": b"a\n1\n"})
    first = server.repo(repo_id).branches["main"]
    server.put(repo_id, {"data.csv": b"a\n1\n2\n"})
    answer = client.load(repo_id, revision=first)
    assert answer["value"]["train"]["rows"] == 1
    assert "not verified" in answer["output"]
    assert client.load(repo_id)["value"]["train"]["rows"] == 2
    failed(client.call("mnist1d_hf.hub.load:configs_at", repo_id), "records no digests")


def test_the_bare_name_is_generated(cache):
    assert mnist1d_hf.load is load
    assert load(split="test").info.version == DATA_VERSION
    with pytest.raises(ValueError, match="cannot be generated"):
        load(revision="9.9.9")


def test_loading_says_nothing_when_all_is_well(folder, cache, caplog):
    with caplog.at_level(logging.WARNING):
        load(folder, "train-1k")
    assert not [record for record in caplog.records if record.name.startswith("mnist1d_hf")]
