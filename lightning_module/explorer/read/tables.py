"""Tables as HTML: scores with their intervals, and who takes which digit for which."""

import html
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lightning_module.quiz.score import QuizScore

Matrix = npt.NDArray[np.int64]
DIGITS = range(10)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, label: str) -> str:
    """Returns a table whose first column names its rows; all text is escaped.

    Args:
        heads: The columns.
        rows: Their cells.
        label: What the table is, for those who do not see it.
    """
    head = "".join(f"<th scope=col>{html.escape(text)}</th>" for text in heads)
    body = "".join(
        f"<tr><th scope=row>{html.escape(first)}</th>{''.join(f'<td>{html.escape(text)}</td>' for text in others)}</tr>"
        for first, *others in rows
    )
    return (
        f'<div class="m1-scroll"><table class="m1-table" aria-label="{html.escape(label)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def score_cells(score: QuizScore) -> list[str]:
    """Returns right answers, all answers, accuracy and interval as texts."""
    if score.accuracy is None or score.interval is None:
        return ["0", "0", "", ""]
    low, high = score.interval
    return [str(score.right), str(score.of), f"{score.accuracy:.1%}", f"{low:.1%} to {high:.1%}"]


def confusion(truth: Sequence[int], answers: Sequence[int]) -> Matrix:
    """Returns how often each digit (rows) was taken for each (columns), ``(10, 10)``."""
    found: Matrix = np.zeros((10, 10), dtype=np.int64)
    np.add.at(found, (np.asarray(truth, dtype=np.int64), np.asarray(answers, dtype=np.int64)), 1)
    return found


def matrix(name: str, counts: Matrix) -> str:
    """Returns a confusion matrix: shares of each digit's signals by colour, counts as text."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = counts.trace() / max(1, counts.sum())
    head = "".join(f"<th scope=col>{digit}</th>" for digit in DIGITS)
    rows = ["".join(_cell(truth, k, counts[truth, k], shares[truth, k]) for k in DIGITS) for truth in DIGITS]
    body = "".join(f"<tr><th scope=row>{truth}</th>{row}</tr>" for truth, row in enumerate(rows))
    return (
        f'<figure class="m1-matrix"><figcaption>{html.escape(name)}: {right:.1%} right</figcaption>'
        f'<table aria-label="{html.escape(name)}: digits in rows, what they were read as in columns">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></figure>"
    )


def _cell(truth: int, answer: int, count: int, share: float) -> str:
    kind = "m1-hit" if truth == answer else "m1-miss"
    return f'<td class="{kind}" style="--share:{share:.2f}">{count or ""}</td>'
