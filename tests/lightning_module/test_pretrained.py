"""`Classifier.from_pretrained` and `read_model`: one door, which compares all that it reads."""

import json
import logging

import pytest
import torch
from hub_server import WRITE_TOKEN
from malformed import joined
from safetensors.torch import load_file, save_file
from torch import nn

from lightning_module import Classifier
from lightning_module.model_hub import read_model
from lightning_module.pretrained import weights_digest
from mnist1d_hf.hub import door
from mnist1d_hf.hub.schema import ContentError, IncompleteError

LOAD = """
import sys, json, logging
from pathlib import Path
from lightning_module import Classifier
from lightning_module.pretrained import weights_digest
classifier = Classifier.from_pretrained({path!r}, **{keywords!r})
print(json.dumps([classifier.training, weights_digest(classifier.state_dict())]))
"""


@pytest.fixture(autouse=True)
def _say_again():
    door._said.clear()


def saved(folder, network="cnn", recorded=True, seed=0, **keywords):
    torch.manual_seed(seed)
    classifier = Classifier(network, **keywords)
    classifier.save_pretrained(folder)
    if recorded:
        record = {"path": "mnist1d", "config_id": "default", "version": "1.0.0", "accuracy": 0.9, "test_examples": 1000}
        record |= {"network": classifier.hparams["network"], "sha256": weights_digest(classifier.state_dict())}
        record |= {"steps": 1, "epochs": 1, "protocol": "Adam", "selection": "none", "code_version": "0.1.0"}
        (folder / "README.md").write_bytes(joined({"library_name": "mnist1d-hf", "mnist1d": record}))
    return classifier


def same(left, right):
    return weights_digest(left.state_dict()) == weights_digest(right.state_dict())


def change_weights(folder, change):
    state = load_file(folder / "model.safetensors")
    save_file(change(state), folder / "model.safetensors")


@pytest.mark.parametrize("recorded", [True, False])
def test_ones_own_folder_is_served_and_said_once_not_to_be_verified(tmp_path, caplog, recorded):
    classifier = saved(tmp_path, recorded=recorded)
    for _ in range(2):
        loaded = Classifier.from_pretrained(tmp_path)
        assert same(loaded, classifier)
        assert not loaded.training
    said = [record.message for record in caplog.records if "not verified" in record.message]
    assert len(said) == (0 if recorded else 1)
    if not recorded:
        with pytest.raises(IncompleteError, match="not verified"):
            read_model(tmp_path)


CHANGES = {
    "a value": lambda state: {**state, "network.linear.bias": state["network.linear.bias"] + 1e-6},
    "a tensor missing": lambda state: {name: each for name, each in state.items() if name != "network.linear.bias"},
    "a tensor more": lambda state: {**state, "network.more": torch.zeros(2)},
    "bfloat16": lambda state: {name: each.bfloat16() for name, each in state.items()},
    "double precision": lambda state: {name: each.double() for name, each in state.items()},
    "another shape": lambda state: {**state, "network.linear.bias": torch.zeros(11)},
}


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_are_not_the_networks_are_never_served(tmp_path, change, recorded):
    saved(tmp_path, recorded=recorded)
    change_weights(tmp_path, CHANGES[change])
    if change == "a value" and not recorded:
        Classifier.from_pretrained(tmp_path)
        return
    with pytest.raises(ContentError) as error:
        Classifier.from_pretrained(tmp_path)
    assert "the weights of" in str(error.value)


def test_a_networks_file_is_not_anothers(tmp_path):
    saved(tmp_path, recorded=False)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "network": "mlp"}))
    with pytest.raises(ContentError, match=r"it has no tensor 'network\.conv1\.bias'"):
        Classifier.from_pretrained(tmp_path)


@pytest.mark.parametrize("sizes", [{"length": 10**9}, {"num_classes": 10**9}, {"length": 10**30}, {"length": 2**62}])
def test_no_memory_is_taken_because_a_file_asks_for_it(tmp_path, sizes):
    saved(tmp_path, recorded=False)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **sizes}))
    made = []
    kept = nn.Linear.__init__

    def linear(self, *arguments, **keywords):
        kept(self, *arguments, **keywords)
        made.extend(each for each in self.parameters() if each.device.type != "meta")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Linear, "__init__", linear)
        with pytest.raises(ContentError):
            Classifier.from_pretrained(tmp_path)
    assert not made


class Runs:
    """A pickle that would run code."""

    def __reduce__(self):
        return (print, ("PICKLE RAN",))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_a_pickle_is_never_read(tmp_path, capsys, name):
    saved(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(Runs(), tmp_path / name)
    with pytest.raises(ContentError, match=r"model\.safetensors|cannot be read"):
        Classifier.from_pretrained(tmp_path)
    assert "PICKLE RAN" not in capsys.readouterr().out


class Tied(nn.Module):
    """Two layers that are one."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(40, 40)
        self.second = self.first
        self.last = nn.Linear(40, 10)
        self.norm = nn.BatchNorm1d(40)

    def forward(self, x):
        return self.last(self.norm(self.second(self.first(x).relu())))


def test_ones_own_module_with_a_tensor_under_two_names(tmp_path):
    classifier = saved(tmp_path, Tied())
    loaded = Classifier.from_pretrained(tmp_path, network=Tied())
    assert same(loaded, classifier)
    assert loaded.network.second is loaded.network.first
    with pytest.raises(ValueError, match=r"network=Tied\(\.\.\.\)"):
        Classifier.from_pretrained(tmp_path)
    with pytest.raises(ContentError, match="has no tensor"):
        Classifier.from_pretrained(tmp_path, network=nn.Linear(40, 10))


class Wide(Classifier):
    """A class of the user's own, with an argument of its own."""

    def __init__(self, width: int = 3, lr: float = 1e-2) -> None:
        super().__init__(nn.Sequential(nn.Linear(40, width), nn.Linear(width, 10)), lr)


def test_a_subclass_comes_back_as_itself_with_its_arguments(tmp_path):
    classifier = Wide(5, lr=1e-3)
    classifier.save_pretrained(tmp_path)
    loaded = Wide.from_pretrained(tmp_path)
    assert type(loaded) is Wide
    assert (loaded.lr, same(loaded, classifier)) == (1e-3, True)
    with pytest.raises(ContentError, match="'width', which is no argument of this class"):
        Classifier.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"width": 10**12}))
    with pytest.raises(ContentError):
        Wide.from_pretrained(tmp_path)


