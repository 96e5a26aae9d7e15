"""A network that is registered in one place is known everywhere: classifier, ensemble, commands, studies, figures."""

import ast
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from registration import Tiny, registry_as_it_is, tiny_logits, tiny_registered
from torch import nn

import lightning_module
from lightning_module import NETWORKS, Classifier, Ensemble, MNIST1DDataModule, Replica, make_network, register_network
from lightning_module.batched.as_replica import is_as_made, logits_alone
from lightning_module.batched.logits import batched_logits
from lightning_module.cli import main
from lightning_module.commands.demo import run_demo
from lightning_module.networks import REFERENCE, registered
from lightning_module.studies.benchmark.claims import CLAIMS
from lightning_module.studies.benchmark.study import STUDY as BENCHMARK
from lightning_module.studies.framework.figures import PALETTE, colours, network_label, registered_accuracy
from lightning_module.studies.framework.proof.checks import overall
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.running.journal import Journal
from lightning_module.studies.framework.study import Study
from lightning_module.studies.recipe_sweep.study import STUDY as RECIPE_SWEEP
from lightning_module.twin import pl

PACKAGED = tuple(NETWORKS)  # none of a user's yet
RESULTS = Path(__file__).parents[2] / "docs" / "results"
X = torch.linspace(-1, 1, 5 * 40).reshape(5, 40)
FORM = {"batched": lambda _: tiny_logits, "as_replica": True}


def fitted(steps=3):
    torch.manual_seed(0)
    classifier = Classifier("tiny")
    data = MNIST1DDataModule(shuffle="none")
    trainer = pl.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.fit(classifier, data)
    return trainer, classifier


def labels(figure):
    return {text.get_text() for axes in figure.axes for text in [*axes.get_xticklabels(), *_legend_texts(axes)]}


def _legend_texts(axes):
    return axes.get_legend().get_texts() if axes.get_legend() else []


def test_the_names_are_the_references_first():
    assert tuple(NETWORKS)[:4] == REFERENCE == ("logistic", "mlp", "cnn", "gru")


def test_a_name_is_all_that_has_to_be_given():
    with registry_as_it_is():

        @register_network("tiny")
        def tiny(length, num_classes):
            return Tiny(length, num_classes)

        found = registered("tiny")
        assert (found.make, found.label, found.colour, found.accuracy, found.width) == (tiny, "tiny", None, None, None)
        assert make_network("tiny", length=20).inner.in_features == 20
        assert Classifier("tiny").hparams.network == "tiny"
    assert "tiny" not in NETWORKS


@pytest.mark.parametrize("known", [{}, FORM], ids=["by vmap", "by its own form"])
def test_checkpoints_and_folders_load_by_name(tmp_path, known):
    with tiny_registered(**known):
        trainer, classifier = fitted()
        trainer.save_checkpoint(tmp_path / "tiny.ckpt")
        again = Classifier.load_from_checkpoint(tmp_path / "tiny.ckpt", weights_only=True)
        assert torch.equal(again.eval()(X), classifier.eval()(X))
        classifier.save_pretrained(tmp_path / "folder")
        assert torch.equal(Classifier.from_pretrained(tmp_path / "folder")(X), classifier(X))
    with pytest.raises(ValueError, match=r"network='tiny' must be one of 'logistic'.*register_network"):
        Classifier.load_from_checkpoint(tmp_path / "tiny.ckpt", weights_only=True)
    with pytest.raises(ValueError, match="network: 'tiny'"):  # a repository chooses no class
        Classifier.from_pretrained(tmp_path / "folder")


