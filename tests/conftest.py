"""Tests run without a network and with a cache of their own; child processes inherit both."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest
from slow_first import in_order

HOME = tempfile.mkdtemp(prefix="mnist1d-hf-tests-")
os.environ |= {  # before anything imports datasets, which reads them once
    "HF_HOME": HOME,
    "HF_DATASETS_CACHE": os.path.join(HOME, "datasets"),
    "HF_HUB_CACHE": os.path.join(HOME, "hub"),
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "COLUMNS": "200",  # of tables on the console
}
if "PYTEST_XDIST_WORKER" in os.environ:  # several processes: threads of each would wait for those of the others
    os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; processes of tests inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
pytest_plugins = ["hub_fixtures"]
# A machine that does other work as well takes longer over an example than a quiet one; that is no failure.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
OWN_PATH = set(sys.path)
MOST_BYTES = 8  # in a test's name
BY_THE_TEXT = ("docs", "scale")  # marks whose tests the Makefile finds by the text of their files
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # the order below, in which each file's tests stay together


def pytest_collection_modifyitems(items):
    # Processes that share the tests must collect the same ones. Bytes in a name may have the time in them.
    if odd := [item.nodeid for item in items if item.name.count("\\x") > MOST_BYTES]:
        raise pytest.UsageError(f"give these tests ids: {odd}")
    for mark in BY_THE_TEXT:
        files = {item.path for item in items if item.get_closest_marker(mark)}
        if lost := [str(file) for file in files if f"mark.{mark}" not in file.read_text(encoding="utf-8")]:
            raise pytest.UsageError(f"make test-{mark} does not find {lost}: write pytest.mark.{mark} in it")
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = in_order(items, lambda item: item.path)


def pytest_unconfigure():
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    """Only this machine can be reached."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in LOOPBACK:
            raise OSError(f"tests must not use the network, but something connects to {address}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of this test alone, also in the processes that it starts."""
    import datasets

    folder = tmp_path / "cache"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder))
    return folder


@pytest.fixture
def python(tmp_path):
    """Runs code in a fresh process, in an empty folder; returns what it prints."""

    def run(code, *arguments, cwd=None, options=()):
        folder = Path(cwd) if cwd else tmp_path / "elsewhere"
        folder.mkdir(exist_ok=True)
        command = [sys.executable, *options, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _of_the_process():
    """What one test could leave behind for those that come after it in the same process."""
    # Of libraries that are imported already: their import sets the level, and that of the root.
    logs = {"mnist1d_hf", "lightning_module", "pytorch_lightning", "lightning.pytorch", "datasets"} & sys.modules.keys()
    state = {f"level of the log {name!r}": logging.getLogger(name).level for name in logs}
    state |= {"level below which nothing is logged": logging.root.manager.disable, "folder": os.getcwd()}
    # What such a folder in the path hides, a process that is spawned from this one does not find.
    state["modules of Python's own that are hidden"] = {
        file.stem for place in set(sys.path) - OWN_PATH for file in Path(place).glob("*.py")
    } & sys.stdlib_module_names
    if torch := sys.modules.get("torch"):
        state |= {"default dtype": torch.get_default_dtype(), "threads": torch.get_num_threads()}
        state["deterministic algorithms"] = torch.are_deterministic_algorithms_enabled()
        state["gradients"] = torch.is_grad_enabled()
    return state


@pytest.fixture(autouse=True)
def _process_as_it_was():
    """A test, or what it calls, changes nothing of this process that would show in a test after it."""
    before = _of_the_process()
    yield
    after = _of_the_process()
    assert {name: after[name] for name in before} == before


@pytest.fixture(scope="session")
def chromium():
    """Debian's chromium, one for all tests of a process: playwright refuses to be begun twice."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "there is no chromium; install it: make chromium"
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory):
    """Where screenshots lie: MNIST1D_SCREENSHOTS, or a folder that `-s` prints."""
    folder = Path(os.environ.get("MNIST1D_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    print(f"screenshots: {folder}")  # noqa: T201 - for whoever wants to look
