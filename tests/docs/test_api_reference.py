"""The reference has every public name, each with an example that names it; test_pages.py runs the examples."""

import ast
import importlib
import re

import pytest
from blocks import ROOT, blocks

# What a user imports from. What their `__all__` says is public.
PUBLIC = [
    "mnist1d_hf",
    "mnist1d_hf.bayes",
    "mnist1d_hf.compat",
    "mnist1d_hf.engine",
    "mnist1d_hf.hub.push",
    "mnist1d_hf.plot",
    "lightning_module",
    "lightning_module.model_hub",
    "lightning_module.studies",
]
PAGES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs" / "api").glob("*.md"))
ENTRY = re.compile(r"^\.\. (?:auto\w+|py:data):: ([\w.]+)$", re.MULTILINE)


def entries(page):
    """The names that a page documents, each with the code of the example below it; None if something else is there."""
    found = blocks(page)
    for block, after in zip(found, [*found[1:], None], strict=True):
        for name in ENTRY.findall(block.code) if block.language == "{eval-rst}" else []:
            yield name, after.code if after is not None and after.language == "python" else None


def named(code):
    """All names in a piece of code."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").rpartition(".")[2]
        elif isinstance(node, ast.Name | ast.Attribute):
            yield getattr(node, "id", None) or node.attr


# Imported as the file is collected: what libraries do to the process at their import is no test's doing.
NAMES = {package: importlib.import_module(package).__all__ for package in PUBLIC}
DOCUMENTED = {name: code for page in PAGES for name, code in entries(page)}


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_name_is_in_the_reference(package):
    public = NAMES[package]
    assert len(public) == len(set(public)) > 0
    missing = [name for name in public if f"{package}.{name}" not in DOCUMENTED]
    assert not missing, f"docs/api lacks names of {package}"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_has_an_example_that_uses_it(name):
    code = DOCUMENTED[name]
    assert code is not None, f"no example stands below {name}"
    assert name.rpartition(".")[2] in set(named(code)), f"the example below {name} does not use it"


def test_nothing_stands_twice():
    every = [name for page in PAGES for name, _ in entries(page)]
    assert len(every) == len(set(every)) > 100
