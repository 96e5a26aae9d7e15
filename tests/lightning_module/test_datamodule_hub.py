"""The data module on a repository and a folder: the revision that was asked for, or an error."""

import json
import subprocess
import sys

import pytest
from hub_client import Client
from hub_server import client_environment, serving

from lightning_module import MNIST1DDataModule
from mnist1d_hf import hub

CODE = """
import json, sys
from lightning_module import MNIST1DDataModule

module = MNIST1DDataModule(sys.argv[1], "mine", revision=sys.argv[2] or None)
module.prepare_data()
x = module.examples("test").x
print(json.dumps({"state": module.state_dict(), "sum": x.double().sum().item(), "commit": module._commit}))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server with two versions of a config, and the environment of its clients."""
    home = tmp_path_factory.mktemp("home")
    with serving() as server:
        environment = client_environment(server, str(home))
        client = Client(environment, home)
        for seed, tag in ((1, "v1"), (2, "v2")):
            recipe = {"seed": seed, "num_samples": 500}
            done = client.push("owner/data", [], new_config="mine", recipe=recipe, version=f"{seed}.0.0", tag=tag)
            assert done["ok"], done["message"]
        client.close()
        yield server, environment


def read(environment, revision):
    command = [sys.executable, "-c", CODE, "owner/data", revision]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_each_revision_is_served_as_itself_and_offline_no_other(place):
    server, environment = place
    old, new = (json.loads(read(environment, revision).stdout) for revision in ("v1", ""))
    assert old["state"] == {"path": "owner/data", "config_id": "mine", "version": "1.0.0"}
    assert new["state"]["version"] == "2.0.0"
    assert old["sum"] != new["sum"]
    assert (old["commit"], new["commit"]) == (
        server.repo("owner/data").tags["v1"],
        server.repo("owner/data").tags["v2"],
    )
    server.stop()
    assert json.loads(read(environment, "v1").stdout) == old
    done = read(environment, "v2")  # its commit is here, as main, but nobody has seen that it is v2
    assert done.returncode == 1
    assert "is not on this machine" in done.stderr


def test_a_folder_is_verified(tmp_path, cache):
    hub.export(tmp_path / "data", ["train-1k"])
    module = MNIST1DDataModule(str(tmp_path / "data"), "train-1k", revision="1.0.0")
    assert module.examples("test").x.shape == (1000, 40)
    text = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    digest = text.split("      x: ")[1][:64]
    (tmp_path / "data" / "README.md").write_text(text.replace(digest, "0" * 64), encoding="utf-8")
    with pytest.raises(ValueError, match="another digest"):
        MNIST1DDataModule(str(tmp_path / "data"), "train-1k").examples("test")
