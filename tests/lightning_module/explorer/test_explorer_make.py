"""The tab Make without a browser: what it shows, the code that it gives, the limits that it tells at once."""

import io
import json
import re
from importlib.resources import files

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from lightning_module.cli import main
from lightning_module.explorer import limits, parse
from lightning_module.explorer.make import download, pictures, posterior
from lightning_module.explorer.make.fields import ALL, NAMES, place_of, recipe_of, values_of
from lightning_module.explorer.make.shown import shown
from lightning_module.explorer.make.snippets import snippets
from lightning_module.explorer.moves import Moves
from mnist1d_hf import RECIPES, Recipe, RecipeError, make_mnist1d
from mnist1d_hf.bayes import frozen_posterior
from mnist1d_hf.generator.recipe import FIELD_NAMES
from mnist1d_hf.plot.construction import Construction

CASES = [
    ("default", {}, "reference", 0),
    ("default", {"iid_noise_scale": 0.08, "padding": (30, 50), "shuffle_seq": True}, "reference", 3),
    ("label-noise", {"seed": 7, "flip_seq": True}, "reference", 1),
    ("high-noise", {"final_seq_length": 60}, "fast", 120),
    ("large", {}, "fast", 0),
]


def form(config, changes=None, **others):
    """The values of the controls for a config with other numbers."""
    values = dict(zip(NAMES, values_of(config), strict=True)) | others
    for name, value in (changes or {}).items():
        if name == "padding":
            values["padding_low"], values["padding_high"] = value
        else:
            values[name] = value
    return [values[name] for name in NAMES]


@pytest.mark.parametrize(("config", "changes", "stream", "index"), CASES, ids=str)
def test_the_code_gives_what_is_shown_to_the_last_bit(config, changes, stream, index, cache):
    recipe, of_stream = recipe_of(form(config, changes, stream=stream))
    found = shown(recipe, of_stream, index)
    texts = snippets(config, recipe, of_stream, index)
    for name in ("make_mnist1d", "load_dataset"):
        if config == "large" and name == "load_dataset":
            continue  # a million examples
        scope = {}
        exec(texts[name], scope)
        assert scope["shown"].dtype == np.float32
        assert scope["shown"].tobytes() == found.x.tobytes(), name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"shuffle_seq": True, "flip_seq": True, "scale_coeff": 1.3, "shear_scale": 0.1},
        {"seed": 9, "num_samples": 1237, "padding": (3, 17), "final_seq_length": 55, "max_translation": 5},
        {"label_noise": 0.4, "train_split": 0.31, "corr_noise_scale": 0.0, "template_len": 20},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:num_samples")
def test_kept_draws_make_what_the_generator_makes(changes):
    recipe = Recipe(**changes)
    arrays = make_mnist1d(recipe, trace=True)
    made = Construction.of(arrays, index=2)
    rows = [int(np.flatnonzero(arrays.train.y_clean == digit)[2]) for digit in range(10)]
    found = shown(recipe, "reference", 2)
    assert found.x.tobytes() == arrays.train.x[rows].astype(np.float32).tobytes()
    assert (found.mean, found.std) == (arrays.mean, arrays.std)
    assert found.y.tolist() == arrays.train.y[rows].tolist()
    assert list(found.construction.stages) == list(made.stages)
    for name, signals in made.stages.items():
        assert np.array_equal(found.construction.stages[name], signals, equal_nan=True), name


