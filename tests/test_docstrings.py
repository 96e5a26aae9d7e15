"""One manner of docstring: functions begin with a verb, classes and modules with a noun; fields are Attributes."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from lightning_module.commands import data, model, study

ROOT = Path(__file__).parents[1]
COMMANDS = ROOT / "lightning_module" / "commands"
GROUPS = (data.GROUP, model.GROUP, study.GROUP)

# What functions do. A verb that is missing here may be added, in the third person.
_VERBS = """
Accepts Adds Announces Attaches Begins Binds Brings Builds Calls Changes Checks Chooses Compares Computes Connects
Counts Decides Deletes Does Draws Ends Evaluates Executes Explains Fetches Fills Finds Forgets Generates Gives Goes
Handles Hands Imports Keeps Leaves Lets Loads Logs Makes Marks Measures Moves Notes Orders Parses Places Prints Puts
Raises Reads Records Refuses Removes Renames Returns Runs Saves Says Scores Seeds Sends Serves Sets Shows Sorts Starts
Stops Sweeps Takes Tells Times Touches Trains Turns Uploads Waits Warns Writes Yields
"""
VERBS = frozenset(_VERBS.split())
ALSO_NOUNS = {"Checks", "Draws", "Marks", "Notes", "Records", "Scores"}  # with which a class or module may begin
SECTION = re.compile(r"^[A-Z]\w+:$")
ENTRY = re.compile(r"^ {4}(\*{0,2}\w+(?:, \*{0,2}\w+)*):")
SHOWN_IN_HELP = ("MNIST1DCLI", "add_lightning_class_args")  # what is called with classes, and shows their docstrings


def files():
    """Yields the Python files but the sources of notebooks, whose code stands in the executed ones as well."""
    tracked = subprocess.run(
        ["git", "ls-files", "mnist1d_hf", "lightning_module", "benchmarks", "docs", "requirements"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    ).stdout.split()
    found = tracked or [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("*/**/*.py"))]
    for name in found:
        path = ROOT / name
        if path.suffix == ".py" and path.is_file() and not path.read_text(encoding="utf-8").startswith("# %%"):
            yield path


def commands():
    """Returns module and name of the functions whose first line is the help of a command, which says what to do."""
    found = {(function.__module__, function.__name__) for group in GROUPS for function in group.commands.values()}
    for path in COMMANDS.rglob("*.py"):  # a command that is no group reads the docstring itself
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "__doc__" and isinstance(node.value, ast.Name):
                found.add((f"lightning_module.commands.{path.stem}", node.value.id))
    return found


def classes_in_help():
    """Returns the names of the classes whose first line is the heading of their options."""
    found = set()
    for path in COMMANDS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in SHOWN_IN_HELP:
                found |= {argument.id for argument in node.args if isinstance(argument, ast.Name)}
    return found


def entries(text, section):
    """Returns the names below a heading of a docstring, and the lines there that begin no entry; None without it."""
    names, strange, inside = [], [], None
    for line in text.splitlines():
        if SECTION.match(line):
            inside = line == f"{section}:" or (False if inside is not None else None)
        elif inside and line.startswith("    ") and not line.startswith("     "):
            found = ENTRY.match(line)
            names += [name.lstrip("*") for name in found[1].split(", ")] if found else []
            strange += [] if found else [line.strip()]
        elif inside and line and not line.startswith(" "):
            inside = False
    return None if inside is None else (names, strange)


def parameters(function):
    """Returns the names of a function's parameters, but for the object or class that it belongs to."""
    given = function.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [each.arg for each in every if each is not None and each.arg not in {"self", "cls"}]


def is_record(node):
    """Returns whether a class is a dataclass or a named tuple."""
    marks = [ast.unparse(each) for each in (*node.decorator_list, *node.bases)]
    return any(mark.partition("(")[0].rpartition(".")[2] in {"dataclass", "NamedTuple"} for mark in marks)


def fields(node):
    """Returns the names of a record's public fields."""
    found = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    return [
        each.target.id
        for each in found
        if not each.target.id.startswith("_") and "ClassVar" not in ast.unparse(each.annotation)
    ]


def wrong_names(text, section, allowed):
    """Yields what is wrong with the entries below a heading, if there is such a heading, that should be `allowed`."""
    found = entries(text, section)
    if found is None:
        return
    names, strange = found
    for line in strange:
        yield f"{section} has the line {line!r}, which begins no entry: continued lines are further in"
    for name in names:
        if name not in allowed:
            yield f"{section} names {name!r}, which does not exist; there are {', '.join(allowed) or 'none'}"
    for name in allowed:
        if name not in names:
            yield f"{section} does not name {name!r}; say what it is"


def wrong_class(node, text, in_help):
    """Yields what is wrong with the docstring of a class."""
    word = text.split()[0].strip(".,:")
    if word in VERBS - ALSO_NOUNS and node.name not in in_help:
        yield f'"{word}" is what a function does; say what an object of the class is'
    if is_record(node):
        if entries(text, "Args") is not None:
            yield "the fields of a dataclass or named tuple stand under Attributes, not under Args"
        public = fields(node)
        if public and not node.name.startswith("_") and entries(text, "Attributes") is None:
            yield f"the fields {', '.join(public)} are not said: write them under Attributes"
        yield from wrong_names(text, "Attributes", public)
        return
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name in {"__init__", "__new__"}:
            yield from wrong_names(text, "Args", parameters(function))


