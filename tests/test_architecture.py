"""docs/ARCHITECTURE.md against the code: rooms, files, the picture, and every private name of a library."""

import ast
import importlib.util
import re
import shutil
import sys
from copy import deepcopy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
TOPS = ("mnist1d_hf", "lightning_module", "tests", "benchmarks", "docs", "requirements")
CODE = re.compile(r"`([^`]+)`")


def script(name):
    """Returns a script of docs/, which is no package, as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


architecture, private_names = script("architecture"), script("private_names")


def rows(heading, page=PAGE):
    """Returns the cells of the table below a heading."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def rooms_of_page():
    return [CODE.fullmatch(room)[1] for room, _ in rows("What lives where")]


def rooms_of_tree(root):
    """Returns every folder of the packages that holds a file; the studies as one."""
    studies = {name.replace("-", "_") for name in catalogue()}
    rooms = set()
    for path in (path for package in architecture.PANELS for path in (root / package).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            folder = path.parent.relative_to(root).as_posix()
            place, _, name = folder.rpartition("/")
            is_study = place == "lightning_module/studies" and name in studies
            rooms.add(f"{place}/NAME/" if is_study else f"{folder}/")
    return rooms


def catalogue():
    from lightning_module.studies import STUDIES

    return STUDIES


def private_of_page(page=PAGE):
    """Returns name and file of each private name on the page."""
    return [
        private_names.Use(CODE.fullmatch(where)[1], name)
        for names, _, where, _ in rows("Private names of libraries", page)
        for name in CODE.findall(names)
    ]


@pytest.fixture(scope="module")
def found():
    return private_names.uses()


@pytest.fixture
def copy(tmp_path):
    """A copy of everything that is scanned."""
    for folder in private_names.FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "results"))
    return tmp_path


def test_each_room_has_one_line():
    assert sorted(rooms_of_page()) == sorted(rooms_of_tree(ROOT))
    assert all(meaning for _, meaning in rows("What lives where"))


def test_a_new_room_is_missed(copy):
    (copy / "lightning_module" / "brand_new").mkdir()
    (copy / "lightning_module" / "brand_new" / "__init__.py").touch()
    assert rooms_of_tree(copy) - set(rooms_of_page()) == {"lightning_module/brand_new/"}


def test_each_file_that_is_named_is_there():
    named = [text for text in CODE.findall(PAGE) if text.startswith(tuple(f"{top}/" for top in TOPS))]
    named += [text for text in CODE.findall(PAGE) if re.fullmatch(r"[\w-]+\.(toml|md)", text) and text != "protocol.md"]
    assert len(named) > 60
    for path in named:
        assert any(ROOT.glob(path.replace("NAME", "*"))), path
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / link).is_file(), link


def test_each_name_that_is_looked_for_in_a_file_is_defined_there():
    pairs = re.findall(r"`@?(\w+)` (?:of|in) `([\w/]+\.py)`", PAGE)
    assert len(pairs) >= 6
    for name, file in pairs:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert name in names, (name, file)


def test_commands_and_targets_are_there():
    from lightning_module.cli import COMMANDS
    from lightning_module.commands.study import GROUP

    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make (\w+)`", PAGE):
        assert f"\n{target}:" in makefile, target
    for command, study in re.findall(r"`mnist1d (\w+)(?: (\w+))?", PAGE):
        assert command in COMMANDS
        assert command != "study" or not study or study in GROUP.commands
    for path in re.findall(r"`python ([\w/.]+)`", PAGE):
        assert (ROOT / path).is_file(), path


def test_a_study_has_the_files_that_the_page_says():
    said = next(meaning for room, meaning in rows("What lives where") if "NAME" in room)
    files = {name for name in CODE.findall(said) if "." in name}
    assert files == {"study.py", "claims.py", "figures.py", "protocol.md"}
    for name in catalogue():
        folder = ROOT / "lightning_module" / "studies" / name.replace("-", "_")
        assert files <= {path.name for path in folder.iterdir()}, name


def test_the_picture_is_the_one_of_this_tree():
    drawn = architecture.drawing(architecture.contracts_of(), architecture.imports())
    assert drawn == (ROOT / architecture.PICTURE).read_text(encoding="utf-8"), "run python docs/architecture.py"
    assert f"]({architecture.PICTURE.relative_to('docs')})" in PAGE


def test_each_layer_and_folder_is_in_the_picture():
    drawn = architecture.drawing(architecture.contracts_of(), architecture.imports())
    texts = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawn)).split()
    for package in architecture.PANELS:
        modules = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
        folders = {f"{path.parent.name}/" for path in (ROOT / package).glob("*/__init__.py")}
        assert modules | folders <= set(texts)
    assert {name.replace("-", "_") for name in catalogue()} <= set(texts)


