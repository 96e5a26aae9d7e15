"""The families of networks: parameters as published, groups of widths, and the batched form against plain modules."""

import pytest
import torch
from torch import nn

from lightning_module.batched.logits import batched_logits
from lightning_module.networks import count_parameters
from lightning_module.studies.double_descent.published import WIDTHS
from lightning_module.studies.methods.networks.families import FAMILIES, side_by_side
from lightning_module.studies.methods.networks.hidden_layers import HiddenLayers


@pytest.mark.parametrize(
    ("family", "width", "parameters"),
    [("mlp", 2, 118), ("mlp", 300, 105_610), ("one-hidden", 190, 9700), ("cnn", 25, 5210), ("cnn", 37, 10_370)],
)
def test_published_numbers_of_parameters(family, width, parameters):
    assert FAMILIES[family].parameters(width, 10) == parameters
    assert count_parameters(FAMILIES[family].of_width()(width=width)) == parameters


@pytest.mark.parametrize("classes", [2, 5, 10])
@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_and_products_are_those_of_the_module(family, classes):
    of = FAMILIES[family]
    for width in (1, 7):
        network = of.of_width(classes)(width=width)
        assert count_parameters(network) == of.parameters(width, classes)
        products = 0

        def count(module, _, output):
            nonlocal products
            products += module.weight.numel() * (output[0].numel() // module.weight.shape[0])

        for module in network.modules():
            if isinstance(module, nn.Linear | nn.Conv1d):
                module.register_forward_hook(count)
        network(torch.randn(1, 40))
        assert of.products(width, classes) == products


@pytest.mark.parametrize("family", FAMILIES)
def test_nearest_width(family):
    of = FAMILIES[family]
    for wanted in (50, 333, 4000, 20_000):
        width = of.width_near(wanted)
        apart = {w: max(of.parameters(w, 10) / wanted, wanted / of.parameters(w, 10)) for w in range(1, 450)}
        assert width == min(apart, key=apart.get)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_batched_hidden_layers_are_the_plain_ones(depth):
    networks = [HiddenLayers(6, depth=depth, num_classes=4).double() for _ in range(3)]
    x = torch.randn(5, 40, dtype=torch.float64)
    parameters = {name: torch.stack([dict(n.named_parameters())[name] for n in networks]) for name, _ in networks[0].named_parameters()}  # fmt: skip  # noqa: E501
    logits = batched_logits(networks[0])(parameters, x)
    torch.testing.assert_close(logits.transpose(1, 2), torch.stack([network(x) for network in networks]))


def test_a_network_without_units_is_refused():
    with pytest.raises(ValueError, match="width=0"):
        HiddenLayers(0)


def test_widths_side_by_side_are_all_widths_once_and_bearable():
    groups = list(side_by_side(WIDTHS, lambda width: width**2, most=20_000))
    assert [width for group in groups for width in group] == list(WIDTHS)
    for group in groups:
        assert len(group) == 1 or len(group) * group[-1] ** 2 <= 20_000
    assert len(groups[0]) > 5  # small ones cost nothing beside an ensemble more
    assert groups[-1] == (300,)