def wrong_function(node, text, *, is_command):
    """Yields what is wrong with the docstring of a function."""
    word = text.split()[0].strip(".,:")
    if is_command and word in VERBS:
        yield f'the help of a command says what to do, and not "{word}"'
    if not is_command and word not in VERBS:
        yield f'begins with "{word}" and not with a verb such as "Returns"; add it to VERBS if it is one'
    yield from wrong_names(text, "Args", parameters(node))


def faults(source, module="", helps=frozenset(), in_help=frozenset()):
    """Yields what is wrong with the docstrings of a source text."""
    tree = ast.parse(source)
    text = ast.get_docstring(tree)
    reads_own = any(isinstance(node, ast.Name) and node.id == "__doc__" for node in ast.walk(tree))
    first = text.splitlines()[0] if text else ""
    is_question = first.endswith("?") or "? " in first
    if text and text.split()[0] in VERBS - ALSO_NOUNS and not is_question and not reads_own:  # read: it is a help
        yield f'1: "{text.split()[0]}" is what a function does; say what is in the module'
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        text = ast.get_docstring(node)
        if not text:
            continue
        if isinstance(node, ast.ClassDef):
            found = wrong_class(node, text, in_help)
        else:
            found = wrong_function(node, text, is_command=(module, node.name) in helps)
        yield from (f"{node.lineno}: {node.name}: {fault}" for fault in found)


def test_every_docstring_has_the_manner():
    helps, in_help = commands(), classes_in_help()
    found = []
    for path in files():
        name = str(path.relative_to(ROOT))
        module = name.removesuffix(".py").replace("/", ".")
        found += [f"{name}:{fault}" for fault in faults(path.read_text(encoding="utf-8"), module, helps, in_help)]
    assert not found, "\n" + "\n".join(found)


def test_what_is_looked_at_and_what_is_left_out():
    names = {str(path.relative_to(ROOT)) for path in files()}
    assert {"mnist1d_hf/mnist1d.py", "lightning_module/cli.py", "benchmarks/report.py"} <= names
    assert {"docs/notebooks/execute.py", "requirements/renew.py"} <= names
    assert not {"docs/notebooks/pooling.py", "docs/notebooks/ceiling.py"} & names
    prefix = "lightning_module.commands"
    assert {(f"{prefix}.data", "build"), (f"{prefix}.quiz", "quiz"), (f"{prefix}.demo", "main")} <= commands()
    assert (f"{prefix}.hub", "verify") not in commands()  # which a command calls
    assert classes_in_help() == {"Classifier", "MNIST1DDataModule", "PredictionWriter"}


RECORD = (
    'class A(NamedTuple):\n    """A thing.\n\n    Attributes:\n        x: The x.\n    """\n    x: int\n    y: int\n'
)
FUNCTION = 'def f(x, *, y):\n    """Returns it.\n\n    Args:\n        x: The x.\n        z: The z.\n    """\n'


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('def f():\n    """The sum of all."""\n', 'begins with "The"'),
        ('def f():\n    """Signals in rows."""\n', 'begins with "Signals"'),
        ('class A:\n    def f(self):\n        """Return the sum."""\n', 'begins with "Return"'),
        ('class A:\n    """Returns the sum."""\n', "what an object of the class is"),
        ('"""Makes the sum."""\n', "what is in the module"),
        ('@dataclass(frozen=True)\nclass A:\n    """A thing."""\n    x: int\n', "write them under Attributes"),
        (RECORD, "Attributes does not name 'y'"),
        (RECORD.replace("        x:", "        y: The y.\n        z:"), "Attributes names 'z'"),
        (RECORD.replace("Attributes", "Args"), "not under Args"),
        (FUNCTION, "Args names 'z', which does not exist; there are x, y"),
        (FUNCTION, "Args does not name 'y'"),
        (FUNCTION.replace("        z: The z.", "        of a signal."), "begins no entry"),
        ('class A:\n    """A thing.\n\n    Args:\n        x: The x.\n    """\n    def __init__(self, y): ...\n', "'x'"),
    ],
)
def test_each_fault_is_found(source, fault):
    assert any(fault in found for found in faults(source)), list(faults(source))


def test_what_is_right_passes():
    both = RECORD.replace("x: The x.", "x: The x,\n            which is long.\n        y: The y.")
    assert not list(faults(both))
    assert not list(faults(FUNCTION.replace("z: The z.", "y: The y.")))
    assert not list(faults('def f():\n    """Build it."""\n', "m", {("m", "f")}))
    assert list(faults('def f():\n    """Builds it."""\n', "m", {("m", "f")}))
    assert not list(faults('"""Makes the sum."""\nparser(description=__doc__)\n'))
