import pytest
import torch
from alike import assert_same_logits_and_gradients
from torch import nn

from lightning_module.networks import count_parameters
from lightning_module.studies.methods.networks.image_cnn import ImageCNN

SHAPES = {(28, 28, 1): 6_266, (32, 32, 3): 6_666, (8, 8, 1): 4_346}


@pytest.mark.parametrize(("shape", "count"), SHAPES.items())
def test_parameter_counts_are_those_in_the_docstring(shape, count):
    assert count_parameters(ImageCNN(shape)) == count
    assert f"{count:,}" in ImageCNN.__doc__


@pytest.mark.parametrize("shape", SHAPES)
def test_is_the_plain_sequence_of_layers(shape):
    torch.manual_seed(0)
    network = ImageCNN(shape)
    torch.manual_seed(0)
    first = 2 if shape[0] > 8 else 1
    reference = nn.Sequential(
        *(nn.Conv2d(shape[2], 8, 5, first, 1), nn.ReLU()),
        *(nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU()),
        *(nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(64 if shape[0] == 8 else 256, 10)),
    )
    images = torch.rand(3, *shape)  # as files have them: channels last
    expected = reference(images.permute(0, 3, 1, 2))
    torch.testing.assert_close(network(images.flatten(1)), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shared", [True, False])
def test_replicas_have_the_logits_and_gradients_of_single_networks(shared):
    assert_same_logits_and_gradients(lambda: ImageCNN((8, 8, 1), 4), shared=shared, length=64)
