"""The commands one after the other, as people use them: train, evaluate, publish, fetch, evaluate again."""

import csv
import json
import logging
import re
from pathlib import Path

import pytest
import torch
from fits import SAFELY, same_weights, trainer_in
from huggingface_hub import ModelCard

from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.commands.training_words import calm, defaults_of
from lightning_module.loop.execution import StepsPerExecution
from lightning_module.model_hub import TrainedModel
from lightning_module.twin import PACKAGE
from mnist1d_hf import DATA_VERSION

MAIN = "lightning_module.cli:main"
QUIET = [f"--trainer.{part}=false" for part in ("enable_progress_bar", "enable_model_summary", "logger")]
FAST = ["--data.name", "train-1k", "--trainer.max_steps=20", "--trainer.val_check_interval=20", *QUIET]
CHAINS = {
    "logistic": [],
    "gru": ["--data.seed=3", "--model.lr=0.003"],
    "cnn": ["--data.classes=[0, 1, 2]", "--data.transform=torch.nn.functional.silu", "--data.eval_batch_size=100"],
}


def status(answer, expected=0):
    assert answer["ok"], answer.get("traceback")
    assert answer["value"] == expected, answer["output"]
    return answer["output"]


def accuracy_in(output: str) -> float:
    return float(re.search(r"test/acc\D*([\d.]+)", output).group(1))


