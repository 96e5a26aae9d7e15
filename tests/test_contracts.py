"""The import contracts: each fails on an import that is planted against it; folders are as the house has them."""

import os
import shutil
import subprocess
import sys
import tomllib
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import grimp
import pytest
from importlinter.configuration import configure
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "lightning_module" / "studies"
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = LINTER["contracts"]
configure()  # what the command does first
ROOMS = [contract for contract in CONTRACTS if contract.get("containers")]
KINDS = {"layers": LayersContract, "forbidden": ForbiddenContract, "acyclic_siblings": AcyclicSiblingsContract}
MOST_FILES = 20


def names(layer):
    """Returns the modules of a layer, without the marks of those that not every container has."""
    return [each.strip(" ()") for each in layer.split("|")]


@pytest.fixture(scope="module")
def graph():
    """The imports of the tree, those of its dependencies as well."""
    return grimp.build_graph(
        *LINTER["root_packages"],
        include_external_packages=True,
        exclude_type_checking_imports=True,
        cache_dir=None,
    )


def kept(contract, graph):
    """Returns whether a contract holds, by import-linter itself."""
    options = {
        key: "true" if value is True else value for key, value in contract.items() if key not in {"name", "type"}
    }
    session = {key: value for key, value in LINTER.items() if key != "contracts"}
    rule = KINDS[contract["type"]](contract["name"], session_options=session, contract_options=options)
    return rule.check(deepcopy(graph), verbose=False).kept


def planted(contract, graph):
    """Yields imports that a contract is there to forbid: importer and imported."""
    if contract["type"] == "forbidden":
        for source in contract["source_modules"]:
            for forbidden in contract["forbidden_modules"]:
                yield source, forbidden
        return
    if contract["type"] == "acyclic_siblings":
        (package,) = contract["ancestors"]
        below = {"mnist1d_hf": ("checks", "mnist1d"), "lightning_module": ("twin", "classifier")}[package]
        yield tuple(f"{package}.{name}" for name in below)
        return
    layers = [names(layer) for layer in contract["layers"]]
    for container in contract.get("containers", [""]):
        place = f"{container}." if container else ""
        there = [[place + name for name in layer if place + name in graph.modules] for layer in layers]
        for high, low in pairwise(there):
            if high and low:
                yield low[0], high[-1]
        for layer in there:
            yield from pairwise(layer)
            yield from pairwise(reversed(layer))


def test_every_kind_of_contract_is_put_to_the_test():
    assert {contract["type"] for contract in CONTRACTS} <= set(KINDS)
    assert not any(":" in layer for contract in CONTRACTS for layer in contract.get("layers", ())), "means: not apart"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda each: each["name"])
def test_a_contract_is_kept_and_breaks_by_each_import_against_it(contract, graph):
    assert kept(contract, graph)
    imports = [*planted(contract, graph)]
    assert imports or len(contract["layers"]) == 1  # a folder with one file as yet
    for importer, imported in imports:
        broken = deepcopy(graph)
        if imported not in broken.modules:
            broken.add_module(imported, is_squashed=True)
        broken.add_import(importer=importer, imported=imported, line_number=1, line_contents="import it")
        assert not kept(contract, broken), f"{importer} imports {imported}"


@pytest.mark.parametrize(
    "contract", [each for each in CONTRACTS if each.get("containers")], ids=lambda each: each["name"]
)
def test_a_new_file_must_find_its_place(contract, graph):
    assert contract["exhaustive"]
    for container in contract["containers"]:
        larger = deepcopy(graph)
        larger.add_module(f"{container}.brand_new")
        assert not kept(contract, larger)


def test_every_folder_of_code_has_a_contract(graph):
    contained = {container for contract in CONTRACTS for container in contract.get("containers", ())}
    own = {module for module in graph.modules if module.split(".")[0] in LINTER["root_packages"]}
    rooms = {module for module in own if len(graph.find_children(module)) > 1}
    assert rooms <= contained, "\n".join(map(place_of, sorted(rooms - contained)))
    assert contained <= own, f"{contained - own} are gone; take them out of the contracts in pyproject.toml"


def place_of(room):
    """Returns what to write in pyproject.toml for a folder of code that is in no contract."""
    if room.rpartition(".")[0] == "lightning_module.studies":
        (apart,) = (each["name"] for each in ROOMS if each["containers"] == ["lightning_module.studies"])
        (inside,) = (each["name"] for each in ROOMS if len(each["containers"]) > 1)
        name = room.rpartition(".")[2]
        return (
            f"a new study: name {name!r} in the first layer of {apart!r}, and {room!r} in the containers of {inside!r}"
        )
    return (
        f"a new folder: give {room!r} a contract of its own, and its name a layer in that of the folder that it is in"
    )


def test_a_study_that_imports_another_is_seen_by_the_command(tmp_path):
    for package in LINTER["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"

    def lint():
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    sound = lint()
    assert sound.returncode == 0, sound.stdout + sound.stderr
    with (tmp_path / "lightning_module" / "studies" / "pooling" / "study.py").open("a") as file:
        file.write("\nfrom lightning_module.studies.priors.study import STUDY as other\n")
    broken = lint()
    assert broken.returncode == 1
    assert "lightning_module.studies.pooling is not allowed to import lightning_module.studies.priors" in broken.stdout


def test_every_study_is_a_folder_of_study_claims_and_figures():
    from lightning_module.studies import STUDIES as KNOWN

    folders = {file.parent.name for file in STUDIES.glob("*/__init__.py")}  # an old folder may have caches left
    studies = {name.replace("-", "_") for name in KNOWN}
    assert folders == studies | {"framework", "methods", "report"}
    for name in studies:
        assert {"__init__.py", "study.py", "claims.py", "figures.py"} <= {
            path.name for path in (STUDIES / name).iterdir()
        }


@pytest.mark.parametrize("top", ["mnist1d_hf", "lightning_module", "tests", "benchmarks"])
def test_no_folder_has_more_files_of_code_than_a_reader_takes_in(top):
    for folder in [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]:
        assert len([*folder.glob("*.py")]) <= MOST_FILES, folder
