"""Long configs on their way to the Hub: a shard at a time, each sent once, one commit, whatever happens in between."""

import hashlib
import json

import pytest
import yaml
from hub_server import Fault
from tiny_shards import PATHS, SHARDS, TINY, independent_leaves

from mnist1d_hf.hub.sharded.sending import PLACE

TAG = "v1"
FILES = {*PATHS, "tiny/test-00000-of-00001.parquet", "tiny/shards.json", "README.md", "mnist1d-examples.png"}
LARGE = len(FILES) - 2  # in LFS


def push(client, repo_id, **keywords):
    return client.push(repo_id, [], **{**SHARDS, "tag": TAG, **keywords})


def value(answer):
    assert answer["ok"], answer["message"]
    return answer["value"]


def commits(server, repo_id):
    return [commit.title for commit in server.repo(repo_id).history()][:-1]


def header(server, repo_id):
    return yaml.safe_load(server.file(repo_id, "README.md").decode().split("---\n")[1])


def left(home):
    """What a push left of its work."""
    return sorted(path.name for path in (home / "datasets" / PLACE).rglob("*") if path.is_file())


def killed_at(server, start_client, home, repo_id, endpoint, number):
    """Pushes, and kills the client as the server answers a request."""
    doomed = start_client(home=home)
    count = [0]

    def kill(reply):
        count[0] += 1
        if count[0] == number:
            doomed._process.kill()
        return reply

    server.rewrite[endpoint] = kill
    with pytest.raises(RuntimeError, match="ended with -9"):
        push(doomed, repo_id)
    server.settle()
    server.rewrite = {}


@pytest.fixture
def puts(server):
    """How often a file was sent since the beginning of the test."""
    server.lfs.clear()
    before = server.asked["lfs_put"]
    return lambda: server.asked["lfs_put"] - before


@pytest.fixture(scope="module")
def published(_server, client):
    """A repository to which it was pushed by one process, undisturbed."""
    answer = push(client, "owner/undisturbed")
    assert answer["ok"], answer["message"]
    return "owner/undisturbed"


def test_one_commit_with_the_digests_of_the_generator_and_again_nothing(server, published, client, home):
    tree = server.repo(published).at(TAG).tree
    assert set(tree) == {*FILES, ".gitattributes"}
    assert commits(server, published) == ["MNIST-1D: tiny 1.0.0"]
    (record,) = header(server, published)["mnist1d"]
    for column, leaves in independent_leaves().items():
        assert record["digests"]["train"][column] == hashlib.sha256(b"".join(leaves)).hexdigest()
    listed = json.loads(server.file(published, "tiny/shards.json"))
    for shard in listed["splits"]["train"]:
        assert (tree[shard["path"]].sha256, tree[shard["path"]].size) == (shard["sha256"], shard["size"])
    assert left(home) == []
    asked = server.asked.copy()
    again = value(push(client, published))
    assert (again["state"], again["files"], again["drifted"]) == ("unchanged", {}, {})
    assert not [name for name in ("preupload", "lfs_batch", "lfs_put", "commit") if server.asked[name] > asked[name]]
    cut = value(push(client, published, rows_per_shard=200_000))  # the same data, though in other files
    assert cut["state"] == "unchanged"
    assert left(home) == []


# The server answers: the second shard is there, which the client does not know yet; or the third is about to be sent.
@pytest.mark.parametrize(("endpoint", "number"), [("lfs_verify", 2), ("preupload", 3)])
def test_killed_between_shards_none_is_sent_twice(
    server, published, start_client, tmp_path, repo_id, puts, endpoint, number
):
    home = tmp_path / "home"
    killed_at(server, start_client, home, repo_id, endpoint, number)
    assert commits(server, repo_id) == []
    assert len([name for name in left(home) if name.endswith(".parquet")]) == 1  # the one that was being sent
    done = value(push(start_client(home=home), repo_id))
    assert (done["state"], done["committed"], done["tagged"]) == ("complete", True, True)
    assert puts() == LARGE
    assert commits(server, repo_id) == ["MNIST-1D: tiny 1.0.0"]
    for path in {*FILES, ".gitattributes"} - {"README.md"}:  # which tells the repository's name
        assert server.repo(repo_id).at(TAG).tree[path] == server.repo(published).at(TAG).tree[path]
    assert left(home) == []