@pytest.mark.parametrize("network", CHAINS)
def test_fit_evaluate_push_pull_evaluate(server, client, repo_id, tmp_path, network):
    options = ["--config", f"{network}.yaml", *FAST, *CHAINS[network], "--trainer.default_root_dir", str(tmp_path)]
    status(client.call(MAIN, ["fit", *options]))
    (path,) = tmp_path.rglob("*.ckpt")
    use = [*options, "--ckpt_path", str(path)]
    status(client.call(MAIN, ["validate", *use]))
    accuracy = accuracy_in(status(client.call(MAIN, ["test", *use])))
    status(client.call(MAIN, ["predict", *use]))
    with (tmp_path / "predictions.csv").open() as file:
        predicted = [int(row["prediction"]) for row in csv.DictReader(file)]

    said = status(client.call(MAIN, ["model", "push", repo_id, str(path), "--tag", "v1"]))
    assert f"{100 * accuracy:.1f} %" in said
    record = ModelCard(server.file(repo_id, "README.md", kind="model").decode()).data["mnist1d"]
    assert record["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    if network == "cnn":
        assert "transformed by torch.nn.functional.silu; of the classes 0, 1, 2 only" in record["protocol"]
        assert record["test_examples"] == len(predicted) < 1000
    assert not [name for name in json.loads(server.file(repo_id, "config.json", kind="model")) if name.startswith("_")]
    assert "unchanged" in status(client.call(MAIN, ["model", "push", repo_id, str(path), "--tag", "v1"]))

    folder = tmp_path / "pulled"
    status(client.call(MAIN, ["model", "pull", repo_id, str(folder), "--revision", "v1"]))
    fetched, kept = Classifier.from_pretrained(folder), Classifier.load_from_checkpoint(path, **SAFELY)
    assert same_weights(fetched, kept)
    data = MNIST1DDataModule.load_from_checkpoint(path, **SAFELY)
    (tested,) = trainer_in(tmp_path).test(fetched, data, verbose=False)
    assert tested["test/acc"] == pytest.approx(accuracy, abs=1e-6)
    x, _ = data.examples("test")
    assert fetched.eval()(x).argmax(1).tolist() == predicted


# As the last version left them, by command and from Python.
OLD_DATA = {"path": "mnist1d", "name": "train-1k", "revision": None, "batch_size": 100, "val": "test"}
OLD_DATA |= {"shuffle": "none", "seed": 0, "drop_last": False, "recipe": None}
OLD_MODULE = {"network": "logistic", "lr": 0.01, "length": 40, "num_classes": 10, "steps_per_execution": "auto"}
BY_COMMAND = {"_instantiator": "pytorch_lightning.cli.instantiate_module"}


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("old") / "old.ckpt"
    data, trainer = MNIST1DDataModule(name="train-1k", val="test"), trainer_in(path.parent, max_steps=2)
    trainer.fit(Classifier("logistic"), data)
    trainer.save_checkpoint(path)
    return path


@pytest.mark.parametrize("left", [{}, BY_COMMAND], ids=["python", "command"])
def test_checkpoints_of_the_last_version(old, tmp_path, left):
    content = torch.load(old, weights_only=True)
    content |= {"hyper_parameters": OLD_MODULE | left, "datamodule_hyper_parameters": OLD_DATA | left}
    assert content["MNIST1DDataModule"] == {"path": "mnist1d", "config_id": "train-1k", "version": DATA_VERSION}
    path = tmp_path / "last.ckpt"
    torch.save(content, path)

    model, data = (
        Classifier.load_from_checkpoint(path, **SAFELY),
        MNIST1DDataModule.load_from_checkpoint(path, **SAFELY),
    )
    since = {"eval_batch_size": None, "classes": None, "transform": None, "endless": False, "steps_per_epoch": 1000}
    assert dict(data.hparams) == {**OLD_DATA, **since}
    trainer = trainer_in(tmp_path, max_steps=4)
    trainer.fit(model, data, ckpt_path=path, **SAFELY)
    assert trainer.global_step == 4
    published = TrainedModel.from_checkpoint(path)
    assert published.record["protocol"].endswith("batches of 100 rows in their own order")


def test_a_checkpoint_cannot_name_a_function_to_be_imported(old, tmp_path):
    content = torch.load(old, weights_only=True)
    content["datamodule_hyper_parameters"] |= {"transform": "os.system", **BY_COMMAND}
    content["hyper_parameters"] |= {"network": {"class_path": "torch.nn.Tanh"}, **BY_COMMAND}
    torch.save(content, tmp_path / "hostile.ckpt")
    data = MNIST1DDataModule.load_from_checkpoint(tmp_path / "hostile.ckpt", **SAFELY)
    assert data.transform == "os.system"
    with pytest.raises(ValueError, match="keeps only the name of a function"):
        data.train_dataloader()
    with pytest.raises(ValueError, match=r"network=.* must be"):
        Classifier.load_from_checkpoint(tmp_path / "hostile.ckpt", **SAFELY)


def test_a_class_of_one_s_own_is_refused_by_the_name_of_its_argument(old, tmp_path):
    content = torch.load(old, weights_only=True)
    content["hyper_parameters"]["smoothing"] = 0.1
    torch.save(content, tmp_path / "mine.ckpt")
    with pytest.raises(ValueError, match="a class of your own, with the argument 'smoothing', that Classifier does"):
        TrainedModel.from_checkpoint(tmp_path / "mine.ckpt")


@pytest.mark.parametrize("steps", [5, 20])
def test_a_fit_too_short_for_a_validation_keeps_its_weights_too(client, tmp_path, steps):
    options = [*FAST, f"--trainer.max_steps={steps}", "--trainer.default_root_dir", str(tmp_path)]
    said = status(client.call(MAIN, ["fit", "--config", "mlp.yaml", *options]))
    (path,) = tmp_path.rglob("*.ckpt")
    assert path.name == "last.ckpt"
    (line,) = [line for line in said.splitlines() if line.startswith("Checkpoint: ")]
    assert (tmp_path.parent / line.removeprefix("Checkpoint: ")).name == path.name
    assert torch.load(path, weights_only=True)["global_step"] == steps
    accuracy_in(status(client.call(MAIN, ["test", "--config", "mlp.yaml", *options, "--ckpt_path", str(path)])))


def test_the_lines_at_the_end_of_a_fit_are_true_and_can_be_typed(client, tmp_path):
    options = ["--config", "mlp", "--data.name", "long", "--data.classes=[0, 1, 2]", "--trainer.max_steps=20"]
    out = ["--trainer.default_root_dir", str(tmp_path)]
    said = status(client.call(MAIN, ["fit", *options, *QUIET, *out]))
    assert re.search(r"^Training mlp \([\d,]+ parameters\) on the data 'long': [\d,]+ examples", said, re.MULTILINE)
    accuracy = float(re.search(r"Test accuracy of mlp after 20 steps: ([\d.]+)%", said)[1])
    assert "published" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("mnist1d test ")]
    assert line.endswith("/checkpoints/last.ckpt")  # from the folder of that process
    path = str(tmp_path / "checkpoints/last.ckpt")
    tested = status(client.call(MAIN, ["test", "--ckpt_path", path, *QUIET, *out]))
    assert f"{100 * accuracy_in(tested):.1f}" == f"{accuracy:.1f}"


def test_only_warnings_and_what_we_say_ourselves_is_heard_of_lightning():
    """Of several steps at once, which slower single steps are taken for, say."""
    log, heard = logging.getLogger(PACKAGE), []
    handler = logging.Handler()
    handler.emit = heard.append
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        with calm():
            log.warning("a warning")
            log.info("GPU available")
            StepsPerExecution()._log_reason("a reason")
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    assert [each.getMessage() for each in heard] == [
        "a warning",
        'steps_per_execution="auto" takes single steps: a reason',
    ]
    assert not handler.filters


def test_an_evaluation_imports_nothing_that_a_checkpoint_names(old, tmp_path):
    content = torch.load(old, weights_only=True)
    content["datamodule_hyper_parameters"] |= {"transform": "os.system", "name": "no-shift"}
    content["hyper_parameters"] |= {"network": "torch.nn.Tanh"}
    torch.save(content, tmp_path / "hostile.ckpt")
    found = defaults_of(str(tmp_path / "hostile.ckpt"))
    assert found["data.name"] == "no-shift"
    assert not {"os.system", "torch.nn.Tanh"} & {str(value) for value in found.values()}
    (tmp_path / "empty.ckpt").touch()
    assert defaults_of(str(tmp_path / "empty.ckpt")) == {}
