"""The tab Findings on the page: the verdicts of all studies, by study and verdict."""

from typing import Any, Final

import gradio as gr

from lightning_module.explorer.address import Address, choice, flag
from lightning_module.explorer.findings import pictures
from lightning_module.explorer.findings.rows import ALL, VERDICTS, chosen, studies
from lightning_module.explorer.moves import UNSEEN, Moves, moves
from lightning_module.explorer.work import Line

FIRST: Final = "benchmark"
EXPLAIN: Final = (
    '<p class="m1-explain">What the blog post and the paper on MNIST-1D say, and what our runs found, by rules written '
    "down before. Grey is where the whole bar, a 95 % interval, has to lie; a diamond is a published number.</p>"
)


class _Tab:
    """What the tab does when a filter changes."""

    def __init__(self) -> None:
        self._moves: Moves[tuple[Any, ...]] = Moves()
        self._finding = Line(2)

    async def find(self, study: str, verdict: str, everything: bool, turn: str, request: gr.Request) -> Any:
        """Returns the claims that pass, unless the visitor has moved on: answers may come in another order."""
        move = (study, verdict, everything)
        return await self._moves.answer(
            request.session_hash, move, turn, line=self._finding, work=lambda: _found(*move), late=gr.skip()
        )


def _found(study: str, verdict: str, everything: bool) -> str:
    try:
        return pictures.found(chosen(study, verdict, statements=not everything), study)
    except ValueError:
        return '<div class="m1-error" role="alert"><p>There is no such study or verdict.</p></div>'


def build(address: Address) -> None:
    """Builds the tab, within ``gr.Tab``."""
    titles = [ALL, *studies()]
    gr.HTML(EXPLAIN, padding=False)
    with gr.Row(elem_classes="m1-findings"):
        study = gr.Dropdown(
            [("all studies", ALL), *((title, title) for title in studies())],
            value=FIRST,
            label="study",
            filterable=False,
            elem_id="findings-study",
        )
        verdict = gr.Radio(
            [(ALL, ALL), *((words, name) for name, words in VERDICTS.items())],
            value=ALL,
            label="verdict",
            elem_id="findings-verdict",
        )
        everything = gr.Checkbox(
            value=False, label="also printed numbers and our own questions", elem_id="findings-everything"
        )
    found = gr.HTML(_found(FIRST, ALL, False), elem_id="findings-found", padding=False)
    controls = [study, verdict, everything]
    turn = gr.Textbox(visible=False)
    gr.on(
        [each.change for each in controls],
        _Tab().find,
        [*controls, turn],
        found,
        js=moves("findings"),
        trigger_mode="multiple",
        **UNSEEN,
    )
    address.bind("study", study, choice(titles))
    address.bind("verdict", verdict, choice([ALL, *VERDICTS]))
    address.bind("everything", everything, flag)