def test_the_command_writes_what_is_shown(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe, stream = recipe_of(form("default", {"iid_noise_scale": 0.08, "padding": (30, 50), "num_samples": 500}))
    command = snippets("default", recipe, stream, 0)["command line"]
    assert main(command.replace("'[30, 50]'", "[30,50]").split()[1:]) == 0
    (file,) = (tmp_path / "my-mnist1d").rglob("train*.parquet")
    table = pyarrow.parquet.read_table(file)
    x, y = np.array(table["x"].to_pylist(), np.float32), table["y"].to_numpy()
    ten = x[[np.flatnonzero(y == digit)[0] for digit in range(10)]]
    assert ten.tobytes() == shown(recipe, stream, 0).x.tobytes()


def test_every_number_of_a_recipe_has_a_control_and_every_config_fits_in():
    assert {*NAMES} - {"padding_low", "padding_high", "stream"} | {"padding"} == {*FIELD_NAMES}
    for config, named in RECIPES.items():
        values = values_of(config)
        assert recipe_of(values) == (named.recipe, named.stream)
        for field, value in zip(ALL, values, strict=True):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            assert field.parse(text) == value, field.name


def test_an_error_stands_beside_its_control():
    with pytest.raises(RecipeError, match="swap them") as error:
        recipe_of(form("default", {"padding": (60, 36)}))
    assert place_of(str(error.value)) == "padding"
    with pytest.raises(RecipeError, match="is empty") as error:
        recipe_of(form("default", seed=None))
    assert place_of(str(error.value)) == "rest"
    with pytest.raises(RecipeError, match="choose stream fast"):
        shown(Recipe(num_samples=60_000), "reference", 0)
    with pytest.raises(RecipeError, match="example 900 of digit 0: train has"):
        shown(Recipe(), "reference", 900)


def test_signals_are_the_frozen_ones_and_their_posteriors_the_committed():
    train = make_mnist1d().train
    rows = [int(np.flatnonzero(train.y == digit)[0]) for digit in range(10)]
    found = shown(Recipe(), "reference", 0)
    assert np.array_equal(found.x, train.x[rows].astype(np.float32))
    p = posterior.posterior(Recipe(), "reference", found)
    assert np.allclose(p, np.exp(frozen_posterior().train[rows]), atol=1e-5)
    html = pictures.ten(found, p)
    assert html.count("<polyline") == 10
    assert html.count("m1-true") >= 9


def test_the_grid_is_near_what_is_computed_and_named_configs_are_exact():
    assert limits.known_limit(Recipe()).signals == 10_000
    assert limits.known_limit(Recipe(seed=3, shuffle_seq=True)).signals == 10_000
    between = limits.known_limit(Recipe(iid_noise_scale=0.1, corr_noise_scale=0.6))
    assert between.error is None
    assert "interpolated" in str(between)
    computed = posterior.computed_limit(Recipe(iid_noise_scale=0.1, corr_noise_scale=0.6), 256, lambda: True)
    assert computed.signals == 256
    assert abs(between.accuracy - computed.accuracy) < 0.02 + 4 * computed.error
    assert limits.known_limit(Recipe(max_translation=10)) is None
    assert limits.known_limit(Recipe(iid_noise_scale=0.001)) is None


def test_the_grid_falls_with_noise_on_every_point():
    points = json.loads(files("lightning_module.explorer").joinpath(limits.FILE).read_text("utf-8"))["points"]
    assert [(p["iid_noise_scale"], p["corr_noise_scale"]) for p in points] == [
        (iid, correlated) for iid in limits.IID for correlated in limits.CORRELATED
    ]
    # More correlated noise is no such thing: where it is loud, it tells where the digit is.
    assert (np.diff(limits._grid(), axis=0) < 0.02).all()


def test_a_limit_that_nobody_wants_is_not_computed():
    asked = []

    def wanted():
        asked.append(1)
        return len(asked) < 3

    assert posterior.computed_limit(Recipe(iid_noise_scale=0.05), 256, wanted) is None
    assert len(asked) == 3
    with pytest.raises(RecipeError, match="more ways"):
        posterior.check_size(Recipe(padding=(0, 4000)))


def test_files_hold_the_data_and_refuse_what_is_no_recipe():
    recipe, stream = recipe_of(form("default", {"num_samples": 200, "iid_noise_scale": 0.05, "label_noise": 0.5}))
    query = download.query(
        "default", form("default", {"num_samples": 200, "iid_noise_scale": 0.05, "label_noise": 0.5})
    )
    assert query == {"config": "default", "num_samples": "200", "iid_noise_scale": "0.05", "label_noise": "0.5"}
    assert download.from_query([*query.items(), ("split", "test")]) == (recipe, stream, "test")
    made = make_mnist1d(recipe)
    table = pyarrow.parquet.read_table(io.BytesIO(download.file(recipe, stream, "train", "parquet")))
    assert np.array_equal(np.array(table["x"].to_pylist(), np.float32), made.train.x.astype(np.float32))
    assert table["y_clean"].to_pylist() == made.train.y_clean.tolist()
    wide = pyarrow.csv.read_csv(io.BytesIO(download.file(recipe, stream, "test", "csv")))
    assert wide.column_names[-1] == "x39"
    assert np.allclose(wide["x39"].to_numpy(), made.test.x[:, 39], atol=1e-6)
    for bad in ([("size", "3")], [("iid_noise_scale", "9e9")], [("config", "nope")], [("padding_low", "90")]):
        with pytest.raises(ValueError, match=r"size|must be"):
            download.from_query(bad)
    with pytest.raises(RecipeError, match="too many"):
        download.file(Recipe(num_samples=900_000), "fast", "train", "csv")


def test_an_address_is_read_and_what_it_does_not_mean_is_told():
    parsers = {"noise": parse.number(0, 1), "seed": parse.whole(0, 9), "flip": parse.flag, "tab": parse.choice(["a"])}
    query = [("noise", "0.5"), ("seed", "12"), ("flip", "true"), ("tab", "<b>"), ("x" * 99, "1"), ("__theme", "dark")]
    values, lines = parse.read_query(query, parsers)
    assert values == {"noise": 0.5, "flip": True}
    assert [re.sub(r"x+", "x", line) for line in lines] == [
        "seed=12 in the address is ignored: it must be a whole number from 0 to 9",
        "tab=<b> in the address is ignored: it must be one of a",
        "x…=1 in the address is ignored: this page has no such name",
    ]
    for name, text in [("noise", "nan"), ("noise", "inf"), ("seed", "1.0"), ("seed", "\u0661"), ("seed", "1" * 99)]:
        assert parse.read_query([(name, text)], parsers)[0] == {}
    assert len(parse.read_query([(str(n), "") for n in range(50)], parsers)[1]) == parse.MOST_LINES + 1


def test_moves_of_visitors_are_kept_apart():
    moves = Moves()
    assert moves.latest("a") is None
    moves.note("a", 1)
    moves.note("b", 2)
    assert (moves.latest("a"), moves.latest("b")) == (1, 2)
    claims = [("a", 1, "limit"), ("a", 1, "limit"), ("a", 1, "better"), ("a", 2, "limit"), ("b", 2, "limit")]
    assert [moves.claim(*each) for each in claims] == [True, False, True, False, True]
    moves.note("a", 1)  # the same once more is another move
    assert moves.claim("a", 1, "limit")
    assert moves.is_latest("a", 1)
    assert not moves.is_latest("b", 1)
    assert moves.note("a", 3)
    assert moves.note("c", 1, turn=7)
    assert not moves.note("c", 2, turn=6)  # it was made before, and came after
    assert (moves.latest("c"), moves.turn("c")) == (1, 7)
    moves = Moves()
    moves.note("a", 3)
    assert not moves.is_latest("a", 1)
    assert not moves.is_latest("c", 1)
