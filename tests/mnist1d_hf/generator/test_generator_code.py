"""The constant in the cache's key that stands for the generator's code: it must change when that code does."""

import ast
import hashlib
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

import mnist1d_hf
from mnist1d_hf.generator.recipe import DEFAULT, FIELD_NAMES, RecipeError
from mnist1d_hf.mnist1d import GENERATOR_CODE, _content_hash

PACKAGE = Path(mnist1d_hf.__file__).parent
# Every module that is loaded when a config is built, and so may decide what is in it.
FILES = (
    "checks.py",
    "generator/arithmetic.py",
    "generator/arrays.py",
    "generator/columns.py",
    "generator/draws.py",
    "generator/fast_stream.py",
    "generator/generate.py",
    "generator/population.py",
    "generator/recipe.py",
    "generator/reference_stream.py",
    "generator/stages.py",
    "generator/templates.py",
    "generator/transforms.py",
    "mnist1d.py",
)
# By what it was called when the constant was made; a name decides nothing.
CALLED = {"stages.py": "streams.py"}

# Loaded as well, and without a say in it: what keeps caches, finds the builder, hands the data over.
NOT_OF_THE_DATA = {"__init__.py", "generator/__init__.py", "bunch.py", "manifest.py", "register.py", "tidy.py"}

# The constant itself; and the named configs, whose numbers are in the name of a cache folder by themselves: one more
# config makes nobody's data anew.
ELSEWHERE = {"GENERATOR_CODE", "RECIPES"}

# What is called for a stream only, which no cache holds; taken for what it was when the constant was made.
OF_STREAMS = {
    "_get_examples_iterable_for_split": "return datasets.ArrowBasedBuilder._get_examples_iterable_for_split("
    "self, split_generator)"
}

LOADED = """
import sys
from pathlib import Path
import mnist1d_hf
import mnist1d_hf.generator.generate
package = Path(mnist1d_hf.__file__).parent
files = {Path(module.__file__) for name, module in sys.modules.items() if name.split(".")[0] == "mnist1d_hf"}
print(*sorted(str(path.relative_to(package)) for path in files))
"""


class Bare(ast.NodeTransformer):
    """Takes out what decides nothing: docstrings, imports (a module may be moved), `ELSEWHERE`, and `OF_STREAMS`."""

    def visit_FunctionDef(self, node):
        node = self.generic_visit(node)
        if node.name in OF_STREAMS:
            node.body = ast.parse(OF_STREAMS[node.name]).body
        return node

    def generic_visit(self, node):
        super().generic_visit(node)
        if isinstance(getattr(node, "body", None), list):
            node.body = [each for each in node.body if not is_text(each)] or [ast.Pass()]
        return node

    def visit_Import(self, node):
        return None

    def visit_ImportFrom(self, node):
        return None

    def visit_AnnAssign(self, node):
        left_out = isinstance(node.target, ast.Name) and node.target.id in ELSEWHERE
        return None if left_out else self.generic_visit(node)


def is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def digest_of(sources):
    """Returns the digest of the syntax trees of texts, by name."""
    digest = hashlib.sha256()
    called = {CALLED.get(Path(name).name, Path(name).name): source for name, source in sources.items()}
    for name in sorted(called):
        tree = Bare().visit(ast.parse(called[name]))
        digest.update(f"{name}\n{ast.unparse(tree)}\n".encode())
    return digest.hexdigest()[:16]


def sources():
    return {name: (PACKAGE / name).read_text(encoding="utf-8") for name in FILES}


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="each Python writes a syntax tree in its own way")
def test_the_constant_is_the_digest_of_the_generators_code():
    found = digest_of(sources())
    assert found == GENERATOR_CODE, (
        f'the generator has changed: write GENERATOR_CODE: Final = "{found}" in mnist1d.py, so that caches are built '
        "anew; if a record of a published config differs, DATA_VERSION must change as well"
    )


def test_code_changes_it_and_comments_docstrings_imports_and_places_do_not():
    before = digest_of({"a.py": "import numpy\n\ndef f(x):\n    return x + 1\n"})
    for same in (
        "from os import path\n\ndef f(x):\n    return x + 1\n",
        "RECIPES: dict = {1: 2}\n\ndef f(x):\n    return x + 1\n",
        '"""What it is."""\nimport numpy\n\n\ndef f(x):\n    """Returns one more."""\n    return (x + 1)  # more\n',
    ):
        assert digest_of({"generator/a.py": same}) == before
    for other in ("import numpy\n\ndef f(x):\n    return x + 2\n", "import numpy\n\ndef g(x):\n    return x + 1\n"):
        assert digest_of({"a.py": other}) != before


def test_no_module_that_makes_the_data_is_left_out(python):
    assert set(python(LOADED).split()) == {*FILES} | NOT_OF_THE_DATA


def test_the_numbers_of_a_config_are_in_the_name_of_its_folder_by_themselves():
    """So they need not be in the constant."""
    usual = {"recipe": DEFAULT, "stream": "reference", "latents": False}
    others = [usual | {field: value} for field, value in (("stream", "fast"), ("latents", True))]
    for field in FIELD_NAMES:
        value = getattr(DEFAULT, field)
        changed = not value if isinstance(value, bool) else (1, 2) if isinstance(value, tuple) else value + 1
        with suppress(RecipeError):  # one more than it may be
            others.append(usual | {"recipe": replace(DEFAULT, **{field: changed})})
    assert len(others) > len(FIELD_NAMES) - 3
    assert len({_content_hash(**each) for each in [usual, *others]}) == len(others) + 1
