"""A stand-in Hub, and a process with the real clients that talks to it, for the tests of one file."""

import itertools
import re

import pytest
from hub_client import Client
from hub_server import client_environment, serving

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def _server():
    with serving() as running:
        yield running


@pytest.fixture
def server(_server):
    """Serves, with no faults and all its settings as they were."""
    yield _server
    _server.settle()
    _server.rewrite = {}
    _server.faults, _server.echo_token, _server.multipart_above, _server.page = [], False, None, 1000
    if _server.gone or _server._http is None:
        _server.start()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The clients' caches."""
    return tmp_path_factory.mktemp("client")


@pytest.fixture(scope="module")
def client(_server, home):
    made = Client(client_environment(_server, str(home)), home)
    yield made
    made.close()


@pytest.fixture
def start_client(server, home, tmp_path):
    """Starts further client processes; of the same caches unless another home is given."""
    started = []

    def start(home=home, **environment):
        folder = tmp_path / f"client-{len(started)}"
        folder.mkdir()
        given = {**client_environment(server, str(home)), "HF_DATASETS_CACHE": str(home / "datasets"), **environment}
        started.append(Client(given, folder))
        return started[-1]

    yield start
    for made in started:
        made.close()


@pytest.fixture
def repo_id(request):
    """A repository of this test alone."""
    return f"owner/{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower())[:40].strip('-')}-{next(_numbers)}"
