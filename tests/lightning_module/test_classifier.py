import math

import pytest
import torch
from fits import classifier, data_of, same_weights, trainer_in
from torch import nn

import mnist1d_hf
from lightning_module import Classifier, MNIST1DDataModule


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(40, 10)

    def forward(self, x):
        return self.linear(x)


def test_metrics_are_those_of_the_whole_split(folder, tmp_path):
    model, data = classifier(), data_of(folder)
    trainer = trainer_in(tmp_path, max_steps=30)
    trainer.fit(model, data)
    (tested,) = trainer.test(model, data, verbose=False)
    (validated,) = trainer.validate(model, data, verbose=False)
    x, y = data.examples("test")
    with torch.no_grad():
        p = model.network(x).double().softmax(1)
    loss = -sum(math.log(p[i, y[i]]) for i in range(200)) / 200
    hits = sum(int(p[i].argmax() == y[i]) for i in range(200)) / 200
    assert tested == {"test/loss": pytest.approx(loss, rel=1e-5), "test/acc": pytest.approx(hits)}
    assert validated == {"val/loss": pytest.approx(loss, rel=1e-5), "val/acc": pytest.approx(hits)}


def test_metrics_weigh_pieces_by_their_size(folder, tmp_path, monkeypatch):
    model, data = classifier(), data_of(folder)
    (whole,) = trainer_in(tmp_path).test(model, data, verbose=False)
    monkeypatch.setattr("lightning_module.datamodule.EVALUATION_ROWS", 70)
    (pieces,) = trainer_in(tmp_path).test(model, data_of(folder), verbose=False)
    assert pieces == pytest.approx(whole, rel=1e-5)


def test_predictions_are_probabilities(folder, tmp_path):
    model, data = classifier("cnn"), data_of(folder)
    (p,) = trainer_in(tmp_path).predict(model, data)
    torch.testing.assert_close(p, model.network(data.examples("test").x).softmax(1).detach())


def test_checkpoint_loads_with_weights_only(folder, tmp_path):
    model = Classifier("gru", lr=3e-3)
    trainer = trainer_in(tmp_path, max_steps=2)
    trainer.fit(model, data_of(folder))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    saved = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert saved["mnist1d_hf"] == {
        "code_version": mnist1d_hf.__version__,
        "data_version": mnist1d_hf.DATA_VERSION,
    }
    loaded = Classifier.load_from_checkpoint(tmp_path / "a.ckpt", weights_only=True)
    assert same_weights(model, loaded)
    assert dict(loaded.hparams) == dict(model.hparams)
    assert (loaded.lr, type(loaded.network).__name__) == (3e-3, "GRU")


def test_own_module_is_passed_again(folder, tmp_path):
    model = Classifier(Own())
    trainer = trainer_in(tmp_path, max_steps=2)
    trainer.fit(model, data_of(folder))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"pass it again, network=Own\(\.\.\.\)"):
        Classifier.load_from_checkpoint(tmp_path / "a.ckpt", weights_only=True)
    loaded = Classifier.load_from_checkpoint(tmp_path / "a.ckpt", weights_only=True, network=Own())
    assert same_weights(model, loaded)


def test_pretrained_named_network(tmp_path):
    model = Classifier("cnn", lr=5e-3, length=120)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    loaded = Classifier.from_pretrained(tmp_path)
    assert same_weights(model, loaded)
    assert (loaded.lr, loaded.length, loaded.steps_per_execution) == (5e-3, 120, "auto")


def test_pretrained_own_module(tmp_path):
    model = Classifier(Own())
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"pass it again, network=Own\(\.\.\.\)"):
        Classifier.from_pretrained(tmp_path)
    assert same_weights(model, Classifier.from_pretrained(tmp_path, network=Own()))


def test_optimiser_is_the_reference_s():
    optimizer = Classifier("mlp").configure_optimizers()
    assert type(optimizer) is torch.optim.Adam
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["betas"], group["fused"]) == (1e-2, 0, (0.9, 0.999), True)
    assert sum(p.numel() for p in group["params"]) == 15_210


def test_length_of_the_data_is_compared(tmp_path):
    with pytest.raises(ValueError, match=r"length=40 must be 120.*Classifier\(..., length=120\)"):
        trainer_in(tmp_path, max_steps=1).fit(Classifier("cnn"), MNIST1DDataModule(name="long"))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"lr": 0.0}, "lr=0.0 must be above 0"),
        ({"steps_per_execution": 0}, 'steps_per_execution=0 must be "auto"'),
        ({"steps_per_execution": "many"}, "steps_per_execution='many' must be"),
        ({"network": "cnm"}, "did you mean 'cnn'"),
    ],
)
def test_errors(keywords, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**keywords)
