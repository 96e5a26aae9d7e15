"""After any sequence of pushes and faults, every tag that was ever made still loads and verifies."""

import random

import huggingface_hub
import pytest
from fault_matrix import Cell, cells, run
from hub_server import Fault

KINDS = ("401", "403", "404", "409", "412", "429", "500", "503", "drop", "lost", "slow")
PLACES = ("info", "create", "preupload", "lfs_put", "commit", "refs", "tag", "resolve_head", "resolve_get")


def a_push(choose):
    """A push of one or two of a few configs, some of a version that clashes with what another push made."""
    keywords = {}
    if choose.random() < 0.6:
        version = choose.randint(1, 3)
        keywords = {"new_config": f"mine-{choose.randint(0, 1)}", "version": f"{version}.0.0"}
        keywords["recipe"] = {"seed": choose.choice([version, version, 9]), "num_samples": 500}
    configs = choose.sample(["train-1k", "train-2k"], choose.randint(0 if keywords else 1, 1))
    if choose.random() < 0.7:
        keywords["tag"] = f"v{choose.randint(1, 6)}"
    elif choose.random() < 0.3:
        keywords["remove"] = [f"mine-{choose.randint(2, 3)}", "train-2k"]
        configs = [name for name in configs if name != "train-2k"] or ["train-1k"]
    return configs, keywords


def meddle(server, repo_id, choose):
    """What somebody else may do to a repository, with any program."""
    repo = server.repos.get(("dataset", repo_id))
    tree = dict(repo.at("main").tree) if repo else {}
    files = sorted(path for path in tree if path.endswith(".parquet"))
    if not files:
        return
    path, other = choose.choice(files), choose.choice(files)
    kind = choose.choice(["replace", "delete", "add", "point elsewhere", "take out"])
    card = server.file(repo_id, "README.md").decode()
    if kind == "replace":
        tree[path] = tree[other]
    elif kind == "delete":
        del tree[path]
    elif kind == "add":
        tree[path.replace("-00000-of-", "-00001-of-")] = tree[other]
    elif kind == "point elsewhere":
        pattern = path.replace("00000-of-00001.parquet", "*")
        tree["README.md"] = server._blob("README.md", card.replace(f"path: {pattern}", f"path: {other}", 1).encode())
    else:
        name = path.split("/")[0]
        header = huggingface_hub.DatasetCard(card)
        header.data["configs"] = [entry for entry in header.data["configs"] if entry["config_name"] != name]
        tree["README.md"] = server._blob("README.md", str(header).encode())
    server.commit(repo, tree, kind)


def play(server, client, repo_id, seed, steps, meddling=False):
    """Push with faults at random; returns how many pushes made something, to see that it is no empty exercise."""
    choose = random.Random(seed)
    tags, effective = {}, 0
    for _ in range(steps):
        if meddling and choose.random() < 0.4:
            meddle(server, repo_id, choose)
        configs, keywords = a_push(choose)
        server.faults = [
            Fault(choose.choice(PLACES), choose.choice(KINDS), first=choose.randint(1, 2), count=choose.randint(1, 2))
            for _ in range(choose.randint(0, 2))
        ]
        answer = client.push(repo_id, configs, **keywords, patience=6)
        assert answer["ok"] or answer["error"] in {"HubError", "RefusedError"}, answer["traceback"]
        server.settle()
        server.faults = []
        repo = server.repos.get(("dataset", repo_id))
        if repo is None:
            assert answer["state"] in {"unchanged", "not known"}
            continue
        assert tags.items() <= repo.tags.items(), "a tag was moved or lost"
        effective += repo.tags != tags
        tags = dict(repo.tags)
        for tag in tags:
            found = client.call("mnist1d_hf.hub.load:configs_at", repo_id, revision=tag)
            assert found["ok"], found["message"]
            for config in found["value"]:
                loaded = client.load(repo_id, config, revision=tag)
                assert loaded["ok"], loaded["message"]
                assert {split: rows["digests"] for split, rows in loaded["value"].items()} == _digests(found, config)
    return effective


def _digests(found, config):
    value = found["value"][config]
    return value["digests"]


def test_every_tag_loads_after_any_sequence(server, client, repo_id):
    assert play(server, client, repo_id, seed=1, steps=8) >= 2


def test_every_tag_loads_whatever_others_do_in_between(server, client, repo_id):
    assert play(server, client, repo_id, seed=8, steps=8, meddling=True) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 230))
def test_every_tag_loads_whatever_others_do_for_long(server, client, repo_id, seed):
    play(server, client, repo_id, seed, steps=20, meddling=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_every_tag_loads_after_any_long_sequence(server, client, repo_id, seed):
    play(server, client, repo_id, seed, steps=20)


FEW = [
    Cell("create", "lost", always=True),
    Cell("preupload", "403", always=True),
    Cell("commit", "503", always=False),
    Cell("tag", "500", always=True),
    Cell("resolve_get", "lost", always=False),
]


def check(outcomes):
    assert not {cell: outcome.problems for cell, outcome in outcomes.items() if outcome.problems}


def test_a_few_cells_of_the_fault_matrix(tmp_path):
    check(outcomes := run(FEW, tmp_path, benches=2))
    assert outcomes[FEW[0]].state == "complete"
    assert outcomes[FEW[1]].state == "empty repository"
    assert outcomes[FEW[3]].state == "committed but untagged"


@pytest.mark.slow
def test_the_whole_fault_matrix(tmp_path):
    check(run(cells(), tmp_path))
