"""Draws docs/images/architecture.svg: `python docs/architecture.py`.

The rows are the layers of the import contracts in pyproject.toml, the arrows the imports that there are: each from a
room to one that it imports, those left out that follow from others. The same tree gives the same picture, to the byte.
"""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import grimp

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = Path("docs/images/architecture.svg")
PANELS: Final = ("lightning_module", "mnist1d_hf")
STUDIES: Final = "lightning_module.studies"

LETTER, LINE, SPACE, BETWEEN, MARGIN = 6.7, 15, 26, 34, 22  # pixels: of a letter, a line, between boxes, rows, around
IN_A_LINE: Final = 4  # names in a box of several
FONTS: Final = "DejaVu Sans Mono, Menlo, Consolas, monospace"
SWEEPS: Final = 12
FILLS: Final = {"folder": "#dbe9f6", "files": "#ffffff", "studies": "#fdebd3"}


@dataclass
class Node:
    """A box, or a place where an arrow passes a row.

    Attributes:
        row: Its row in the panel, from above.
        lines: What stands in it, nothing if it is none.
        kind: Which colour it has; of a place, "past" where an arrow leads past the studies.
        modules: The modules that it stands for, with all below them.
        x: Its middle.
    """

    row: int
    lines: tuple[str, ...] = ()
    kind: str = "files"
    modules: tuple[str, ...] = ()
    x: float = 0.0

    @property
    def width(self) -> float:
        """Returns the width, in pixels."""
        return max((len(line) for line in self.lines), default=-1) * LETTER + 16

    @property
    def height(self) -> int:
        """Returns the height, in pixels."""
        return len(self.lines) * LINE + 12


@dataclass
class Panel:
    """A package as a picture.

    Attributes:
        package: Its name.
        rows: Its rows of boxes, from above.
        arrows: The arrows, each as the nodes that it passes.
    """

    package: str
    rows: list[list[Node]]
    arrows: list[list[Node]] = field(default_factory=list)


def layers_of(contracts: Iterable[Mapping[str, Any]], container: str) -> list[list[str]]:
    """Returns the layers of a package, highest first, as its contract has them."""
    (found,) = (each["layers"] for each in contracts if each.get("containers") == [container])
    return [[name.strip(" ()") for name in layer.split("|")] for layer in found]


def boxes(root: Path, container: str, layer: list[str], row: int) -> list[Node]:
    """Returns a box for each folder of a layer, and one for all its files."""
    folders = [name for name in layer if root.joinpath(*container.split("."), name).is_dir()]
    made = [Node(row, (f"{name}/",), "folder", (f"{container}.{name}",)) for name in folders]
    files = [name for name in layer if name not in folders]
    if files:
        made.append(Node(row, _lines(files), "files", tuple(f"{container}.{name}" for name in files)))
    return made


def _lines(names: list[str]) -> tuple[str, ...]:
    return tuple("  ".join(names[i : i + IN_A_LINE]) for i in range(0, len(names), IN_A_LINE))


def rows_of(root: Path, contracts: list[dict[str, Any]], package: str) -> list[list[Node]]:
    """Returns the rows of a package; the layers of `studies` stand in the place of their folder."""
    rows: list[list[Node]] = []
    for layer in layers_of(contracts, package):
        if layer != ["studies"]:
            rows.append(boxes(root, package, layer, len(rows)))
            continue
        for inner in layers_of(contracts, STUDIES):
            made = boxes(root, STUDIES, [name for name in inner if name == "report" or len(inner) == 1], len(rows))
            studies = sorted(set(inner) - {"report"}) if len(inner) > 1 else []
            if studies:
                lines = (f"{len(studies)} studies, a folder each:", *_lines(studies))
                made.insert(0, Node(len(rows), lines, "studies", tuple(f"{STUDIES}.{name}" for name in studies)))
            if inner == ["framework"]:  # the package's own names lead to the frame's catalogue
                made[0].modules += (STUDIES,)
            rows.append(made)
    return rows


