"""`install()`: the name ``mnist1d`` means `compat`, with the reference on the disk or without, and never in part."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnist1d_hf import compat

ROOT = Path(__file__).parents[3]
ABSENT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "mnist1d":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
INSTALL = "from mnist1d_hf import compat\ncompat.install()\n"


def run(code):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("before", [ABSENT, ""], ids=["reference absent", "reference installed"])
def test_every_way_to_import_means_compat(before):
    run(
        before
        + INSTALL
        + INSTALL  # once more changes nothing
        + """
import importlib, importlib.util, sys
import mnist1d
import mnist1d.data, mnist1d.utils as u, mnist1d.transform
from mnist1d import get_dataset, get_dataset_args, get_templates, to_pickle, from_pickle, ObjectView, set_seed
from mnist1d import plot_signals, transform
from mnist1d.data import get_dataset_args, get_templates, make_dataset, get_dataset, from_pickle, to_pickle, set_seed
from mnist1d.data import transform, ObjectView
from mnist1d.utils import set_seed, to_pickle, from_pickle, ObjectView, plot_signals
from mnist1d.transform import pad, shear, translate, corr_noise_like, iid_noise_like, interpolate, transform
from mnist1d_hf.compat.data import make_dataset as ours

assert mnist1d is compat and make_dataset is ours is mnist1d.data.make_dataset
assert callable(mnist1d.transform) and mnist1d.transform is transform is compat.transform
assert u is compat.utils and importlib.import_module("mnist1d.data") is compat.data
assert importlib.util.find_spec("mnist1d") and importlib.util.find_spec("mnist1d.data")
ours = [name for name in sys.modules if name.partition(".")[0] == "mnist1d"]
assert sorted(ours) == ["mnist1d", "mnist1d.data", "mnist1d.transform", "mnist1d.utils"]
assert all(sys.modules[name].__name__.startswith("mnist1d_hf.compat") for name in ours)
assert sum(type(finder).__name__ == "_Finder" for finder in sys.meta_path) == 1

for name in ours:  # what some notebooks do to load a module anew
    del sys.modules[name]
import mnist1d
from mnist1d.utils import set_seed as again
assert mnist1d is compat and again is set_seed and callable(mnist1d.transform)
"""
    )


def test_a_module_that_there_is_not_is_an_import_error_with_the_remedy():
    run(
        INSTALL
        + """
import importlib
for module in ("train", "models", "calls", "train.more"):
    try:
        importlib.import_module(f"mnist1d.{module}")
    except ImportError as error:
        assert f"there is no 'mnist1d.{module.partition('.')[0]}'" in str(error), error
        assert "lightning_module" in str(error)
    else:
        raise SystemExit(f"mnist1d.{module} was imported")
"""
    )


def test_what_the_package_had_before_it_was_published_is_named():
    with pytest.raises(AttributeError, match=r"no attribute 'get_model_args'; the published .*Classifier"):
        compat.get_model_args()
    with pytest.raises(AttributeError, match=r"no attribute 'get_datasets'$"):
        compat.get_datasets()


@pytest.mark.parametrize("imported", ["import mnist1d", "from mnist1d.utils import set_seed"])
def test_after_the_reference_it_refuses_and_changes_nothing(imported):
    run(
        f"""
{imported}
import sys
before = dict(sys.modules)
from mnist1d_hf import compat
finders = list(sys.meta_path)
try:
    compat.install()
except ImportError as error:
    assert "before the first `import mnist1d`" in str(error) and "restart" in str(error), error
else:
    raise SystemExit("it did not refuse")
assert sys.meta_path == finders
assert all(sys.modules[name] is module for name, module in before.items() if name.partition(".")[0] == "mnist1d")
"""
    )


def test_uninstall_gives_the_name_back_to_the_reference():
    run(
        INSTALL
        + """
import sys, mnist1d
compat.uninstall()
compat.uninstall()
assert "mnist1d" not in sys.modules and "mnist1d.data" not in sys.modules
import mnist1d, mnist1d.data
assert mnist1d is not compat and "site-packages" in mnist1d.__file__
"""
    )


def test_every_name_of_the_references_modules_is_there():
    """Read off the installed reference: what its modules define or import from each other."""
    missing = run(
        """
import importlib, types
for module in ("", ".data", ".utils", ".transform"):
    theirs, ours = (importlib.import_module(home + module) for home in ("mnist1d", "mnist1d_hf.compat"))
    for name, value in vars(theirs).items():
        own = getattr(value, "__module__", "") or ""
        if not name.startswith("_") and own.startswith("mnist1d") and not hasattr(ours, name):
            print(theirs.__name__, name)
        if isinstance(value, types.FunctionType) and own.startswith("mnist1d"):
            count = value.__code__.co_argcount
            expected = value.__code__.co_varnames[:count]
            code = getattr(ours, name).__code__
            if code.co_varnames[:count] != expected or getattr(ours, name).__defaults__ != value.__defaults__:
                print(theirs.__name__, name, expected, value.__defaults__)
"""
    )
    assert missing == ""
