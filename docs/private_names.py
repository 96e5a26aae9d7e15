"""Every private name of a library that the code uses: `python docs/private_names.py` lists them, with places.

A private name begins with one underscore. It may change with any release, so each use is to be known, and has its
reason in docs/ARCHITECTURE.md. Taken for a library's is every such name that is not certainly our own:

- what is imported from a library under such a name, or from a module of such a name;
- an attribute of anything but `self`, `cls`, `super()` and our own modules, whatever it is;
- of these three, what a library's class defines (in its body, or in a method on `self`) from which ours is derived, or
  whose methods ours calls on itself, also where ours overrides it; and what no class of ours defines;
- a keyword, and a text that is such a name as a whole, as `getattr` takes it, or a dotted one;
- a variable of a module that nothing of ours reads: then somebody else does.

What remains unseen: a name that is put together at run time after its first letter is, and code in a text.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = ("mnist1d_hf", "lightning_module")
FOLDERS: Final = (*PACKAGES, "benchmarks", "docs", "requirements")

# What Python's own documentation tells users to call: no private names.
DOCUMENTED: Final = frozenset({"os._exit"})
OF_NAMED_TUPLES: Final = frozenset({"_asdict", "_fields", "_make", "_replace"})
SETTERS: Final = frozenset({"register_buffer", "register_parameter", "__setattr__"})
# What looks like a library's, and why it is none.
OUR_OWN: Final = {
    ("mnist1d_hf/register.py", "_knows_mnist1d"): "a mark of ours, on a function of ours",
    ("mnist1d_hf/streaming.py", "_is_direct"): "a mark of ours, on a function of ours",
    ("lightning_module/loop/transparency.py", "_gradients_of"): "a method of MinibatchTraining",
    ("lightning_module/studies/framework/listing/new_study.py", "_0123456789"): "characters",
}


class Use(NamedTuple):
    """One private name of a library in one file.

    Attributes:
        file: From the root, with slashes.
        name: The name.
    """

    file: str
    name: str


def uses(root: Path = ROOT) -> dict[Use, int]:
    """Returns every use in a tree, with the line of the first one in its file.

    The tree's classes are looked up in the packages that are installed, for the base classes that they have.
    """
    found: dict[Use, int] = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            file = path.relative_to(root).as_posix()
            if file == Path(__file__).relative_to(ROOT).as_posix():
                continue  # its texts are lists of such names
            for name, line in sorted(names_in(path.read_text(encoding="utf-8"), file, root), key=lambda each: each[1]):
                if (file, name) not in OUR_OWN:
                    found.setdefault(Use(file, name), line)
    return found


def unused_exceptions(root: Path = ROOT) -> list[tuple[str, str]]:
    """Returns the entries of `OUR_OWN` that nothing in the tree needs."""
    return [
        (file, name)
        for file, name in OUR_OWN
        if name not in {each for each, _ in names_in((root / file).read_text(encoding="utf-8"), file, root)}
    ]


def names_in(source: str, file: str, root: Path = ROOT) -> list[tuple[str, int]]:
    """Returns the private names in a file's text that are not certainly our own, with their lines.

    Args:
        source: The text.
        file: Where it stands, from the root; in a package, the classes in it are looked up in that module.
        root: The tree, in which modules of ours are looked for.
    """
    return _Scan(source, file, root).found


def is_private(name: str) -> bool:
    """Returns whether a name begins with one underscore, and is not only that."""
    return name.startswith("_") and not name.startswith("__") and name != "_"


class _Scan(ast.NodeVisitor):
    """The private names of one file that are not certainly our own, with their lines."""

    def __init__(self, source: str, file: str, root: Path) -> None:
        self.found: list[tuple[str, int]] = []
        self._file, self._root = file, root
        self._classes: list[tuple[set[str], set[str]]] = []  # of each class around: names of ours, of libraries
        self._tree = ast.parse(source)
        self._own_modules = {"self": False, "cls": False} | dict(self._imported())
        self._defined = {
            node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else node.id
            for node in ast.walk(self._tree)
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
        } | stored_on_self(self._tree)
        self.visit(self._tree)
        self._read_by_others()

    def _add(self, name: str, node: ast.AST) -> None:
        self.found.append((name, getattr(node, "lineno", 0)))

    def _imported(self) -> Iterator[tuple[str, bool]]:
        """Yields names that are imported, and whether each is a module of ours."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                yield from ((each.asname, self._is_ours(each.name)) for each in node.names if each.asname)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for each in node.names:
                    yield each.asname or each.name, self._is_ours(f"{node.module}.{each.name}")

    def _is_ours(self, dotted: str) -> bool:
        place = self._root.joinpath(*dotted.split("."))
        return dotted.split(".")[0] in PACKAGES and (place.is_dir() or place.with_suffix(".py").is_file())

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            for part in filter(is_private, each.name.split(".")):
                self._add(part, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or (node.module or "").split(".")[0] in PACKAGES:
            return
        for each in node.names:
            for part in filter(is_private, f"{node.module}.{each.name}".split(".")):
                self._add(part, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        ours, theirs = defined_by(node), set[str]()
        for kind in self._bases(node):
            if kind.__module__.split(".")[0] in PACKAGES:
                ours |= names_of(kind)
            else:
                theirs |= names_of(kind)
        for name in sorted(defined_by(node) & theirs):
            self._add(name, node)
        self._classes.append((ours, theirs))
        self.generic_visit(node)
        self._classes.pop()

    def _bases(self, node: ast.ClassDef) -> list[type]:
        """Returns all classes that one is derived from or borrows methods of, as they are after an import."""
        if self._file.split("/")[0] not in PACKAGES:
            return []
        module = import_module(self._file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        borrowed = [
            call.func.value
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
            if call.args and isinstance(call.args[0], ast.Name) and call.args[0].id == "self"
        ]  # Kind.method(self, ...)
        found = [_evaluated(base, module) for base in (*node.bases, *borrowed)]
        return [kind for each in found if isinstance(each, type) for kind in each.__mro__]

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        if is_private(name) and ast.unparse(node) not in DOCUMENTED and name not in OF_NAMED_TUPLES:
            of = node.value
            is_super = isinstance(of, ast.Call) and isinstance(of.func, ast.Name) and of.func.id == "super"
            if is_super or (isinstance(of, ast.Name) and of.id in ("self", "cls")):
                ours, theirs = self._classes[-1] if self._classes else (set(), set())
                if name in theirs or name not in ours:
                    self._add(name, node)
            elif not (isinstance(of, ast.Name) and self._own_modules.get(of.id)):
                self._add(name, node)
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg and is_private(node.arg) and node.arg not in self._defined:
            self._add(node.arg, node.value)
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for i, part in enumerate(node.values):
            if i == 0 or not isinstance(part, ast.Constant):  # what stands behind a value begins no name
                self.visit(part)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and all(map(str.isidentifier, node.value.split("."))):
            for part in filter(is_private, node.value.split(".")):
                if part not in self._defined or "." in node.value:
                    self._add(part, node)

    def _read_by_others(self) -> None:
        read = {
            each.id for each in ast.walk(self._tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
        }
        for node in self._tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if isinstance(target, ast.Name) and is_private(target.id) and target.id not in read:
                    self._add(target.id, node)


def _evaluated(base: ast.expr, module: Any) -> Any:
    """Returns the class that an expression in the head of a class stands for, None if it stands for none."""
    if isinstance(base, ast.Subscript):
        return _evaluated(base.value, module)
    if isinstance(base, ast.Attribute):
        return getattr(_evaluated(base.value, module), base.attr, None)
    return getattr(module, base.id, None) if isinstance(base, ast.Name) else None


def stored_on_self(tree: ast.AST) -> set[str]:
    """Returns the names that are assigned on `self` or `cls`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("self", "cls")
    }


def defined_by(node: ast.ClassDef) -> set[str]:
    """Returns the private names that a class defines: in its body, on `self`, and as names of buffers and the like."""
    names = stored_on_self(node)
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(each.name)
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in SETTERS:
            names |= {arg.value for arg in each.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    return set(filter(is_private, names))


@cache
def names_of(kind: type) -> frozenset[str]:
    """Returns the private names that an imported class defines by itself."""
    names = {name for name in vars(kind) if is_private(name)}
    try:
        file = inspect.getsourcefile(kind)
    except (OSError, TypeError):  # written in C, or by a function
        file = None
    node = _classes_of(file).get(kind.__qualname__) if file else None
    return frozenset(names | defined_by(node) if node else names)


@cache
def _classes_of(file: str) -> dict[str, ast.ClassDef]:
    """Returns the classes of a file by their qualified names; `inspect.getsource` would read it for each anew."""
    try:
        body: list[ast.stmt] = ast.parse(Path(file).read_text(encoding="utf-8")).body
    except (OSError, SyntaxError):
        return {}
    found: dict[str, ast.ClassDef] = {}
    todo: list[tuple[str, ast.AST]] = [("", node) for node in body]
    while todo:
        outer, node = todo.pop()
        if isinstance(node, ast.ClassDef):
            found[f"{outer}{node.name}"] = node
            todo += [(f"{outer}{node.name}.", each) for each in node.body]
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):  # one may stand in an `if`
            todo += [(outer, each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)]
    return found


if __name__ == "__main__":
    for use, line in uses().items():
        sys.stdout.write(f"{use.file}:{line} {use.name}\n")
