"""The batched formulations of the networks of `prior_networks` against the modules, one at a time."""

from functools import partial

import pytest
from alike import assert_replicas_are_the_models_trained_alone, assert_same_logits_and_gradients

from lightning_module.studies.methods.networks.priors import PRIORS, Transformer


@pytest.mark.parametrize("shared", [True, False], ids=["shared signals", "own signals"])
@pytest.mark.parametrize("length", [3, 40, 41])
@pytest.mark.parametrize("name", PRIORS)
def test_logits_and_gradients_are_those_of_single_networks(name, length, shared):
    assert_same_logits_and_gradients(partial(PRIORS[name], length), length=length, shared=shared)


def test_another_transformer():
    make = partial(Transformer, 12, 3, size=6, layers=3, heads=3, hidden_size=5)
    assert_same_logits_and_gradients(make, length=12, shared=True)


@pytest.mark.parametrize("name", PRIORS)
def test_replica_is_the_model_trained_alone(folder, tmp_path, name):
    assert_replicas_are_the_models_trained_alone(PRIORS[name], folder, tmp_path)
