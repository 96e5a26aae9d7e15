"""What must not matter: the order of the points, the normalisation, who computes, and in which company."""

import datasets
import numpy as np
import pytest

from mnist1d_hf import MNIST1D, RECIPES, as_numpy, make_mnist1d, make_slice
from mnist1d_hf.bayes import log_evidence, log_posterior, problem

FEW = {"padding": (40, 42), "max_translation": 12, "iid_noise_scale": 0.1}


@pytest.mark.parametrize("stream", ["reference", "fast"])
def test_an_order_that_is_not_undone_is_found(stream, monkeypatch):
    def unordered(recipe, stream, curves):
        return *constants(recipe, stream, curves)[:2], np.arange(recipe.final_seq_length)

    constants = problem._constants.__wrapped__
    monkeypatch.setattr(problem, "_constants", unordered)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        test_permuted_and_flipped_points_say_the_same(stream)


@pytest.mark.parametrize("stream", ["reference", "fast"])
def test_permuted_and_flipped_points_say_the_same(stream):
    """The configs differ in the order of the points alone, and each undoes its own."""
    kept, *others = [
        log_posterior(
            make_mnist1d(name, stream=stream, num_samples=100, **FEW).test.x,
            name,
            stream=stream,
            num_samples=100,
            **FEW,
        )
        for name in ("default", "shuffled", "flipped")
    ]
    for other in others:
        np.testing.assert_allclose(other, kept, atol=2e-4 if stream == "fast" else 1e-9)  # float32 of another order


def test_a_permutation_of_ones_own_is_undone():
    data = make_mnist1d(num_samples=50, **FEW)
    order = np.random.default_rng(0).permutation(40)
    kept = log_posterior(data.test.x, num_samples=50, **FEW)
    np.testing.assert_allclose(log_posterior(data.test.x[:, order], permutation=order, num_samples=50, **FEW), kept)
    with_flip = {"permutation": order, "flip_seq": True, "num_samples": 50, **FEW}
    np.testing.assert_allclose(log_posterior(data.test.x[:, order], **with_flip), kept)


def test_other_constants_say_the_same_and_change_the_density():
    data = make_mnist1d(num_samples=50, **FEW)
    x, raw = data.test.x, data.test.x * data.std + data.mean
    own = {"mean": 0.3, "std": 0.5, **FEW}
    np.testing.assert_allclose(
        log_posterior((raw - 0.3) / 0.5, **own), log_posterior(x, num_samples=50, **FEW), rtol=1e-9
    )
    ratio = log_evidence((raw - 0.3) / 0.5, **own) - log_evidence(x, num_samples=50, **FEW)
    np.testing.assert_allclose(ratio, 40 * np.log(0.5 / data.std))


def test_two_workers_give_the_bits_of_one():
    x = make_slice("default", "test", 0, 200, **FEW).x
    one, two = (log_posterior(x, stream="fast", workers=workers, **FEW) for workers in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_company_does_not_matter():
    x = make_slice("default", "test", 0, 70, **FEW).x
    together = log_posterior(x, stream="fast", **FEW)
    alone = np.concatenate([log_posterior(x[i : i + 1], stream="fast", **FEW) for i in (0, 5, 69)])
    np.testing.assert_allclose(together[[0, 5, 69]], alone, rtol=1e-9)
    assert log_posterior(x[:0], stream="fast", **FEW).shape == (0, 10)


def test_single_precision_does_not_matter():
    x = make_mnist1d().test.x[:100]
    exact, rounded = log_posterior(x), log_posterior(x.astype(np.float32))
    assert np.abs(np.exp(exact) - np.exp(rounded)).max() < 1e-5


def test_a_data_set_its_column_and_its_arrays_are_the_same(cache):
    builder = MNIST1D(config_name="no-shift", num_samples=50)
    builder.download_and_prepare()
    dataset = builder.as_dataset(split="test")
    assert isinstance(dataset, datasets.Dataset)
    arrays = as_numpy(dataset)["x"]
    expected = log_posterior(arrays, "no-shift", num_samples=50)
    for same in (dataset, dataset["x"], arrays.astype(float), arrays.tolist()):
        np.testing.assert_array_equal(log_posterior(same, "no-shift", num_samples=50), expected)


def test_named_configs_are_undone_by_their_own_constants():
    """The most probable digit is the true one wherever noise is low: stream, permutation and constants are right."""
    for name, named in RECIPES.items():
        few = {"num_samples": 100, "train_split": 0.5}
        if 0 < named.recipe.iid_noise_scale < 0.05 and name not in {"train-10k", "train-20k", "train-50k"}:
            data = make_mnist1d(name, **few)
            assert (log_posterior(data.train.x[:20], name, **few).argmax(1) == data.train.y_clean[:20]).all(), name