def test_arguments_that_are_given_come_first_and_others_are_refused(tmp_path):
    saved(tmp_path)
    assert Classifier.from_pretrained(tmp_path, lr=0.5).lr == 0.5
    assert Classifier.from_pretrained(str(tmp_path), map_location=torch.device("cpu"), strict=True).device.type == "cpu"
    with pytest.raises(ValueError, match="strict=False would leave some weights at random"):
        Classifier.from_pretrained(tmp_path, strict=False)
    with pytest.raises(ValueError, match="a folder has no revisions"):
        Classifier.from_pretrained(tmp_path, revision="v1")
    with pytest.raises(TypeError, match="colour"):
        Classifier.from_pretrained(tmp_path, colour="red")
    with pytest.raises(ValueError, match="no folder, and no repository"):
        Classifier.from_pretrained(tmp_path / "none")


def test_the_global_random_state_is_left_alone(tmp_path):
    saved(tmp_path)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    Classifier.from_pretrained(tmp_path)
    after = torch.get_rng_state()
    assert torch.equal(state, after)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def loaded(client, path, **keywords):
    answer = client.call("builtins:exec", LOAD.format(path=path, keywords=keywords))
    digest = json.loads(answer["output"].splitlines()[-1])[1] if answer["ok"] else None
    return answer, digest


def test_a_revision_is_that_one_or_an_error(server, start_client, repo_id, tmp_path):
    digests = {}
    for seed, tag in enumerate(("v1", "v2")):
        folder = tmp_path / tag
        digests[tag] = weights_digest(saved(folder, seed=seed).state_dict())
        commit = server.put(repo_id, files_of(folder), "model")
        server.repo(repo_id, "model").tags[tag] = commit
    reader = start_client(home=tmp_path / "home")
    assert loaded(reader, repo_id, revision="v1")[1] == digests["v1"]
    assert loaded(reader, repo_id, local_files_only=True, revision="v1")[1] == digests["v1"]
    assert loaded(reader, repo_id, token=WRITE_TOKEN)[1] == digests["v2"]
    assert loaded(reader, repo_id, token=False, cache_dir=str(tmp_path / "elsewhere"))[1] == digests["v2"]
    assert list((tmp_path / "elsewhere").rglob("model.safetensors"))
    blob = next((tmp_path / "home" / "hub").rglob("model.safetensors")).resolve()
    blob.chmod(0o644)
    blob.write_bytes(bytes(len(blob.read_bytes())))
    answer, digest = loaded(reader, repo_id, revision="v1")
    assert digest == digests["v1"], answer
    server.stop()
    assert loaded(reader, repo_id, revision="v1")[1] == digests["v1"]
    for keywords in ({"revision": "v3"}, {"revision": "v3", "local_files_only": True}):
        answer, _ = loaded(reader, repo_id, **keywords)
        assert answer["error"] == "UnavailableError", answer


def test_weights_on_a_hub_that_are_not_the_cards_are_never_served(server, client, repo_id, tmp_path):
    saved(tmp_path)
    change_weights(tmp_path, CHANGES["a value"])
    server.put(repo_id, files_of(tmp_path), "model")
    answer, _ = loaded(client, repo_id)
    assert answer["error"] == "ContentError", answer
    assert "not those that its card tells of" in answer["message"]


def test_a_repository_without_a_record_is_served_with_a_word(server, client, repo_id, tmp_path):
    classifier = saved(tmp_path, recorded=False)
    server.put(repo_id, files_of(tmp_path), "model")
    answer, digest = loaded(client, repo_id)
    assert digest == weights_digest(classifier.state_dict()), answer
    assert "not verified" in answer["output"]
    status = client.call("lightning_module.commands.model:main", ["pull", repo_id, str(tmp_path / "a" / "b")])
    assert (status["value"], (tmp_path / "a").exists()) == (2, False)
    assert "Classifier.from_pretrained loads it, not verified" in status["output"]


def test_nothing_is_said_when_all_is_well(tmp_path, caplog):
    saved(tmp_path)
    with caplog.at_level(logging.INFO):
        Classifier.from_pretrained(tmp_path)
    assert not caplog.messages


def test_a_configuration_that_is_not_the_cards_is_refused(tmp_path):
    saved(tmp_path)
    header, text = (tmp_path / "README.md").read_text(encoding="utf-8").split("\n---\n", 1)
    recorded = f"mnist1d:\n  files:\n  - path: config.json\n    sha256: {'f' * 64}\n"
    (tmp_path / "README.md").write_text(f"{header}\n---\n{text}".replace("mnist1d:\n", recorded, 1), encoding="utf-8")
    with pytest.raises(ContentError, match="another file than the one that its card tells of"):
        Classifier.from_pretrained(tmp_path)