def imports_between(graph: grimp.ImportGraph, nodes: list[Node]) -> list[tuple[int, int]]:
    """Returns which boxes import which, by number; less those that a third one leads to."""
    home = {module: i for i, node in enumerate(nodes) for module in node.modules}

    def box(module: str) -> int | None:
        while module and module not in home:
            module = module.rpartition(".")[0]
        return home.get(module)

    below: dict[int, set[int]] = {i: set() for i in range(len(nodes))}
    for module in graph.modules:
        importer = box(module)
        for imported in graph.find_modules_directly_imported_by(module) if importer is not None else ():
            target = box(imported)
            if target is not None and target != importer:
                below[importer].add(target)

    def reached(i: int) -> set[int]:
        return below[i].union(*map(reached, below[i]))

    return sorted((i, j) for i in below for j in below[i] if not any(j in reached(k) for k in below[i]))


def drawn_panel(root: Path, contracts: list[dict[str, Any]], graph: grimp.ImportGraph, package: str) -> Panel:
    """Returns a package with all its boxes placed, from x = 0, and its arrows led between them."""
    panel = Panel(package, rows_of(root, contracts, package))
    nodes = [node for row in panel.rows for node in row]
    for i, j in imports_between(graph, nodes):
        passed = [Node(row) for row in range(nodes[i].row + 1, nodes[j].row)]
        for node in passed:
            if not _is_of_studies(nodes[i]) and any(map(_is_of_studies, panel.rows[node.row])):
                node.kind = "past"
            panel.rows[node.row].append(node)
        panel.arrows.append([nodes[i], *passed, nodes[j]])
    _place(panel)
    return panel


def _place(panel: Panel) -> None:
    """Sorts each row by where its arrows come from and go to, and moves it there as far as there is room."""
    beside: dict[int, list[Node]] = {}
    for arrow in panel.arrows:
        for upper, lower in pairwise(arrow):
            beside.setdefault(id(upper), []).append(lower)
            beside.setdefault(id(lower), []).append(upper)
    for row in panel.rows:
        _spread(row)
    for sweep in range(SWEEPS):
        for row in panel.rows if sweep % 2 else reversed(panel.rows):
            wish = {id(node): _mean(other.x for other in beside.get(id(node), [node])) for node in row}
            row.sort(key=lambda node: (node.kind == "past", wish[id(node)]))
            _spread(row, wish)
    _lead_past_studies(panel)
    left = min(node.x - node.width / 2 for row in panel.rows for node in row)
    for row in panel.rows:
        for node in row:
            node.x = round(node.x - left, 1)


def _is_of_studies(node: Node) -> bool:
    return any(module.startswith(STUDIES) for module in node.modules)


def _lead_past_studies(panel: Panel) -> None:
    """Moves arrows that lead from above the studies to below out of their frame."""
    end = max((node.x + node.width / 2 for row in panel.rows for node in row if _is_of_studies(node)), default=0.0)
    for row in panel.rows:
        for i, node in enumerate(each for each in row if each.kind == "past"):
            node.x = max(node.x, end + SPACE * (i + 1))


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed)


def _spread(row: list[Node], wish: Mapping[int, float] | None = None) -> None:
    """Puts the nodes of a row in their order, the row as a whole where they wish to be."""
    end = 0.0
    for node in row:
        wished = (wish or {}).get(id(node), 0.0)
        node.x = max(wished, end + node.width / 2) if wish and node is not row[0] else wished
        end = node.x + node.width / 2 + SPACE
    if wish:
        shift = _mean(wish[id(node)] - node.x for node in row)
        for node in row:
            node.x += shift


def contracts_of(root: Path = ROOT) -> list[dict[str, Any]]:
    """Returns the import contracts of a tree."""
    linter = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return list(linter["contracts"])


def imports() -> grimp.ImportGraph:
    """Returns the imports between the modules of both packages, but for those that only type checkers see."""
    return grimp.build_graph(*PANELS, exclude_type_checking_imports=True, cache_dir=None)


def drawing(contracts: list[dict[str, Any]], graph: grimp.ImportGraph, root: Path = ROOT) -> str:
    """Returns the picture, as SVG, of contracts and imports; folders are told from files by what is in a tree."""
    return svg([drawn_panel(root, contracts, graph, package) for package in PANELS])


