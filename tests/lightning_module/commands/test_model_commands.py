"""Classifiers on a stand-in Hub: what is pushed, what comes back, what is refused."""

import os
import re
import shutil
import subprocess
import sys

import huggingface_hub
import pytest
import torch
from hub_server import Fault, client_environment
from safetensors.torch import load, save

from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.commands.model import GROUP
from lightning_module.model_hub import TrainedModel, read_model, weights_digest
from lightning_module.twin import pl
from mnist1d_hf import DATA_VERSION, __version__

MAIN = "lightning_module.commands.model:main"


def trained(path, network="cnn", **keywords):
    module = MNIST1DDataModule(name="train-1k", val="test", shuffle="none", **keywords)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
    trainer = pl.Trainer(max_steps=60, max_epochs=-1, enable_checkpointing=False, **quiet)
    pl.seed_everything(0)
    classifier = Classifier(network)
    trainer.fit(classifier, module)
    trainer.save_checkpoint(path)
    return trainer.test(classifier, module, verbose=False)[0]["test/acc"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "model.ckpt"
    return str(path), trained(path)


def status(answer, expected=0):
    assert answer["ok"], answer.get("traceback")
    assert answer["value"] == expected, answer["output"]
    return answer["output"]


def test_a_model_is_one_commit_with_a_card_that_tells_where_it_comes_from(server, client, repo_id, checkpoint):
    path, accuracy = checkpoint
    out = status(client.call(MAIN, ["push", repo_id, path, "--tag", "v1"]))
    assert out.splitlines()[-1] == f'Classifier.from_pretrained("{repo_id}", revision="v1")'
    repo = server.repo(repo_id, "model")
    assert set(repo.at("main").tree) == {".gitattributes", "README.md", "config.json", "model.safetensors"}
    assert len(repo.history()) == 2
    assert repo.tags == {"v1": repo.branches["main"]}

    card = huggingface_hub.ModelCard(server.file(repo_id, "README.md", kind="model").decode())
    record = card.data["mnist1d"]
    assert (record["path"], record["config_id"], record["version"]) == ("mnist1d", "train-1k", DATA_VERSION)
    assert (record["network"], record["steps"], record["code_version"]) == ("cnn", 60, __version__)
    assert record["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert "in their own order" in record["protocol"]
    assert "test split" in record["selection"]
    result = card.data.eval_results[0]
    assert (result.metric_type, result.metric_value) == ("accuracy", pytest.approx(accuracy, abs=1e-4))
    assert (result.dataset_config, result.dataset_split) == ("train-1k", "test")
    assert (card.data.license, card.data.library_name) == ("apache-2.0", "mnist1d-hf")
    assert f"**{100 * accuracy:.1f} %**" in card.text
    assert not [line for line in card.text.splitlines() if "$" in line]
    weights = load(server.file(repo_id, "model.safetensors", kind="model"))
    assert record["sha256"] == weights_digest(weights)

    status(client.call(MAIN, ["push", repo_id, path, "--tag", "v1"]))
    assert len(repo.history()) == 2


def test_what_is_pulled_computes_what_was_trained(server, client, repo_id, checkpoint, tmp_path):
    path, _ = checkpoint
    status(client.call(MAIN, ["push", repo_id, path, "--tag", "v1"]))
    out = status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "pulled"), "--revision", "v1"]))
    assert out.splitlines()[-1] == f'Classifier.from_pretrained("{tmp_path / "pulled"}")'
    assert {entry.name for entry in tmp_path.iterdir()} == {"pulled"}
    pulled = read_model(tmp_path / "pulled").classifier
    x = MNIST1DDataModule(name="train-1k").examples("test").x
    with torch.inference_mode():
        expected = TrainedModel.from_checkpoint(path).classifier(x)
        torch.testing.assert_close(pulled(x), expected, rtol=0, atol=0)
        again = Classifier.from_pretrained(tmp_path / "pulled").eval()
        torch.testing.assert_close(again(x), expected, rtol=0, atol=0)


