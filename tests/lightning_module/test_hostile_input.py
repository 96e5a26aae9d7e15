"""Whatever an argument is given: it works, or the error names the argument, the value in short, and what is allowed."""

import inspect
import re
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile import odd, values

from lightning_module import Classifier, Ensemble, MNIST1DDataModule, Replica, TensorLoader, make_network
from lightning_module.cli import main
from mnist1d_hf import checks

LONGEST = 1500
X, Y = torch.zeros(20, 40), torch.zeros(20, dtype=torch.int64)
CALLS = {
    "Classifier": (Classifier, {"network": "logistic"}),
    "Ensemble": (Ensemble, {"network": "logistic", "replicas": 2}),
    "Replica": (Replica, {}),
    "MNIST1DDataModule": (MNIST1DDataModule, {}),
    "TensorLoader": (TensorLoader, {"x": X, "y": Y, "batch_size": 5}),
    "make_network": (make_network, {"name": "logistic"}),
}
# What a message may speak of in place of the argument.
ALSO = {
    "name": "network",
    "world_size": "rank",
    "rank": "world_size",
    "momentum": "optimizer",
    "y": "rows",
    "x": "rows",
}
UNCHECKED = {("TensorLoader", "device"), ("TensorLoader", "transform")}  # which the data module sets
ARGUMENTS = [
    (name, argument)
    for name, (call, _) in CALLS.items()
    for argument in inspect.signature(call).parameters
    if (name, argument) not in UNCHECKED
]


def told(name, argument, value):
    """Whether the call refuses the value; then by an error that tells the argument."""
    call, others = CALLS[name]
    try:
        call(**{**others, argument: value})
    except ValueError as error:
        message = str(error)
    else:
        return False
    assert re.search(rf"\b{argument}\b|\b{ALSO.get(argument, argument)}\b", message), message
    assert len(message) <= LONGEST
    assert message.isprintable()
    return True


def too_many(argument, value):
    """Whether the test itself has no time for what the value asks for, or it is a function, which fails by itself."""
    if argument == "network" and callable(value):
        return True
    number = checks._integer(value)
    return argument in {"length", "num_classes", "replicas"} and number is not None and number > 1000


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_an_argument_takes_or_names_every_odd_value(name, argument):
    refused = [told(name, argument, value) for value in odd() if not too_many(argument, value)]
    assert sum(refused) > len(refused) / 3  # most of them are odd for anything


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(ARGUMENTS), values())
def test_an_argument_takes_or_names_any_value(chosen, value):
    name, argument = chosen
    if not too_many(argument, value):
        told(name, argument, value)


def test_what_is_taken_is_kept_as_a_plain_number():
    import numpy as np

    module = Classifier("logistic", lr=np.float32(0.5), length=np.int64(40))
    assert [type(module.hparams[name]) for name in ("lr", "length")] == [float, int]
    data = MNIST1DDataModule(batch_size=np.int64(10), seed=torch.tensor(3), val=np.float32(0.25))
    assert [type(data.hparams[name]) for name in ("batch_size", "seed", "val")] == [int, int, float]


@pytest.mark.parametrize("name", ["logistic", "mlp", "cnn", "gru"])
def test_a_network_that_no_memory_holds_is_refused_before_it_is_made(name):
    with pytest.raises(
        ValueError, match=rf"network='{name}' with length=10+ and .* GB of memory, and this machine has"
    ):
        make_network(name, length=10**11)
    with pytest.raises(ValueError, match="GB of memory"):
        Classifier(name, num_classes=10**12)


# The command line and YAML

FAST = ["fit", "--config", "logistic.yaml", "--trainer.fast_dev_run=true"]
TYPED = ["", "nan", "inf", "-inf", "1e999", "-1", "0", "1e400", "0x10", "[1, 2]", "{}", "null", "true", "x", "\x1b[31m"]
TYPED += [str(10**400), "1+2j", "'", "!!python/object:os.system", "&a [*a]", "\udcff"]
OPTIONS = ["model.network", "model.lr", "model.steps_per_execution", "data.name", "data.batch_size", "data.val"]
OPTIONS += ["data.shuffle", "data.seed", "data.drop_last", "data.recipe", "data.revision", "data.eval_batch_size"]
OPTIONS += ["data.classes"]


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_takes_or_names_an_odd_text(option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    turn = OPTIONS.index(option)
    assert_taken_or_named(option, [f"--{option}={TYPED[turn % len(TYPED)]}"], capsys)
    assert_taken_or_named(option, [f"--{option}={10**400}"], capsys)
    assert_taken_or_named(option, in_yaml(option, TYPED[(3 * turn) % len(TYPED)]), capsys)


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_takes_or_names_every_odd_text(option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for typed in TYPED:
        assert_taken_or_named(option, [f"--{option}={typed}"], capsys)
        assert_taken_or_named(option, in_yaml(option, typed), capsys)


def in_yaml(option, typed):
    group, name = option.split(".")
    Path("own.yaml").write_text(f"{group}:\n  {name}: {typed}\n", encoding="utf-8", errors="replace")
    return ["--config", "own.yaml"]


def said(error):
    """The last line, but for the one that says where to read more."""
    return [line for line in error.splitlines() if not line.startswith("see mnist1d ")][-1]


def assert_taken_or_named(option, arguments, capsys):
    try:
        status = main([*FAST, *arguments])
    except SystemExit as stopped:
        status = stopped.code
    error = capsys.readouterr().err
    assert status in {0, 2}, (arguments, error)
    assert "Traceback" not in error
    if status == 2:
        last = said(error)
        assert last.startswith("error: "), (arguments, error)
        # a module of torch's that has nothing to train is refused by torch
        known = (option.rpartition(".")[2], "config", "own.yaml", "parameter list")
        assert any(name in last for name in known), (arguments, last)


DATA = ["num-samples", "train-split", "padding", "seed", "label-noise", "shuffle-seq", "stream", "latents"]


@pytest.mark.parametrize("option", DATA)
def test_a_number_of_a_recipe_is_taken_or_named_as_it_is_typed(option, capsys):
    for typed in TYPED:
        try:
            status = main(["data", "info", f"--{option}={typed}"])
        except SystemExit as stopped:
            status = stopped.code
        error = capsys.readouterr().err
        assert status in {0, 2}
        if status == 2:
            assert said(error).startswith((f"error: --{option}=", f"error: --{option}:")), (typed, error)