@pytest.mark.parametrize("known", [{}, FORM], ids=["by vmap", "by its own form"])
def test_an_ensemble_has_what_the_networks_have(known):
    with tiny_registered(width="units", **known):
        ensemble = Ensemble("tiny", [Replica(seed=3), Replica(seed=4)])
        ensemble.eval()
        for k, seed in enumerate((3, 4)):
            torch.manual_seed(seed)
            torch.testing.assert_close(ensemble(X)[k], make_network("tiny")(X), rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(ensemble.replica(k)(X), ensemble(X)[k], rtol=1e-5, atol=1e-6)
        assert ensemble.hparams.network == "tiny"
        wide = Ensemble("tiny", [Replica(width=7), Replica(width=12)])
        assert wide.replica(0).network.inner.out_features == 7


def test_a_form_is_used_alone_only_if_it_is_asked_for_and_all_parameters_are_in_layers():
    with tiny_registered(**FORM):
        network = make_network("tiny")
        assert is_as_made(network)
        torch.testing.assert_close(logits_alone(network, X)[0].t(), network(X))
        network.scale = nn.Parameter(torch.ones(1))
        assert not is_as_made(network)
    with tiny_registered(batched=FORM["batched"]):
        assert not is_as_made(make_network("tiny"))
        batched_logits(make_network("tiny"))


def test_a_buffer_without_a_form_is_an_error_that_says_so():
    with registry_as_it_is():
        register_network("normed")(lambda length, num_classes: nn.Sequential(Tiny(length), nn.BatchNorm1d(num_classes)))
        Classifier("normed")
        with pytest.raises(ValueError, match=r"Sequential has the buffer '1\.running_mean'"):
            Ensemble("normed", 2)


def test_the_command_line_takes_the_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with tiny_registered():
        options = ["--trainer.max_steps", "2", "--trainer.logger", "false", "--trainer.accelerator", "cpu"]
        assert main(["fit", "--model.network", "tiny", *options]) == 0
        assert main(["demo", "--network", "tiny", "--steps", "2", "--out", "pictures"]) == 0
        assert "tiny, 520 parameters" in capsys.readouterr().out
        assert len(run_demo("tiny", 1, out=tmp_path).runs["default"].rows) == 1
    assert main(["demo", "--network", "tiny"]) == 2
    assert "--network='tiny' must be one of 'logistic'" in capsys.readouterr().err.replace(
        "--network=tiny", "--network='tiny'"
    )


def test_studies_and_figures_know_it(tmp_path):
    numbers = {"seeds": 2, "steps": 10, "tests": 200}
    with tiny_registered(label="Tiny network", accuracy=0.5, **FORM):
        compared = ("mlp", "cnn", "tiny")
        assert BENCHMARK.config("smoke").compared == (*PACKAGED, "tiny")
        assert sum(cell.of.get("network") == "tiny" for cell in BENCHMARK.cells(BENCHMARK.config("smoke"))) == 4
        config = BENCHMARK.config("smoke", every=5, **numbers)
        result = BENCHMARK.run(config, folder=tmp_path / "benchmark")
        rows = result.rows[result.rows.network == "tiny"]
        assert len(rows) == 2 * 2 * 2 * (2 * 2 + 1)
        assert result.config["networks"] == [*PACKAGED, "tiny"]
        for draw in BENCHMARK.figures.values():
            draw(result)
        assert "Tiny network" in labels(BENCHMARK.figures["figure"](result))
        assert "Tiny network" in labels(BENCHMARK.figures["curves"](result))
        assert not [check for check in findings_of(BENCHMARK, result) if check.answer == "DIFFERS"]
        axes = {"iid_noise_scale": (0.0, 0.02), "corr_noise_scale": (0.25,), "max_translation": (48,)}
        sweep = RECIPE_SWEEP.config("smoke", networks=compared, final_seq_length=(20, 40), **axes, **numbers)
        result = RECIPE_SWEEP.run(sweep, folder=tmp_path / "sweep")
        assert set(result.rows.network) == set(compared)
    # Whoever does not register it can look at the result, and is told which network is not known.
    result = Result.load(tmp_path / "benchmark")
    assert "tiny" in labels(BENCHMARK.figures["figure"](result))
    without = [check for check in findings_of(BENCHMARK, result) if "network 'tiny' is not registered" in check.what]
    assert overall(without) == overall(findings_of(BENCHMARK, result)) == "not verified"
    of_preset = replace(result, preset="smoke")
    assert "whether the numbers are those of preset smoke" in {
        check.what.partition(":")[0] for check in findings_of(BENCHMARK, of_preset) if check.answer == "not verified"
    }
    with tiny_registered("fifth"):  # as if the package had another one by now: the answers are the same
        assert overall(findings_of(BENCHMARK, result)) == "not verified"
        again = [check for check in findings_of(BENCHMARK, result) if "network 'tiny'" in check.what]
        assert again == without


@pytest.mark.parametrize("study", [BENCHMARK, RECIPE_SWEEP], ids=lambda study: study.name)
def test_committed_results_are_verified_whatever_is_registered(study: Study):
    result = Result.load(RESULTS / study.name)
    without = [(check.answer, check.what) for check in findings_of(study, result)]
    with tiny_registered():
        assert [(check.answer, check.what) for check in findings_of(study, result)] == without


def test_a_folder_is_not_continued_with_other_networks(tmp_path):
    config = RECIPE_SWEEP.config("smoke", networks=("logistic",))
    (tmp_path / "cells").mkdir()
    Journal(RECIPE_SWEEP, config, "custom", tmp_path).open(restart=False)
    other = RECIPE_SWEEP.config("smoke", networks=("logistic", "mlp"))
    with pytest.raises(ValueError, match="holds a run with config"):
        Journal(RECIPE_SWEEP, other, "custom", tmp_path).open(restart=False)


def test_processes_that_share_a_study_register_it_too(tmp_path):
    (tmp_path / "my_networks.py").write_text(
        textwrap.dedent(
            """
            from lightning_module import register_network
            from registration import Tiny

            @register_network("tiny")
            class Mine(Tiny):
                pass
            """
        )
    )
    (tmp_path / "script.py").write_text(
        textwrap.dedent(
            """
            import my_networks
            from lightning_module.studies.recipe_sweep.study import STUDY

            if __name__ == "__main__":
                config = STUDY.config(
                    "smoke", networks=("logistic", "tiny"), seeds=2, steps=4, tests=50, iid_noise_scale=(),
                    corr_noise_scale=(), max_translation=(48,), final_seq_length=(),
                )
                print(sorted(set(STUDY.run(config, folder="run", workers=2).rows.network)))
            """
        )
    )
    here = os.pathsep.join([str(Path(lightning_module.__file__).parents[1]), str(Path(__file__).parent)])
    run = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": here},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "['logistic', 'tiny']" in run.stdout, run.stderr


def test_colours_are_its_own_or_one_that_is_left():
    with tiny_registered(colour="#123456"):
        assert colours(["mlp", "tiny", "other"])["tiny"] == "#123456"
        assert network_label("tiny") == "tiny"
        assert registered_accuracy("tiny") is None
    with tiny_registered():
        chosen = colours([*PACKAGED, "tiny"])
        assert chosen["tiny"] in PALETTE
        assert len(set(chosen.values())) == len(PACKAGED) + 1


def test_the_published_accuracies_are_those_of_the_claims():
    claims = {claim.name: claim.number.published for claim in CLAIMS if claim.number is not None}
    for name in REFERENCE:
        assert registered_accuracy(name) == claims[name]
        assert registered_accuracy(name, "shuffled") == claims[f"shuffled-{name}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": 3}, "name=3 must be letters"),
        ({"name": "module:Tiny"}, "name='module:Tiny' must be letters, digits"),
        ({"name": "a/b"}, "must be letters"),
        ({"name": "knn"}, "name='knn' is what studies call something else, 'kNN'"),
        ({"name": "cnn"}, "name='cnn' is another network's, .*take another name"),
        ({"colour": "red"}, "colour='red' must be \"#RRGGBB\""),
        ({"colour": "#d55e00"}, "colour='#d55e00' is that of network 'cnn'"),
        ({"cost": 0}, "cost=0 must be above 0"),
        ({"accuracy": 94}, "accuracy=94 must be a number from 0 to 1, or None"),
        ({"label": 5}, "label=5 must be a text"),
        ({"width": "breadth"}, "width of network 'mine'='breadth' must be one of 'length', 'num_classes', 'units'"),
        ({"as_replica": True}, "as_replica=True of network 'mine' needs a batched form"),
        ({"make": Tiny()}, "a module that is already made would be shared"),
        ({"make": "Tiny"}, "must be a class of nn.Module"),
        ({"make": lambda x: x}, "must be callable with length=40 and num_classes=10"),
        ({"make": lambda length, num_classes: Tiny(), "batched": lambda _: tiny_logits}, "found by the module's class"),
    ],
)
def test_errors(arguments, message):
    arguments = {"name": "mine", "make": Tiny, **arguments}
    before = dict(NETWORKS)
    with registry_as_it_is(), pytest.raises(ValueError, match=message):
        register_network(arguments.pop("name"), **{k: v for k, v in arguments.items() if k != "make"})(
            arguments["make"]
        )
    assert dict(NETWORKS) == before


def test_what_makes_no_module_is_an_error_when_it_is_made():
    with registry_as_it_is():
        register_network("mine")(lambda length, num_classes: 3)
        with pytest.raises(ValueError, match=r"network='mine': what it was registered with must make an nn\.Module"):
            make_network("mine")


def test_a_notebooks_cell_that_runs_again_takes_the_place_of_the_first():
    with registry_as_it_is():
        for units in (4, 5):

            @register_network("mine")
            def mine(length, num_classes, units=units):
                return Tiny(length, num_classes, units)

        assert make_network("mine").inner.out_features == 5


def test_no_module_looks_networks_up_before_the_references_are_registered():
    package = Path(lightning_module.__file__).parent
    lookups = {"NETWORKS", "registered", "registering_modules"}
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "lightning_module.network_registry":
                assert file.name == "networks.py" or not lookups & {alias.name for alias in node.names}, file