def test_a_pull_can_be_done_again_but_not_over_other_files(server, client, repo_id, checkpoint, tmp_path):
    pull, folder = ["pull", repo_id, str(tmp_path / "pulled")], tmp_path / "pulled"
    status(client.call(MAIN, ["push", repo_id, checkpoint[0]]))
    for _ in range(2):
        status(client.call(MAIN, pull))
        assert {path.name for path in folder.iterdir()} == {"model.safetensors", "config.json", "README.md"}
    (folder / "config.json").write_text("{}")
    assert "not empty" in status(client.call(MAIN, pull), 2)
    assert (folder / "config.json").read_text() == "{}"
    (folder / "config.json").unlink()
    assert "not empty" in status(client.call(MAIN, pull), 2)
    (tmp_path / "file").touch()
    assert "not empty" in status(client.call(MAIN, [*pull[:2], str(tmp_path / "file")]), 2)


CUT_SHORT = """
import os, signal, sys
from lightning_module.cli import main
moves, replace = iter(range(100)), os.replace

def killed(*paths):
    if "pulled" in os.fspath(paths[1]) and next(moves) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)

os.replace = killed
sys.exit(main(["model", "pull", *sys.argv[2:]]))
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_killed_pull_leaves_no_half_folder_nor_junk(server, client, home, repo_id, checkpoint, tmp_path):
    status(client.call(MAIN, ["push", repo_id, checkpoint[0]]))
    folder = tmp_path / "there" / "pulled"
    command = [sys.executable, "-c", CUT_SHORT, "MOVE", repo_id, str(folder)]
    environment = os.environ | client_environment(server, str(home))
    for move in ("1", "0"):  # before the second file is moved, if files are moved one by one; before the first
        command[3] = move
        subprocess.run(command, env=environment, check=False, capture_output=True)
        assert not folder.exists() or len(list(folder.iterdir())) in (0, 3)
        status(client.call(MAIN, ["pull", repo_id, str(folder)]))
        assert len(list(folder.iterdir())) == 3
        assert list(folder.parent.iterdir()) == [folder]
        shutil.rmtree(folder.parent)


def test_pulling_a_revision_is_that_one_or_an_error(server, client, repo_id, checkpoint, tmp_path):
    status(client.call(MAIN, ["push", repo_id, checkpoint[0], "--tag", "v1"]))
    status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "first"), "--revision", "v1"]))
    out = status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "none"), "--revision", "v2"]), 2)
    assert "no such repository or revision" in out
    server.stop()
    status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "offline"), "--revision", "v1"]))
    answer = client.call(MAIN, ["pull", repo_id, str(tmp_path / "none"), "--revision", "v2"])
    assert "not on this machine" in status(answer, 2)
    assert answer["seconds"] < 5
    assert not (tmp_path / "none").exists()


def test_weights_that_are_not_the_cards_are_refused(server, client, repo_id, checkpoint, tmp_path):
    status(client.call(MAIN, ["push", repo_id, checkpoint[0]]))
    weights = load(server.file(repo_id, "model.safetensors", kind="model"))
    first = next(iter(weights))
    server.put(repo_id, {"model.safetensors": save({**weights, first: weights[first] + 1e-6})}, "model")
    out = status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "a")]), 2)
    assert "not those that its card tells of" in out
    server.put(repo_id, {"model.safetensors": b"\x00" * 100}, "model")
    assert "cannot be read" in status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "b")]), 2)
    assert list(tmp_path.iterdir()) == []


def test_only_safetensors_are_pulled(server, client, repo_id, tmp_path):
    server.put(repo_id, {"README.md": b"# x\n", "config.json": b"{}", "pytorch_model.bin": b"x"}, "model")
    out = status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "x")]), 2)
    assert "no model.safetensors" in out


def test_what_others_wrote_into_the_card_survives(server, client, repo_id, checkpoint, tmp_path):
    theirs = b"---\nlicense: mit\ntags: [theirs]\n---\n# Their title\n\nTheir text.\n"
    server.put(repo_id, {"README.md": theirs}, "model")
    status(client.call(MAIN, ["push", repo_id, checkpoint[0]]))
    other = tmp_path / "other.ckpt"
    trained(other, "logistic")
    status(client.call(MAIN, ["push", repo_id, str(other)]))
    card = huggingface_hub.ModelCard(server.file(repo_id, "README.md", kind="model").decode())
    assert (card.data.license, card.data.tags) == ("mit", ["theirs"])
    assert card.text.startswith("# Their title\n\nTheir text.\n")
    assert card.text.count("a classifier for MNIST-1D") == 1
    assert card.data["mnist1d"]["network"] == "logistic"
    assert len(card.data.eval_results) == 1


def test_a_lost_reply_makes_no_second_commit_and_a_tag_never_moves(server, client, repo_id, checkpoint, tmp_path):
    server.faults = [Fault("commit", "lost", count=1), Fault("tag", "503", count=1)]
    status(client.call(MAIN, ["push", repo_id, checkpoint[0], "--tag", "v1"]))
    repo = server.repo(repo_id, "model")
    assert (len(repo.history()), list(repo.tags)) == (2, ["v1"])
    other = tmp_path / "other.ckpt"
    trained(other, "logistic")
    assert "never moved" in status(client.call(MAIN, ["push", repo_id, str(other), "--tag", "v1"]), 2)
    assert len(repo.history()) == 2


def header_edited(server, repo_id, change):
    card = huggingface_hub.ModelCard(server.file(repo_id, "README.md", kind="model").decode())
    record = dict(card.data["mnist1d"])
    change(record)
    card.data["mnist1d"] = record
    server.put(repo_id, {"README.md": str(card).encode()}, "model")


def put(path, change):
    def work(server, repo_id):
        server.put(repo_id, {path: change(server.file(repo_id, path, kind="model"))}, "model")

    return work


def deleted(server, repo_id):
    repo = server.repo(repo_id, "model")
    server.commit(repo, {k: v for k, v in repo.at("main").tree.items() if k != "model.safetensors"}, "deleted")


def other_weights(data):
    return save({name: tensor + 1e-3 for name, tensor in load(data).items()})


MODEL_DRIFTS = {
    "other weights": (put("model.safetensors", other_weights), "'model.safetensors' has another content"),
    "other arguments": (
        put("config.json", lambda data: data.replace(b"40", b"80")),
        "'config.json' has another content",
    ),
    "no weights": (deleted, "'model.safetensors' is gone"),
    "another network in the card": (
        lambda server, repo_id: header_edited(server, repo_id, lambda record: record.update(network="mlp")),
        "the network 'mlp', not 'cnn'",
    ),
}


@pytest.mark.parametrize("forgotten", [False, True], ids=["recorded", "a record of before file digests"])
@pytest.mark.parametrize("case", MODEL_DRIFTS)
def test_whatever_others_do_to_a_model_is_put_right_and_told(
    server, client, repo_id, checkpoint, tmp_path, case, forgotten
):
    change, words = MODEL_DRIFTS[case]
    status(client.call(MAIN, ["push", repo_id, checkpoint[0]]))
    change(server, repo_id)
    if forgotten:
        header_edited(server, repo_id, lambda record: record.pop("files"))
        words = words.replace("'config.json' has another content", "'config.json' is not recorded")
    head = server.repo(repo_id, "model").branches["main"]
    planned = status(client.call(MAIN, ["push", repo_id, checkpoint[0], "--tag", "v1", "--dry-run"]))
    assert server.repo(repo_id, "model").branches["main"] == head
    out = status(client.call(MAIN, ["push", repo_id, checkpoint[0], "--tag", "v1"]))
    for text in (planned, out):
        assert words in text
    assert server.repo(repo_id, "model").tags == {"v1": server.repo(repo_id, "model").branches["main"]}
    status(client.call(MAIN, ["pull", repo_id, str(tmp_path / "pulled"), "--revision", "v1"]))
    again = status(client.call(MAIN, ["push", repo_id, checkpoint[0], "--tag", "v1"]))
    assert "unchanged" in again
    assert "put right" not in again


def test_a_models_record_without_file_digests_is_completed(server, client, repo_id, checkpoint):
    status(client.call(MAIN, ["push", repo_id, checkpoint[0]]))
    complete = server.file(repo_id, "README.md", kind="model")
    header_edited(server, repo_id, lambda record: record.pop("files"))
    out = status(client.call(MAIN, ["push", repo_id, checkpoint[0], "--tag", "v1"]))
    assert "put right" not in out
    written = [line.split()[1] for line in out.splitlines() if re.match(r" *[\d,]+ \S+$", line)]
    assert written == ["README.md"]
    files = [
        huggingface_hub.ModelCard(text.decode()).data["mnist1d"]["files"]
        for text in (complete, server.file(repo_id, "README.md", kind="model"))
    ]
    assert files[0] == files[1]
    assert [entry["path"] for entry in files[0]] == ["config.json", "model.safetensors"]
    header_edited(server, repo_id, lambda record: record.update(files=3))  # no list of files: as if there were none
    assert "README.md" in status(client.call(MAIN, ["push", repo_id, checkpoint[0]]))


def test_a_models_card_that_cannot_be_read_is_refused(server, client, repo_id, checkpoint):
    server.put(repo_id, {"README.md": b"---\na: [\n---\n# Theirs\n"}, "model")
    assert "repair it by hand" in status(client.call(MAIN, ["push", repo_id, checkpoint[0]]), 2)
    assert server.file(repo_id, "README.md", kind="model").endswith(b"# Theirs\n")


def test_a_dry_run_writes_nothing(server, client, repo_id, checkpoint):
    out = status(client.call(MAIN, ["push", repo_id, checkpoint[0], "--dry-run"]))
    assert "model.safetensors" in out
    assert "a classifier for MNIST-1D" in out
    assert ("model", repo_id) not in server.repos


class Runs:
    """A pickle that would run code."""

    def __reduce__(self):
        return (print, ("run",))


def test_a_file_that_is_no_checkpoint_is_refused_and_runs_no_code(tmp_path, capsys):
    torch.save(Runs(), tmp_path / "bad.ckpt")
    with pytest.raises(ValueError, match="read safely"):
        TrainedModel.from_checkpoint(tmp_path / "bad.ckpt")
    assert "run" not in capsys.readouterr().out.split()
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(ValueError, match="no checkpoint of a Classifier"):
        TrainedModel.from_checkpoint(tmp_path / "other.ckpt")


def test_data_that_changed_since_the_training_are_noticed(checkpoint, tmp_path):
    content = torch.load(checkpoint[0], weights_only=True)
    content["MNIST1DDataModule"]["version"] = "0.9.0"
    torch.save(content, tmp_path / "old.ckpt")
    with pytest.raises(ValueError, match="get those data first"):
        TrainedModel.from_checkpoint(tmp_path / "old.ckpt")


def test_the_commands_are_listed_without_torch(python):
    code = "import sys, lightning_module.commands.model as m; m.GROUP.parser(); print('torch' in sys.modules)"
    assert python(code) == "False\n"
    assert "push" in GROUP.parser().format_help()


def test_the_digest_is_of_names_types_shapes_and_values():
    base = {"a": torch.zeros(2, 3), "b": torch.ones(2)}
    others = [
        {"a": torch.zeros(3, 2), "b": torch.ones(2)},
        {"a": torch.zeros(2, 3), "c": torch.ones(2)},
        {"a": torch.zeros(2, 3), "b": torch.ones(2, dtype=torch.float64)},
        {"a": torch.zeros(2, 3), "b": torch.tensor([1.0, 1.0000001])},
    ]
    digests = {weights_digest(state) for state in [base, *others]}
    assert len(digests) == 5
    assert weights_digest(dict(reversed(base.items()))) in digests
