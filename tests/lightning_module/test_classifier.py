import math

import pytest
import torch
import yaml
from fits import SAFELY, classifier, data_of, same, same_weights, trainer_in
from onnx.reference import ReferenceEvaluator
from torch import nn
from torchmetrics.classification import MulticlassF1Score

import mnist1d_hf
from lightning_module import Classifier, Ensemble, MNIST1DDataModule, Replica, TensorLoader
from lightning_module.twin import loggers


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


class Scaled(Classifier):
    """A forward pass of its own, with a dropout that the network does not have."""

    def forward(self, x):
        return nn.functional.dropout(self.network(3 * x), 0.5, self.training)


@pytest.mark.parametrize("way", ["class", "instance", "hook"])
@pytest.mark.parametrize("network", ["mlp", Own])
def test_training_goes_through_a_forward_of_one_s_own(folder, tmp_path, way, network):
    torch.manual_seed(0)
    network = network() if isinstance(network, type) else network
    model = Scaled(network, length=40) if way == "class" else Classifier(network)
    if way == "instance":
        model.forward = lambda x: nn.functional.dropout(model.network(3 * x), 0.5, model.training)
    if way == "hook":
        model.register_forward_hook(lambda own, x, out: nn.functional.dropout(own.network(3 * x[0]), 0.5, own.training))
    weights, data = {name: p.detach().clone() for name, p in model.named_parameters()}, data_of(folder, shuffle="none")
    torch.manual_seed(5)
    trainer_in(tmp_path, max_steps=3).fit(model, data)

    parameters = {name: nn.Parameter(p) for name, p in weights.items()}
    optimizer = torch.optim.Adam(parameters.values(), lr=1e-2)
    torch.manual_seed(5)
    for x, y in list(data.train_dataloader())[:3]:
        optimizer.zero_grad()
        inner = {name.removeprefix("network."): p for name, p in parameters.items()}
        logits = nn.functional.dropout(torch.func.functional_call(model.network, inner, (3 * x,)), 0.5)
        nn.functional.cross_entropy(logits, y).backward()
        optimizer.step()
    for name, p in model.named_parameters():
        torch.testing.assert_close(p, parameters[name], rtol=1e-4, atol=1e-5)


class ScaledEnsemble(Ensemble):
    def forward(self, x):
        return super().forward(3 * x)


