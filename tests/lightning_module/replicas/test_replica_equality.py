"""Every replica of an ensemble is, in float32 and to the bit, the model that Classifier trains alone.

On any number of threads, also on more than there are processors: these tests ask for it, whatever machine they run on.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from fits import data_of, same_weights, trainer_in
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_module import MLP, NETWORKS, Classifier, Ensemble, Replica, TensorLoader, noisy_labels
from lightning_module.network_registry import ALSO_ALONE

PACKAGED = [name for name, network in NETWORKS.items() if network in ALSO_ALONE]  # those that promise it


class Single(Classifier):
    """A classifier with the weight decay and the mask that a replica can have."""

    def __init__(self, network: Any, replica: Replica, kind: Any = torch.optim.Adam) -> None:
        super().__init__(network, lr=replica.lr)
        self.replica, self.kind = replica, kind

    def configure_optimizers(self):
        optimizer = self.kind(self.parameters(), lr=self.lr, weight_decay=self.replica.weight_decay, fused=True)
        optimizer.register_step_post_hook(lambda *_: self.apply_mask())
        return optimizer

    @torch.no_grad()
    def apply_mask(self) -> None:
        for name, kept in (self.replica.mask or {}).items():
            self.network.get_parameter(name).mul_(kept)


def alone(network: Any, replica: Replica, kind: Any = torch.optim.Adam) -> Single:
    torch.manual_seed(replica.seed)
    model = Single(network() if callable(network) else network, replica, kind)
    model.apply_mask()
    return model


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Sets torch's number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def on_one_thread() -> Callable[..., torch.nn.Module]:
    """Returns a network that was trained alone on one thread; those of the same key are trained once for all tests."""
    known: dict[Any, torch.nn.Module] = {}

    def trained(train: Callable[[], torch.nn.Module], *key: Any) -> torch.nn.Module:
        if key not in known:
            before = torch.get_num_threads()
            torch.set_num_threads(1)
            known[key] = train()
            torch.set_num_threads(before)
        return known[key]

    return trained


@pytest.mark.parametrize(("threads", "count"), [(1, 12), (2, 12), (2, 1), (4, 3), (8, 5)], indirect=["threads"])
@pytest.mark.parametrize("network", PACKAGED)
def test_each_replica(folder, tmp_path, on_one_thread, network, count, threads):
    """Classifier as it is: its own optimiser and loss. The last one is trained on as many threads as well."""
    data = partial(data_of, folder, batch_size=100)
    ensemble = Ensemble(network, count)
    trainer_in(tmp_path, max_steps=50).fit(ensemble, data())

    def trained(k: int) -> torch.nn.Module:
        torch.manual_seed(k)
        model = Classifier(network)
        trainer_in(tmp_path, max_steps=50).fit(model, data())
        return model.network

    for k in range(count):
        assert same_weights(ensemble.replica(k).network, on_one_thread(partial(trained, k), network, k))
    assert same_weights(ensemble.replica(count - 1).network, trained(count - 1))


@pytest.mark.parametrize("steps", ["auto", 1])
@pytest.mark.parametrize("network", PACKAGED)
def test_threads_do_not_matter(folder, tmp_path, network, steps):
    def trained(count: int) -> Classifier:
        torch.set_num_threads(count)
        try:
            torch.manual_seed(0)
            model = Classifier(network, steps_per_execution=steps)
            trainer_in(tmp_path, max_steps=20).fit(model, data_of(folder))
        finally:
            torch.set_num_threads(1)
        return model

    one, *others = (trained(count) for count in (1, 2, 3, 8))
    assert all(same_weights(one.network, other.network) for other in others)


@pytest.mark.parametrize(
    ("network", "optimizer", "threads"),
    [*((network, "adam", 1) for network in PACKAGED), ("mlp", "adamw", 1), ("mlp", "adam", 2), ("cnn", "adam", 2)],
    indirect=["threads"],
)
def test_each_with_settings_of_its_own(folder, tmp_path, on_one_thread, network, optimizer, threads):
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    first = next(name for name, _ in Classifier(network).network.named_parameters())
    shape = Classifier(network).network.get_parameter(first).shape
    mask = {first: torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.5}
    rates, decays, noises = (1e-2, 3e-3, 7e-3), (0.0, 0.1, 1e-3, 0.0), (0.0, 0.0, 0.3, 0.0, 0.0)
    replicas = [
        Replica(
            seed=k,
            lr=rates[k % 3],
            weight_decay=decays[k % 4],
            label_noise=noises[k % 5],
            shuffle_seed=k % 2,
            mask=mask if k % 6 == 5 else None,
        )
        for k in range(12)
    ]
    ensemble = Ensemble(network, replicas, optimizer=optimizer)
    trainer_in(tmp_path, max_steps=50).fit(ensemble, data_of(folder))
    x, y = data_of(folder).examples("train")

    def trained(k: int) -> torch.nn.Module:
        labels = noisy_labels(y, replicas[k].label_noise, seed=k)
        loader = TensorLoader(x, labels, batch_size=40, shuffle=True, seed=k % 2)
        model = alone(network, replicas[k], kind)
        trainer_in(tmp_path, max_steps=50).fit(model, loader)
        return model.network

    for k in range(len(replicas)):
        assert same_weights(ensemble.replica(k).network, on_one_thread(partial(trained, k), network, optimizer, k))
    assert same_weights(ensemble.replica(11).network, trained(11))


def test_another_width(folder, tmp_path):
    make = partial(MLP, hidden_size=30)
    ensemble = Ensemble(make, 5)
    trainer_in(tmp_path, max_steps=50).fit(ensemble, data_of(folder))
    for k, replica in enumerate(ensemble.replicas):
        model = alone(make, replica)
        trainer_in(tmp_path, max_steps=50).fit(model, data_of(folder))
        assert same_weights(ensemble.replica(k).network, model.network)


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(12, 130))
@pytest.mark.parametrize("network", PACKAGED)
def test_gradients_do_not_depend_on_the_replicas(network, rows):
    """In minibatches of fewer than 12 they can; the products begin at places in the memory that MKL treats apart."""
    ensemble, x, y = Ensemble(network, 4), torch.randn(rows, 40), torch.randint(10, (rows,))
    singles = [ensemble.replica(k) for k in range(4)]
    for model in (ensemble, *singles):
        model.minibatch_loss(x, y).backward()
    for name, stacked in ensemble.network.named_parameters():
        for k, single in enumerate(singles):
            assert torch.equal(stacked.grad[k], single.network.get_parameter(name).grad)
