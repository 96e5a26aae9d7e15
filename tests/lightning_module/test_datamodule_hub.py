"""The data module on a repository and a folder: the revision that was asked for, or an error."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lightning_module import MNIST1DDataModule
from mnist1d_hf import DATA_VERSION
from mnist1d_hf.hub.export import export

READ = """
import json, sys
from lightning_module import MNIST1DDataModule

module = MNIST1DDataModule({repo_id!r}, "mine", revision={revision!r})
module.prepare_data()
total = module.examples("test").x.double().sum().item()
print(json.dumps({{"state": module.state_dict(), "total": total, "commit": module._commit}}))
"""


def read(client, repo_id, revision):
    return client.call("builtins:exec", READ.format(repo_id=repo_id, revision=revision))


def test_each_revision_is_served_as_itself_and_offline_no_other(server, start_client, repo_id, tmp_path):
    for seed, tag in ((1, "v1"), (2, "v2")):
        recipe = {"seed": seed, "num_samples": 500}
        keywords = {"new_config": "mine", "recipe": recipe, "version": f"{seed}.0.0", "tag": tag}
        done = start_client().push(repo_id, [], **keywords)
        assert done["ok"], done["message"]
    reader = start_client(home=tmp_path / "home")
    old, new = (json.loads(read(reader, repo_id, revision)["output"].splitlines()[-1]) for revision in ("v1", None))
    assert old["state"] == {"path": repo_id, "config_id": "mine", "version": "1.0.0"}
    assert new["state"]["version"] == "2.0.0"
    assert old["total"] != new["total"]
    assert (old["commit"], new["commit"]) == (server.repo(repo_id).tags["v1"], server.repo(repo_id).tags["v2"])
    server.stop()
    assert json.loads(read(reader, repo_id, "v1")["output"].splitlines()[-1]) == old
    answer = read(reader, repo_id, "v2")  # its commit is here, as main, but nobody has seen that it is v2
    assert answer["error"] == "UnavailableError"
    assert "is not on this machine" in answer["message"]
    assert answer["seconds"] < 5


def test_a_folder_is_verified(tmp_path, cache):
    export(tmp_path / "data", ["train-1k"])
    module = MNIST1DDataModule(str(tmp_path / "data"), "train-1k", revision=DATA_VERSION)
    assert module.examples("test").x.shape == (1000, 40)
    text = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    digest = text.split("      x: ")[1][:64]
    (tmp_path / "data" / "README.md").write_text(text.replace(digest, "f" * 64), encoding="utf-8")
    with pytest.raises(ValueError, match="another digest"):
        MNIST1DDataModule(str(tmp_path / "data"), "train-1k").examples("test")


def write_parquet(folder, **columns):
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        pq.write_table(pa.table(columns), folder / "data" / f"{split}.parquet")
    return str(folder)


def test_somebody_elses_data_are_served_with_one_word_that_they_are_not_verified(tmp_path, cache, caplog):
    signals = [[float(row), 1.0, 2.0, 3.0] for row in range(20)]
    names = [f"row {row}" for row in range(20)]
    path = write_parquet(tmp_path / "theirs", x=signals, y=[row % 3 for row in range(20)], note=names)
    module = MNIST1DDataModule(path, val="test")
    assert (module.length, module.num_classes) == (4, 3)
    assert module.examples("train").x.tolist() == signals
    assert len([message for message in caplog.messages if "not verified" in message]) == 1


THEIRS = {
    "ragged": {"x": [[1.0], [1.0, 2.0]], "y": [0, 1]},
    "flat": {"x": [1.0, 2.0], "y": [0, 1]},
    "labels with a fraction": {"x": [[1.0], [2.0]], "y": [0.5, 1.0]},
    "labels below 0": {"x": [[1.0], [2.0]], "y": [-1, 1]},
    "labels in lists": {"x": [[1.0], [2.0]], "y": [[0], [1]]},
    "labels in words": {"x": [[1.0], [2.0]], "y": ["a", "b"]},
    "labels missing": {"x": [[1.0], [2.0]], "y": pa.array([None, 1])},
    "no labels": {"x": [[1.0], [2.0]], "label": [0, 1]},
}


@pytest.mark.parametrize("name", THEIRS)
def test_columns_that_are_no_examples_are_refused_by_name(tmp_path, cache, name):
    path = write_parquet(tmp_path / "theirs", **THEIRS[name])
    with pytest.raises(ValueError, match=r"column '[xy]'"):
        MNIST1DDataModule(path, val="test").examples("train")
