"""SimCLR for many replicas at once, against torch's own layers and a plain loop over one model and one signal."""

import math

import pytest
import torch
from fits import SAFELY, same_weights, trainer_in
from torch.nn import functional

from lightning_module import Replica
from lightning_module.datamodule import Examples
from lightning_module.loop.loader import TensorLoader
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.simclr.augmentations import draw
from lightning_module.studies.methods.simclr.encoder import (
    PROJECTORS,
    Encoder,
    SimCLR,
    info_nce,
    layer_names,
)
from lightning_module.studies.methods.unlabelled import AUGMENTATION_SEED
from lightning_module.twin import pl

WIDTHS = {"default": [40, 475, 250, 125, 125, 16], "none": [40, 475, 250, 125], "deep": [40, 475, 250, 125, 125, 125]}


def signals(n, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return Examples(torch.randn(n, 40, generator=generator, dtype=dtype), torch.zeros(n, dtype=torch.int64))


@pytest.mark.parametrize(("projector", "count"), [("default", 21_716), ("none", 3_950), ("deep", 53_216)])
def test_parameters_are_as_many_as_published(projector, count):
    assert sum(p.numel() for p in Encoder(projector).parameters()) == count


@pytest.mark.parametrize("projector", PROJECTORS)
def test_layers_of_all_replicas_are_those_of_torch(projector):
    model, x = SimCLR(projector, 3).double(), signals(7, 0).x
    for k in range(3):
        torch.manual_seed(k)
        encoder = Encoder(projector).double()
        ours, theirs = model.representations(k, x), encoder.layers(x)
        assert [h.shape[1] for h in ours][:6] == WIDTHS[projector]
        assert len(ours) == len(theirs) == len(layer_names(projector))
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b.detach())
        torch.testing.assert_close(model(x)[k], encoder(x))
        assert (theirs[-1] < 0).any() == bool(PROJECTORS[projector])  # only the output of a head is not rectified


def test_the_loss_is_the_cross_entropy_of_cosines():
    z1, z2 = torch.randn(2, 3, 16, 10, generator=torch.Generator().manual_seed(0)).double()
    losses = info_nce(z1, z2, temperature=0.5)
    for k in range(3):
        cosines = functional.cosine_similarity(z1[k].t()[:, None], z2[k].t()[None], dim=2)
        torch.testing.assert_close(losses[k], functional.cross_entropy(cosines / 0.5, torch.arange(10)))
    torch.testing.assert_close(
        info_nce(torch.ones(1, 4, 100), torch.ones(1, 4, 100), temperature=0.5)[0].item(), math.log(100)
    )


def plain_loop(projector, seed, x, *, shuffle_seed, lr, epochs, batch):
    """One model, one signal at a time: the published loop with our draws. Returns the model and the loss by epoch."""
    torch.manual_seed(seed)
    encoder, generator = Encoder(projector).double(), torch.Generator().manual_seed(AUGMENTATION_SEED + seed)
    optimizer, losses = torch.optim.Adam(encoder.parameters(), lr=lr), []
    t = torch.arange(40, dtype=torch.float64) - 19.5

    def view(signal, shift, slope, offset):
        fitted = (signal * t).sum() / (t * t).sum()
        return torch.roll(signal - signal.mean() - fitted * t, int(shift)) + slope * t + offset

    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(shuffle_seed + epoch))
        losses.append([])
        for rows in torch.split(order, batch):
            draws = draw(2, len(rows), generator=generator)
            z1, z2 = (
                functional.normalize(
                    encoder(torch.stack([view(x[row], *(d[v, i] for d in draws)) for i, row in enumerate(rows)]))
                )
                for v in range(2)
            )
            loss = functional.cross_entropy(z1 @ z2.t() / 0.5, torch.arange(len(rows)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    return encoder, [sum(each) / len(each) for each in losses]


@pytest.mark.parametrize("own_data", [False, True])
@pytest.mark.parametrize("projector", PROJECTORS)
def test_each_replica_is_the_model_that_a_plain_loop_trains(projector, own_data):
    sets = [signals(50, 10 + k) for k in range(2)]
    replicas = [
        Replica(seed=k, lr=0.01 / (1 + k), shuffle_seed=100 * k, data=sets[k] if own_data else None) for k in range(2)
    ]
    model = SimCLR(projector, replicas).double()
    fit(model, sets[0], steps=6, batch_size=20, shuffle=True)  # two epochs, the last minibatch of each has 10
    for k in range(2):
        x = sets[k if own_data else 0].x
        encoder, losses = plain_loop(projector, k, x, shuffle_seed=100 * k, lr=0.01 / (1 + k), epochs=2, batch=20)
        for name, parameter in encoder.named_parameters():
            torch.testing.assert_close(model.network.get_parameter(name)[k], parameter, rtol=1e-7, atol=1e-9)
        assert [float(epoch[k]) for epoch in model.epoch_losses] == pytest.approx(losses)


def test_a_checkpoint_goes_on_with_the_same_augmentations(tmp_path):
    data = signals(40, 0, torch.float32)

    def trainer(epochs):
        return trainer_in(tmp_path, max_epochs=epochs)

    def loader():
        return TensorLoader(data.x, data.y, batch_size=20, shuffle=True)

    whole, half, resumed = SimCLR("none", 2), SimCLR("none", 2), SimCLR("none", 2)
    trainer(2).fit(whole, loader())
    first = trainer(1)
    first.fit(half, loader())
    first.save_checkpoint(tmp_path / "half.ckpt")
    trainer(2).fit(resumed, loader(), ckpt_path=tmp_path / "half.ckpt", **SAFELY)
    assert same_weights(whole, resumed)
    assert not same_weights(whole, half)


def test_single_steps_are_the_same(tmp_path):
    data, trained = signals(40, 0, torch.float32), []
    for steps in ("auto", 1):
        model = SimCLR("default", 2, steps_per_execution=steps)
        trainer: pl.Trainer = trainer_in(tmp_path, max_epochs=1)
        trainer.fit(model, TensorLoader(data.x, data.y, batch_size=20))
        trained.append(model)
    assert same_weights(*trained)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"projector": "shallow"}, "must be one of 'default', 'none', 'deep'"),
        ({"temperature": 0.0}, "must be above 0"),
        ({"replicas": []}, "at least one"),
        ({"replicas": [Replica(label_noise=0.1)]}, "label_noise=0.1 of replica 0 is not for SimCLR"),
        ({"replicas": [Replica(points=range(40))]}, "points"),
    ],
)
def test_arguments_out_of_range_are_explained(arguments, says):
    with pytest.raises(ValueError, match=says):
        SimCLR(**arguments)
