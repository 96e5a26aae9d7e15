"""The masked autoencoder for many replicas at once, against torch's own layers and a plain loop over one model."""

import pytest
import torch

from lightning_module import Replica
from lightning_module.datamodule import Examples
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.autoencoder.masked import LAYERS, Autoencoder, MaskedAutoencoder
from lightning_module.studies.methods.unlabelled import AUGMENTATION_SEED

WIDTHS = [40, 475, 250, 475, 40]  # of the source's layers; its encoder's end is its second convolution


def signals(n, seed):
    x = torch.randn(n, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Examples(x, torch.zeros(n, dtype=torch.int64))


def test_parameters_are_those_of_the_source_without_its_unused_layers():
    unused = (250 * 12 + 12) + (12 * 250 + 250)
    assert sum(p.numel() for p in Autoencoder().parameters()) == 10_338 - unused


@pytest.mark.parametrize("length", [40, 41, 42, 43])
def test_layers_of_all_replicas_are_those_of_torch(length):
    model = MaskedAutoencoder(0.0, 3, length=length).double()
    x = torch.randn(7, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for k in range(3):
        torch.manual_seed(k)
        alone = Autoencoder(length).double()
        ours, theirs = model.representations(k, x), alone.layers(x)
        assert len(ours) == len(theirs) == len(LAYERS)
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b.detach())
        torch.testing.assert_close(model(x)[k], alone(x))
        assert alone(x).shape == x.shape
    if length == 40:
        assert [h.shape[1] for h in ours] == WIDTHS


def plain_loop(seed, x, *, ratio, shuffle_seed, epochs, batch):
    """One model, torch's layers and our masks. Returns the model and the mean loss of each epoch."""
    torch.manual_seed(seed)
    model, generator = Autoencoder().double(), torch.Generator().manual_seed(AUGMENTATION_SEED + seed)
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=0.01), []
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(shuffle_seed + epoch))
        losses.append([])
        for rows in torch.split(order, batch):
            hidden = torch.rand(len(rows), 40, generator=generator) < ratio if ratio else torch.zeros(len(rows), 40)
            loss = ((model(x[rows].masked_fill(hidden.bool(), 0)) - x[rows]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    return model, [sum(each) / len(each) for each in losses]


@pytest.mark.parametrize("ratio", [0.0, 0.5])
@pytest.mark.parametrize("own_data", [False, True])
def test_each_replica_is_the_model_that_a_plain_loop_trains(ratio, own_data):
    sets = [signals(50, 10 + k) for k in range(2)]
    replicas = [Replica(seed=k, shuffle_seed=100 * k, data=sets[k] if own_data else None) for k in range(2)]
    model = MaskedAutoencoder(ratio, replicas).double()
    fit(model, sets[0], steps=6, batch_size=20, shuffle=True)  # two epochs, the last minibatch of each has 10
    for k in range(2):
        x = sets[k if own_data else 0].x
        alone, losses = plain_loop(k, x, ratio=ratio, shuffle_seed=100 * k, epochs=2, batch=20)
        for name, parameter in alone.named_parameters():
            torch.testing.assert_close(model.network.get_parameter(name)[k], parameter, rtol=1e-7, atol=1e-9)
        assert [float(epoch[k]) for epoch in model.epoch_losses] == pytest.approx(losses)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"mask_ratio": 1.0}, "mask_ratio=1.0 must be in 0 <= mask_ratio < 1"),
        ({"replicas": []}, "must be at least one"),
        ({"replicas": [Replica(seed=0, label_noise=0.1)]}, "label_noise=0.1 of replica 0 is not for MaskedAutoencoder"),
    ],
)
def test_arguments_out_of_range_are_explained(arguments, says):
    with pytest.raises(ValueError, match=says):
        MaskedAutoencoder(**arguments)