def test_what_the_server_has_dropped_is_made_and_sent_again(server, start_client, tmp_path, repo_id, puts):
    home = tmp_path / "home"
    killed_at(server, start_client, home, repo_id, "preupload", 4)
    dropped = sorted(server.lfs)[0]
    del server.lfs[dropped]
    value(push(start_client(home=home), repo_id))
    assert puts() == LARGE + 1
    assert dropped in server.lfs
    assert len(commits(server, repo_id)) == 1


def test_where_parquet_is_not_in_lfs_files_stay_until_the_commit_has_them(server, client, repo_id, home):
    def regular(reply):
        reply.body = reply.body.replace(b'"lfs"', b'"regular"')
        return reply

    server.rewrite["preupload"] = regular
    value(push(client, repo_id, tag=None))
    assert set(server.repo(repo_id).at("main").tree) == {*FILES, ".gitattributes"}
    assert left(home) == []


def test_what_the_repository_ignores_is_an_error_and_no_commit(server, client, repo_id):
    def ignored(reply):
        reply.body = reply.body.replace(b'"shouldIgnore": false', b'"shouldIgnore": true')
        return reply

    server.rewrite["preupload"] = ignored
    answer = push(client, repo_id)
    assert answer["error"] == "HubError"
    assert f"{PATHS[0]} is ignored by the repository's .gitignore; take that line out" in answer["message"]
    assert commits(server, repo_id) == []


def test_a_server_in_trouble_for_a_while_is_waited_for_and_one_in_trouble_for_good_is_named(server, client, repo_id):
    server.faults = [Fault("lfs_batch", "500", first=2, count=1)]
    value(push(client, repo_id))
    server.faults = [Fault("commit", "403")]
    answer = push(client, f"{repo_id}-2")
    assert (answer["error"], answer["state"]) == ("HubError", "empty repository")
    server.faults = []
    assert value(push(client, f"{repo_id}-2"))["state"] == "complete"


@pytest.mark.slow
def test_by_two_processes_it_is_the_same(server, published, client, repo_id):
    value(push(client, repo_id, num_proc=2))
    for path in FILES - {"README.md"}:
        assert server.repo(repo_id).at(TAG).tree[path] == server.repo(published).at(TAG).tree[path]


def test_a_tag_that_stands_elsewhere_is_found_before_anything_is_made(server, client, repo_id, puts):
    value(client.push(repo_id, ["train-1k"], tag=TAG))
    before = puts()
    answer = push(client, repo_id)
    assert answer["error"] == "RefusedError"
    assert "a tag is never moved" in answer["message"]
    assert puts() == before


def test_a_dry_run_tells_files_and_makes_nothing(server, client, repo_id, home):
    before = left(home)
    planned = value(push(client, repo_id, dry_run=True))
    assert {*PATHS, "README.md"} <= set(planned["files"])
    assert "+  shards:" not in planned["card_diff"]
    assert "+- config_name: tiny" in planned["card_diff"]
    assert ("dataset", repo_id) not in server.repos
    assert left(home) == before


def test_other_numbers_under_the_same_version_are_refused_before_anything_is_made(server, published, client, puts):
    answer = push(client, published, recipe={**TINY, "seed": 1}, tag=None)
    assert answer["error"] == "RefusedError"
    assert "raise it (version=)" in answer["message"]
    assert puts() == 0


def test_a_shard_that_somebody_replaced_is_put_right(server, client, repo_id, puts):
    value(push(client, repo_id))
    sound = server.repo(repo_id).at(TAG).tree
    server.put(repo_id, {PATHS[2]: b"PAR1 somebody else's"})
    before = puts()
    done = value(push(client, repo_id, tag="v2"))
    assert done["repaired"] == {"tiny": [f"the file {PATHS[2]!r} has another content"]}
    assert server.repo(repo_id).at("v2").tree == sound
    assert puts() == before  # the server had all of it
    server.put(repo_id, {"tiny/shards.json": b"{}"})
    assert value(push(client, repo_id, tag=None))["repaired"] == {
        "tiny": ["the file 'tiny/shards.json' has another content"]
    }
    assert server.repo(repo_id).at("main").tree == sound


def test_another_config_beside_it_leaves_it_as_it_is(server, published, client):
    before = server.repo(published).at("main").tree
    done = value(client.push(published, ["train-1k"], tag="v3"))
    assert done["drifted"] == {}
    after = server.repo(published).at("v3").tree
    assert {path: after[path] for path in before if path != "README.md"} == {
        path: blob for path, blob in before.items() if path != "README.md"
    }
    taken = value(client.push(published, [], remove=["tiny"]))
    assert set(taken["removed"]) == {path for path in FILES if path.startswith("tiny/")}
