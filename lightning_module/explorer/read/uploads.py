"""The table of a class, from the files that its quizzes left: they are parsed as data, and deleted at once."""

import html
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lightning_module.explorer.read.tables import matrix, score_cells, table
from lightning_module.quiz.school_class import matrices, read_files

MOST_FILES: Final = 200
HEADS: Final = ("person", "right", "of", "accuracy", "95 % interval", "seconds a signal", "config")


def class_table(paths: Sequence[str]) -> str:
    """Returns how a class did, person by person, the best first, and what was taken for what.

    Args:
        paths: The uploaded files, which are deleted. The person is the file's name without its ending.
    """
    files = [Path(path) for path in paths]
    try:
        school = read_files(files[:MOST_FILES])
    finally:
        for file in files:
            with suppress(OSError):
                file.unlink()
    left_out = [*school.left_out]
    if len(files) > MOST_FILES:
        left_out.append(f"{len(files) - MOST_FILES} files were left out: at most {MOST_FILES} at a time")
    told = "".join(f"<p>{html.escape(line)}</p>" for line in left_out)
    notice = f'<div class="m1-notice" role="status">{told}</div>' if told else ""
    if not school.sheets:
        return notice or '<p class="m1-faint">No file was given.</p>'
    best_first = sorted(school.sheets, key=lambda sheet: -(sheet.score.accuracy or 0.0))
    rows = [
        [_printable(sheet.person), *score_cells(sheet.score), f"{sheet.seconds:.1f}", sheet.config]
        for sheet in best_first
    ]
    rows.append(["the class", *score_cells(school.score), "", ""])
    drawn = "".join(matrix(name, counts) for name, counts in matrices(school).items())
    return f'{notice}{table(HEADS, rows, label="the class")}<div class="m1-matrices">{drawn}</div>'


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)
