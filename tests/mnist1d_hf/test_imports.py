"""What an import costs and does, each measured in a fresh interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "mnist1d_hf").rglob("[!_]*.py")
)


def run(code, **environment):
    """Run the code in a fresh interpreter and return what it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_everything_loads_neither_torch_nor_scipy_nor_matplotlib():
    code = f"import sys, {', '.join(['mnist1d_hf', *MODULES])}\nprint(*sys.modules)"
    loaded = set(run(code))
    assert "numpy" in loaded  # the list is one of modules
    assert set(MODULES) <= loaded
    assert not loaded & {"torch", "scipy", "matplotlib", "pytorch_lightning", "sklearn", "mnist1d"}


@pytest.mark.parametrize("module", ["generate", "draws", "stages", "recipe", "transforms"])
def test_the_generator_itself_needs_nothing_but_numpy(module):
    """The package's own __init__ registers the builder and so loads datasets; the modules by themselves do not."""
    code = f"""
import importlib.util, sys, types
package = types.ModuleType("mnist1d_hf")
package.__path__ = [{str(ROOT / "mnist1d_hf")!r}]
sys.modules["mnist1d_hf"] = package
importlib.import_module("mnist1d_hf.generator.{module}")
print(*sys.modules)
"""
    assert not set(run(code)) & {"datasets", "pyarrow", "pandas", "huggingface_hub", "torch", "matplotlib"}


def test_importing_uses_no_network_and_writes_no_file(tmp_path):
    code = """
import socket
def refused(*args, **kwargs):
    raise AssertionError(f"network used at import: {args}")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refused
import mnist1d_hf, mnist1d_hf.compat, mnist1d_hf.plot.signals
print(mnist1d_hf.__version__)
"""
    home = {"HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert run(code, **home, PYTHONDONTWRITEBYTECODE="1")
    assert list(tmp_path.iterdir()) == []


def test_importing_leaves_the_random_state_alone():
    code = """
import random, numpy
random.seed(1); numpy.random.seed(1)
before = random.getstate(), numpy.random.get_state()[1].tolist()
import mnist1d_hf, mnist1d_hf.compat, mnist1d_hf.plot.signals
assert before == (random.getstate(), numpy.random.get_state()[1].tolist())
"""
    run(code)


def test_every_public_name_is_there():
    run("import mnist1d_hf\nassert all(hasattr(mnist1d_hf, name) for name in mnist1d_hf.__all__)")