def test_a_new_import_and_a_new_layer_are_seen_in_the_picture():
    contracts, graph = architecture.contracts_of(), architecture.imports()
    drawn = architecture.drawing(contracts, graph)
    known = deepcopy(graph)
    known.add_import(
        importer="lightning_module.classifier", imported="lightning_module.loop.threads"
    )  # leads there now
    assert architecture.drawing(contracts, known) == drawn
    new = deepcopy(graph)
    new.add_import(importer="lightning_module.studies.report.pages", imported="lightning_module.model_hub")
    assert architecture.drawing(contracts, new) != drawn
    layered = deepcopy(contracts)
    (layers,) = (each["layers"] for each in layered if each.get("containers") == ["mnist1d_hf"])
    layers.insert(0, "brand_new")
    assert "brand_new" in architecture.drawing(layered, graph)


def test_the_page_has_every_private_name_and_no_other(found):
    listed = private_of_page()
    assert len(listed) == len(set(listed)), "listed twice"
    assert set(listed) == set(found)
    assert all(of and why for _, of, _, why in rows("Private names of libraries"))


def test_what_is_said_to_be_our_own_is_needed():
    assert not private_names.unused_exceptions()


def test_a_row_less_and_a_row_more_are_seen(found):
    row = "| `_from_yaml_list` | datasets |"
    assert row in PAGE
    less = "\n".join(line for line in PAGE.splitlines() if not line.startswith(row))
    assert set(found) - set(private_of_page(less)) == {("mnist1d_hf/hub/drift.py", "_from_yaml_list")}
    more = PAGE.replace(row, row.replace("`_from_yaml_list`", "`_from_yaml_list` `_gone`"))
    assert set(private_of_page(more)) - set(found) == {("mnist1d_hf/hub/drift.py", "_gone")}


def test_one_more_private_name_in_a_copy_is_seen(found, copy):
    with (copy / "lightning_module" / "loop" / "loader.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef planted():\n    return torch._dynamo\n")
    assert set(private_names.uses(copy)) - set(found) == {("lightning_module/loop/loader.py", "_dynamo")}


# Each as the end of loop/threads.py, which derives classes from Lightning's and imports `pl` from a module of ours.
@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import torch._dynamo", "_dynamo"),
        ("import torch._dynamo as planted", "_dynamo"),
        ("from torch._dynamo import config", "_dynamo"),
        ("from torch.nn.modules.module import _global_forward_hooks", "_global_forward_hooks"),
        ("planted = torch.nn.Linear(1, 1)._modules", "_modules"),
        ("pl.planted._registry", "_registry"),
        ("def planted(trainer): return trainer.fit_loop._data_source", "_data_source"),
        ("def planted(thing): return getattr(thing, '_hidden', None)", "_hidden"),
        ("def planted(thing): return thing.__dict__['_hidden']", "_hidden"),
        ("planted = 'torch._dynamo.config'", "_dynamo"),
        ("def planted(thing, name): return getattr(thing, f'_hidden_{name}')", "_hidden_"),
        ("planted = dict(_hidden=1)", "_hidden"),
        ("_read_by_a_library = True", "_read_by_a_library"),
        ("class Planted(pl.LightningModule):\n    def see(self): return self._trainer", "_trainer"),
        ("class Planted(pl.LightningModule):\n    def see(self): self._trainer = None", "_trainer"),
        ("class Planted(pl.LightningModule):\n    def _set_hparams(self): return 1", "_set_hparams"),
        ("class Planted(pl.LightningModule):\n    def see(self): return super()._set_hparams()", "_set_hparams"),
        ("class Planted(pl.LightningModule):\n    _compiler_ctx = 1", "_compiler_ctx"),
        ("class Planted:\n    def see(self): return self._nowhere", "_nowhere"),
        ("class Planted:\n    def see(self): pl.Trainer.fit(self)\n    def _run(self): return 1", "_run"),
    ],
)
def test_each_way_to_a_private_name_is_seen(code, name):
    file = "lightning_module/loop/threads.py"
    source = (ROOT / file).read_text(encoding="utf-8")
    before = {each for each, _ in private_names.names_in(source, file)}
    after = {each for each, _ in private_names.names_in(f"{source}\n\n{code}\n", file)}
    assert after - before == {name}


@pytest.mark.parametrize(
    "code",
    [
        "import os\ndef planted(): os._exit(1)",
        "def planted(row): return row._asdict()",
        "_kept = 1\nprint(_kept)",
        "class Planted(pl.Callback):\n    def see(self): self._mine = 1\n    def say(self): return self._mine",
        "from mnist1d_hf.bayes import tables as planted\nprint(planted._tables)",
        "def planted(stage): return f'{stage}_dataloader'",
    ],
)
def test_what_is_our_own_is_not_taken_for_a_librarys(code):
    file = "lightning_module/loop/threads.py"
    source = (ROOT / file).read_text(encoding="utf-8")
    before = {each for each, _ in private_names.names_in(source, file)}
    assert {each for each, _ in private_names.names_in(f"{source}\n\n{code}\n", file)} == before


def test_the_readme_leads_to_the_page():
    assert "(docs/ARCHITECTURE.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
