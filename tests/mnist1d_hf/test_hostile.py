"""Whatever a field is given: it works, or the error names the field, the value in short, and what is allowed."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile import Failing, odd, values

import mnist1d_hf
from mnist1d_hf import MNIST1D, MNIST1DConfig, Recipe, RecipeError, checks, make_mnist1d, make_slice
from mnist1d_hf.checks import shown
from mnist1d_hf.generator.recipe import FIELD_NAMES
from mnist1d_hf.hub.export import export
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.hub.push import push

SMALL = {"num_samples": 20, "final_seq_length": 8}
LONGEST = 1500  # characters of a message
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def assert_tells(error, name):
    """The message is one bounded line that begins with the field, or speaks of it."""
    text = str(error)
    assert re.search(name, text), text
    assert len(text) <= LONGEST, len(text)
    assert text.isprintable(), text


def tried(name, call, *, error=ValueError):
    """What the call returns; None where it raises an error that tells the field."""
    try:
        return call()
    except error as told:
        assert_tells(told, name)
    return None


@pytest.mark.parametrize("field", FIELD_NAMES)
def test_a_field_of_a_recipe_takes_or_names_every_odd_value(field):
    for value in odd():
        recipe = tried(field, lambda value=value: Recipe(**{field: value}), error=RecipeError)
        if recipe is not None:
            assert type(getattr(recipe, field)) is type(getattr(Recipe(), field))
            assert Recipe(**{field: getattr(recipe, field)}) == recipe  # it is the plain number now
            assert hash(recipe) is not None


@MANY
@given(st.sampled_from(FIELD_NAMES), values())
def test_a_field_of_a_recipe_takes_or_names_any_value(field, value):
    recipe = tried(field, lambda: Recipe(**{field: value}), error=RecipeError)
    assert recipe is None or Recipe(**{field: getattr(recipe, field)}) == recipe


CALLS = {
    "make_mnist1d": (
        lambda **keywords: make_mnist1d(**{"recipe": Recipe(**SMALL), **keywords}),
        ("recipe", "stream", "trace", "latents", "dtype", "templates", *FIELD_NAMES),
    ),
    "make_slice": (
        lambda **keywords: make_slice(**{"recipe": "default", "split": "train", "start": 0, "stop": 3, **keywords}),
        ("recipe", "split", "start", "stop", "trace", "latents", *FIELD_NAMES),
    ),
    "MNIST1D": (lambda **keywords: MNIST1D(**keywords), ("config_name", "stream", "latents", *FIELD_NAMES)),
    "MNIST1DConfig": (lambda **keywords: MNIST1DConfig(**keywords), ("name", "recipe", "stream", "latents")),
    "as_numpy": (mnist1d_hf.as_numpy, ("dataset",)),
}
# What a message may speak of instead of the keyword.
ALSO = {"config_name": "config", "recipe": "config", "name": "config", "start": "stop", "stop": "start"}


@pytest.mark.parametrize(("name", "keyword"), [(name, key) for name, (_, keys) in CALLS.items() for key in keys])
def test_a_keyword_takes_or_names_every_odd_value(name, keyword, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    call, _ = CALLS[name]
    for value in odd():
        large = isinstance(value, int | np.integer | float) and keyword in {"num_samples", "stop"} and value > 10**5
        if large and name.startswith("make"):
            continue  # which is a matter of memory, below
        tried(rf"{keyword}|{ALSO.get(keyword, keyword)}", lambda value=value: call(**{keyword: value}))


def test_load_dataset_names_the_keyword(cache):
    for field in FIELD_NAMES:
        for value in odd():
            if value is None:
                continue  # which stands for what the config says
            tried(field, lambda field=field, value=value: MNIST1D(**{field: value}), error=RecipeError)
    with pytest.raises(RecipeError, match="iid_noise_scale=<an integer of 401 digits> must be a number from 0 to 1000"):
        mnist1d_hf.register() or __import__("datasets").load_dataset("mnist1d", iid_noise_scale=10**400)


@pytest.mark.parametrize("keyword", ["folder", "configs", "overwrite", "cache_dir"])
def test_export_takes_or_names_every_odd_value_before_anything_is_written(keyword, tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(BuiltConfig, "build", lambda *_, **__: pytest.fail("it is built"))
    empty = {"[]", "()", "array([], dtype=float64)", "tensor([])"}  # nothing is named, so everything is meant
    for value in odd():
        is_path = isinstance(value, str) and shown(value) not in {"''", r"'\x00'"}
        allowed = {
            "folder": is_path,
            "cache_dir": is_path or value is None,
            "overwrite": checks.is_bool(value),
            "configs": shown(value) in {*empty, "['default']"},
        }
        if allowed[keyword]:
            continue
        arguments = {"folder": "out", "configs": ["default"], keyword: value}
        with pytest.raises(ValueError, match=rf"{keyword}|no config"):
            export(**arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keyword", ["configs", "remove"])
@pytest.mark.parametrize("value", ["default", {"default"}, 3, [b"default"], [3], Failing()], ids=range(6))
def test_a_push_takes_lists_of_names_only(keyword, value):
    with pytest.raises(ValueError, match=rf"^{keyword}=.* must be a list of names"):
        push("someone/data", **{keyword: value})


# Sizes that no machine has


def test_what_no_memory_holds_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(checks, "memory", lambda: 10**9)
    for call, says in (
        (lambda: make_mnist1d(num_samples=10**12), "num_samples=1000000000000.*use stream='fast'"),
        (lambda: make_mnist1d(num_samples=10**12, stream="fast"), r"160,000.0 GB of memory.*has 1.0 GB; .*make_slice"),
        (lambda: make_mnist1d(num_samples=10**6, final_seq_length=4096), "num_samples=1000000 with .*65.5 GB"),
        (lambda: make_slice("default", "train", 0, 10**9), r"start=0, stop=1000000000 .*160.0 GB"),
        (lambda: make_mnist1d(num_samples=10**6, trace=True), "num_samples=1000000"),
        (lambda: make_mnist1d(final_seq_length=10**9), "final_seq_length=1000000000 must be from 2 to 4096"),
    ):
        with pytest.raises(RecipeError, match=says):
            call()
    assert len(make_mnist1d(num_samples=100).train) == 80


def test_this_machine_has_memory():
    assert checks.memory() is None or checks.memory() > 10**8


# The checks themselves


@MANY
@given(values())
def test_a_value_is_shown_briefly_on_one_line(value):
    assert len(shown(value)) <= checks.LONGEST
    assert shown(value).isprintable()


@MANY
@given(values())
def test_every_check_returns_what_it_promises_or_names_the_value(value):
    for check, kinds in (
        (lambda: checks.whole_number("field", value, 0, 100), int),
        (lambda: checks.whole_number("field", value, 1), int),
        (lambda: checks.number("field", value, 0), float),
        (lambda: checks.number("field", value, 0, 1, above=True, below=True), float),
        (lambda: checks.flag("field", value), bool),
        (lambda: checks.text("field", value), str),
        (lambda: checks.one_of("field", value, ["default", "x"]), str),
        (lambda: checks.items("field", value, "a list", 5), list),
        (lambda: checks.path("field", value), str),
    ):
        found = tried("field=", check)
        assert found is None or type(found) is kinds


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8, np.array])
def test_whole_numbers_of_every_kind_are_the_same_number(kind):
    assert checks.whole_number("n", kind(20), 0, 30) == 20
    assert checks.number("n", kind(20), 0, 30) == 20.0


def test_complex_numbers_are_never_taken_for_their_real_part():
    import torch

    for value in (1 + 0j, np.complex64(1), np.complex128(0.5), np.array(1 + 0j), torch.tensor(1 + 0j)):
        with pytest.raises(RecipeError, match=r"iid_noise_scale=.* it is a "):
            Recipe(iid_noise_scale=value)
