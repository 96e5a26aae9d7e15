import warnings

import numpy as np
import pytest
import torch
from fits import classifier, data_of, trainer_in

import mnist1d_hf
from lightning_module import MNIST1DDataModule


def test_splits_are_the_generated_arrays():
    data = MNIST1DDataModule(val="test")
    arrays = mnist1d_hf.make_mnist1d()
    for split, expected in (("train", arrays.train), ("test", arrays.test), ("val", arrays.test)):
        x, y = data.examples(split)
        assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
        np.testing.assert_array_equal(x.numpy(), expected.x.astype(np.float32))
        np.testing.assert_array_equal(y.numpy(), expected.y)
    assert (data.length, data.num_classes) == (40, 10)
    assert len(data.train_dataloader()) == 40


def test_held_out_examples_are_held_out():
    data, again, other = MNIST1DDataModule(), MNIST1DDataModule(), MNIST1DDataModule(seed=1)
    train, val = data.examples("train"), data.examples("val")
    assert (len(train.x), len(val.x)) == (3200, 800)
    everything = torch.cat([train.x, val.x])
    reference = MNIST1DDataModule(val=None).examples("train").x
    assert len(everything.unique(dim=0)) == len(reference.unique(dim=0)) == 4000
    assert torch.equal(everything.unique(dim=0), reference.unique(dim=0))
    assert torch.equal(val.x, again.examples("val").x)
    assert not torch.equal(val.x, other.examples("val").x)
    assert torch.equal(data.examples("test").x, other.examples("test").x)


def test_recipe_changes_the_data():
    data = MNIST1DDataModule(recipe={"num_samples": 600, "final_seq_length": 24}, val="test")
    assert data.examples("train").x.shape == (480, 24)
    assert data.state_dict()["config_id"] != "default"


def test_orders(folder):
    natural = data_of(folder, shuffle="none")
    assert torch.equal(next(iter(natural.train_dataloader()))[1], natural.examples("train").y[:40])
    shuffled = data_of(folder, seed=4)
    order = torch.randperm(1440, generator=torch.Generator().manual_seed(4))
    assert torch.equal(next(iter(shuffled.train_dataloader()))[1], shuffled.examples("train").y[order[:40]])


def test_evaluation_is_one_piece(folder):
    data = data_of(folder)
    assert [len(batch[0]) for batch in data.test_dataloader()] == [200]
    assert data_of(folder, val=None).val_dataloader() == []


def test_without_validation(folder, tmp_path):
    trainer = trainer_in(tmp_path, max_epochs=1)
    trainer.fit(classifier(), data_of(folder, val=None))
    assert trainer.global_step == 36


def test_global_random_state_stays(folder):
    before = torch.get_rng_state()
    data = data_of(folder, val=0.5)
    list(data.train_dataloader())
    assert torch.equal(before, torch.get_rng_state())


def test_checkpoint_of_other_data_is_noticed(folder, tmp_path):
    trainer = trainer_in(tmp_path, max_steps=1)
    trainer.fit(classifier(), data_of(folder))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    saved = torch.load(tmp_path / "a.ckpt", weights_only=True)["MNIST1DDataModule"]
    assert saved == {"path": str(folder), "config_id": "default", "version": "0.0.0"}
    now = f"'version': '{mnist1d_hf.DATA_VERSION}'"
    with pytest.warns(UserWarning, match=f"trained on the data .* now there are .*{now}"):
        MNIST1DDataModule().load_state_dict(saved)


def test_checkpoint_of_the_same_records_under_another_version_is_none_of_other_data():
    module = MNIST1DDataModule(name="train-1k")
    module.examples("test")
    saved, major = module.state_dict(), int(mnist1d_hf.DATA_VERSION.split(".")[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module.load_state_dict(saved | {"version": f"{major}.77.0"})
    for other in ({"version": f"{major + 1}.0.0"}, {"version": f"{major}.77.0", "config_id": "long"}):
        with pytest.warns(UserWarning, match="trained on the data"):
            module.load_state_dict(saved | other)


def test_plot(folder):
    figure = data_of(folder).plot("test", count=10)
    assert len(figure.axes) >= 10


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"val": 1.5}, 'val=1.5 must be a fraction between 0 and 1, "test"'),
        ({"val": 0}, "val=0 must be a fraction"),
        ({"val": "train"}, "val='train' must be a fraction"),
        ({"shuffle": True}, 'shuffle=True must be "epoch"'),
        ({"path": "somewhere", "recipe": {"seed": 1}}, 'needs path="mnist1d"'),
    ],
)
def test_arguments_are_checked(keywords, message):
    with pytest.raises(ValueError, match=message):
        MNIST1DDataModule(**keywords)


def test_data_are_checked(folder, tmp_path):
    with pytest.raises(ValueError, match=r'split=.validation. must be "train"'):
        data_of(folder).examples("validation")
    with pytest.raises(ValueError, match="leaves one part empty"):
        data_of(folder, val=1e-9).examples("val")
    with pytest.raises(ValueError, match='val=None leaves no split "val"'):
        data_of(folder, val=None).examples("val")
    with pytest.raises(ValueError, match="iid_noise"):
        MNIST1DDataModule(recipe={"iid_noise": 1.0}).examples("train")