@pytest.mark.parametrize("orders", [False, True])
def test_an_ensemble_goes_through_a_forward_of_one_s_own(folder, tmp_path, orders):
    """In training, evaluation and prediction: three times the signals are as good as data three times as large."""
    replicas = [Replica(seed=seed, shuffle_seed=seed if orders else None) for seed in range(2)]
    own, plain, data = ScaledEnsemble("mlp", replicas), Ensemble("mlp", replicas), data_of(folder)
    x, y = data.examples("train")
    for model, signals in ((own, x), (plain, 3 * x)):
        loader = TensorLoader(signals, y, batch_size=40, shuffle=True)
        trainer_in(tmp_path, max_steps=20).fit(model, loader)
    x, y = data.examples("test")
    torch.testing.assert_close(own.evaluate(x, y), plain.evaluate(3 * x, y), rtol=1e-4, atol=1e-5)
    assert torch.equal(own.predictions(x), plain.predictions(3 * x))
    torch.testing.assert_close(own(x), plain(3 * x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-mixed", "bf16-true", "64-true"])
@pytest.mark.parametrize("algorithm", ["norm", "value"])
@pytest.mark.parametrize("kind", [Classifier, Ensemble])
def test_every_precision_can_clip_gradients(folder, tmp_path, precision, algorithm, kind):
    model = kind("mlp") if kind is Classifier else kind("mlp", 2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    clip = {"gradient_clip_val": 1e-3, "gradient_clip_algorithm": algorithm}
    trainer = trainer_in(tmp_path, max_steps=2, precision=precision, enable_model_summary=True, **clip)
    trainer.fit(model, data_of(folder, val=None))
    assert trainer.global_step == 2
    assert not same(before, {name: p.detach() for name, p in model.named_parameters()})


@pytest.mark.parametrize("precision", ["32-true", "64-true"])
def test_full_precision_keeps_the_fused_optimiser(folder, tmp_path, precision):
    trainer = trainer_in(tmp_path, max_steps=1, precision=precision, gradient_clip_val=1.0)
    trainer.fit(Classifier("mlp"), data_of(folder, val=None))
    assert trainer.optimizers[0].param_groups[0]["fused"]


# The GRU by torch's older exporter: the newer one writes every point of the sequence, for ten seconds.
EXPORTS = [
    *((Classifier, "logistic", {}), (Classifier, "mlp", {}), (Classifier, "cnn", {}), (Scaled, "cnn", {})),
    (Classifier, "gru", {"dynamo": False}),
    pytest.param(Classifier, "gru", {}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("kind", "network", "keywords"), EXPORTS)
@pytest.mark.filterwarnings("ignore")
def test_onnx_without_a_sample_computes_the_logits_of_any_number_of_signals(tmp_path, network, keywords, kind):
    model = classifier(network, kind=kind).eval()
    model.to_onnx(tmp_path / "model.onnx", **keywords)
    session = ReferenceEvaluator(str(tmp_path / "model.onnx"))
    for count in (1, 2, 7):
        x = torch.randn(count, 40, generator=torch.Generator().manual_seed(count))
        (logits,) = session.run(None, {session.input_names[0]: x.numpy()})
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(logits), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", ["logistic", "mlp", "cnn", "gru"])
@pytest.mark.filterwarnings("ignore")
def test_torchscript_by_tracing_without_a_sample(network):
    model = classifier(network)
    traced, x = model.to_torchscript(method="trace"), torch.randn(7, 40)
    torch.testing.assert_close(traced(x), model(x))


class Masked(Classifier):
    """A forward pass that takes more than the signals, called by steps of its own."""

    def forward(self, x, mask):
        return self.network(x * mask)

    def minibatch_loss(self, x, y):
        return nn.functional.cross_entropy(self(x, torch.ones(40)), y)


@pytest.mark.parametrize("kind", [Masked, Scaled, Classifier])
@pytest.mark.parametrize("network", ["gru", "mlp"])
def test_the_summary_at_the_start_of_a_fit(folder, tmp_path, kind, network):
    model = classifier(network, kind=kind)
    trainer_in(tmp_path, max_steps=2, enable_model_summary=True).fit(model, data_of(folder, val=None))
    assert (model.example_input_array is None) == (kind is not Classifier)


class Augmented(MNIST1DDataModule):
    """Lightning's documented place for augmentation."""

    def on_after_batch_transfer(self, batch, dataloader_idx):
        x, y = batch
        assert y.ndim == 1  # it has been called with minibatches only
        return (x + 0.05 * torch.randn_like(x) if self.trainer.training else x), y


class AugmentedModule(Classifier):
    """The same in the module."""

    on_after_batch_transfer = Augmented.on_after_batch_transfer


@pytest.mark.parametrize(("kind", "data"), [(Classifier, Augmented), (AugmentedModule, MNIST1DDataModule)])
def test_a_hook_for_minibatches_is_not_called_with_an_example(folder, tmp_path, kind, data):
    model = classifier("mlp", kind=kind)
    trainer = trainer_in(tmp_path, max_steps=2, enable_model_summary=True)
    trainer.fit(model, data(folder, batch_size=50, val=0.2))
    assert trainer.global_step == 2
    assert model.example_input_array is None
    if kind is Classifier:
        model.to_onnx(tmp_path / "model.onnx", dynamo=False)
        assert model.trainer is trainer


def test_an_example_of_one_s_own_is_kept():
    model = Classifier("mlp", length=120).double()
    assert model.example_input_array.shape == (2, 120)
    assert model.example_input_array.dtype == torch.float64
    model.example_input_array = torch.ones(3, 120)
    assert torch.equal(model.example_input_array, torch.ones(3, 120))


class Mine(Classifier):
    """A subclass with hyperparameters of its own, saved by itself once more."""

    def __init__(self, encoder: nn.Module, *, smoothing: float = 0.1, seed: int = 7, lr: float = 1e-2) -> None:
        super().__init__(encoder, lr)
        self.save_hyperparameters()
        self.smoothing = smoothing
        self.f1 = MulticlassF1Score(10)

    def validation_step(self, batch, batch_idx):
        super().validation_step(batch, batch_idx)
        self.f1(self(batch[0]), batch[1])
        self.log("val/f1", self.f1)


def negative(x):
    return -x


class MyData(MNIST1DDataModule):
    def __init__(self, path: str, *, seed: int = 0, noise: float = 0.5, **keywords) -> None:
        super().__init__(path, seed=seed, **keywords)
        self.save_hyperparameters()
        self.noise = noise


def test_subclasses_with_hyperparameters_of_their_own(folder, tmp_path):
    """With a logger, where Lightning puts both tables into one: the two seeds differ."""
    model, data = Mine(Own(), smoothing=0.3), MyData(str(folder), noise=0.25, val="test", transform=negative)
    trainer = trainer_in(tmp_path, max_epochs=1, limit_train_batches=2, logger=loggers.CSVLogger(tmp_path, version=""))
    trainer.fit(model, data)
    assert "val/f1" in trainer.callback_metrics
    table = yaml.safe_load(next(tmp_path.rglob("hparams.yaml")).read_text())
    assert (table["seed"], table["data_seed"], table["smoothing"], table["noise"]) == (7, 0, 0.3, 0.25)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    saved = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert saved["hyper_parameters"]["encoder"] == "module:Own"
    assert saved["datamodule_hyper_parameters"]["noise"] == 0.25
    assert saved["datamodule_hyper_parameters"]["transform"] == f"{__name__}.negative"
    loaded = Mine.load_from_checkpoint(tmp_path / "a.ckpt", encoder=Own(), **SAFELY)
    assert same_weights(model, loaded)
    assert (loaded.smoothing, loaded.hparams["seed"]) == (0.3, 7)
    again = MyData.load_from_checkpoint(tmp_path / "a.ckpt", **SAFELY)
    assert (again.noise, again.path, again.val) == (0.25, str(folder), "test")


def test_length_of_the_data_is_compared(tmp_path):
    with pytest.raises(ValueError, match=r"length=40 must be 120.*Classifier\(..., length=120\)"):
        trainer_in(tmp_path, max_steps=1).fit(Classifier("cnn"), MNIST1DDataModule(name="long"))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"lr": 0.0}, "lr=0.0 must be above 0"),
        ({"steps_per_execution": 0}, 'steps_per_execution=0 must be at least 1, or "auto"'),
        ({"steps_per_execution": "many"}, "steps_per_execution='many' must be"),
        ({"network": "cnm"}, "did you mean 'cnn'"),
    ],
)
def test_errors(keywords, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**keywords)