def svg(panels: list[Panel]) -> str:
    """Returns the panels side by side; the lower package stands at the bottom."""
    depth = max(_height(panel) for panel in panels) + 2 * MARGIN + LINE
    body: list[str] = []
    left, frames = float(MARGIN), []
    for panel in panels:
        width = max(node.x + node.width / 2 for row in panel.rows for node in row) + 2 * MARGIN
        height = _height(panel) + 2 * MARGIN + LINE
        top = MARGIN + depth - height
        frames.append((left, top, width, height))
        body += [_frame(left, top, width, height, f"{panel.package}/", "#f7f7f7"), *_inside(panel, left + MARGIN, top)]
        left += width + 2 * MARGIN
    (x, _, width, _), (below, top, _, height) = frames
    y = top + height / 2
    body.append(_path(f"M{x + width:.1f},{y:.1f} L{below - 3:.1f},{y:.1f}", "arrow wide"))
    return _page(left - MARGIN, depth + 2 * MARGIN, body)


def _height(panel: Panel) -> int:
    return sum(max(node.height for node in row) for row in panel.rows) + BETWEEN * (len(panel.rows) - 1)


def _inside(panel: Panel, left: float, top: float) -> list[str]:
    """Returns the boxes and arrows of a panel."""
    middles, heights = [], []
    y = top + MARGIN + LINE
    for row in panel.rows:
        heights.append(max(node.height for node in row))
        middles.append(y + heights[-1] / 2)
        y += heights[-1] + BETWEEN
    parts = []
    of_studies = [node for row in panel.rows for node in row if _is_of_studies(node)]
    if of_studies:
        start = min(node.x - node.width / 2 for node in of_studies) - 10
        end = max(node.x + node.width / 2 for node in of_studies) + 10
        first, last = of_studies[0].row, of_studies[-1].row
        upper, lower = middles[first] - heights[first] / 2 - 16, middles[last] + heights[last] / 2 + 8
        parts.append(_frame(left + start, upper, end - start, lower - upper, "studies/", "#eeeeee"))
    for arrow in panel.arrows:
        parts.append(_path(_way(arrow, middles, heights, left), "arrow"))
    for row in panel.rows:
        for node in row:
            if node.lines:
                parts.append(_box(node, left + node.x, middles[node.row]))
    return parts


def _way(arrow: list[Node], middles: list[float], heights: list[int], left: float) -> str:
    """Returns an arrow's path: down from the lower edge of a box, through its places, to the upper edge of another."""
    first, *passed, last = arrow
    x, y = left + first.x, middles[first.row] + first.height / 2
    path = f"M{x:.1f},{y:.1f}"
    for node in (*passed, last):
        to, half = left + node.x, (heights[node.row] if node.lines == () else node.height) / 2
        end = middles[node.row] - half - (3 if node is last else 0)
        path += f" C{x:.1f},{(y + end) / 2:.1f} {to:.1f},{(y + end) / 2:.1f} {to:.1f},{end:.1f}"
        x, y = to, end
        if node is not last:
            y = middles[node.row] + half
            path += f" L{x:.1f},{y:.1f}"
    return path


def _path(way: str, kind: str) -> str:
    return f'<path class="{kind}" d="{way}" marker-end="url(#head)"/>'


def _box(node: Node, x: float, y: float) -> str:
    start, upper = x - node.width / 2, y - node.height / 2
    rounded = 2 if node.kind == "files" else 8
    shape = (
        f'<rect x="{start:.1f}" y="{upper:.1f}" width="{node.width:.1f}" height="{node.height}" rx="{rounded}" '
        f'fill="{FILLS[node.kind]}" stroke="#444"/>'
    )
    texts = [
        f'<text x="{x:.1f}" y="{upper + 6 + LINE * (i + 0.75):.1f}" text-anchor="middle">{escape(line)}</text>'
        for i, line in enumerate(node.lines)
    ]
    return "\n".join([shape, *texts])


def _frame(x: float, y: float, width: float, height: float, name: str, fill: str) -> str:
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="10" fill="{fill}" stroke="#999"/>'
    )
    return f'{shape}\n<text x="{x + 8:.1f}" y="{y + 14:.1f}" font-weight="bold">{name}</text>'


def _page(width: float, height: float, body: list[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" font-family="{FONTS}" font-size="11" fill="#111">',
            "<title>The rooms of the two packages, in the layers of the import contracts; arrows are imports</title>",
            "<style>.arrow { fill: none; stroke: #667; stroke-width: 1.2 } .wide { stroke-width: 3 }</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" '
            'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L8,4 L0,8 Z" fill="#667"/></marker></defs>',
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
            *body,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    (ROOT / PICTURE).write_text(drawing(contracts_of(), imports()), encoding="utf-8")
    sys.stdout.write(f"{PICTURE}\n")
