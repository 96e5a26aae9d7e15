"""The tab Read on the page: a quiz, signal by signal, and the table of a class."""

import html
from functools import partial
from typing import Any, Final

import gradio as gr

from lightning_module.explorer import parse, svg
from lightning_module.explorer.address import Address
from lightning_module.explorer.moves import UNSEEN
from lightning_module.explorer.read.game import HIGHEST_CODE, LONGEST_NAME, NUMBERS, Game
from lightning_module.explorer.read.results import shown
from lightning_module.explorer.read.uploads import class_table
from mnist1d_hf import RECIPES, digit_templates

KEPT: Final = 3600  # seconds in which a visitor may come back to a quiz
# What the browser does before it sends an answer: the number of the signal shown goes in place of the last input.
ANSWERED: Final = "(...values) => [...values.slice(0, -1), mnist1d.place()]"
ASK: Final = "Which digit is it? Type 0 to 9, or press a button."


def build(address: Address) -> None:
    """Builds the tab, within ``gr.Tab``."""
    game, place = gr.State(None, time_to_live=KEPT), gr.Number(0, visible=False)
    with gr.Column(elem_classes="m1-start") as start:
        gr.HTML(
            "<p>You see test signals, one after another, and say which digit each of them is. Then you see how a "
            "person, ten networks and the best possible classifier do. These are the ten curves that all signals are "
            f"made of:</p>{_templates()}",
            padding=False,
        )
        with gr.Row():
            number = gr.Radio([str(n) for n in NUMBERS], value="10", label="signals")
            code = gr.Textbox(label="class code", info="the same code shows everybody the same signals", max_length=4)
            config = gr.Dropdown(list(RECIPES), value="default", label="signals of the config", filterable=False)
            name = gr.Textbox(label="your name", info="of the file with your answers", max_length=LONGEST_NAME)
        begin = gr.Button("start", variant="primary", elem_id="read-start")
    said = gr.HTML(padding=False, elem_classes="m1-beside")
    with gr.Column(visible=False, elem_classes="m1-quiz") as quiz:
        signal = gr.HTML(padding=False, elem_id="read-signal")
        with gr.Row(elem_classes="m1-keys", elem_id="read-keys"):
            keys = [gr.Button(str(digit), elem_id=f"read-digit-{digit}", min_width=30) for digit in range(10)]
        stop = gr.Button("stop here", size="sm", elem_id="read-stop")
    with gr.Column(visible=False) as end:
        results = gr.HTML(padding=False, elem_id="read-results")
        again = gr.Button("another quiz", elem_id="read-again")
    with gr.Accordion("The table of a class", open=False):
        gr.HTML(
            "<p>Everybody plays with the same class code and hands in the file that is offered at the end; put the "
            "files here. They are read, and not kept.</p>",
            padding=False,
        )
        files = gr.File(file_count="multiple", file_types=[".json"], label="files of the class", elem_id="read-files")
        school = gr.HTML(padding=False, elem_id="read-class")
    address.bind("signals", number, parse.choice([str(n) for n in NUMBERS]))
    address.bind("code", code, _code)
    address.bind("quiz", config, parse.choice(list(RECIPES)))
    places = [game, start, quiz, end, signal, results, said]
    begin.click(_begin, [config, number, code], places, **UNSEEN)
    for digit, key in enumerate(keys):
        key.click(
            partial(_answer, digit),
            [game, name, place],
            places,
            js=ANSWERED,
            trigger_mode="multiple",
            **UNSEEN,
        )
    stop.click(_stop, [game, name], places, **UNSEEN)
    again.click(_again, None, places, **UNSEEN)
    files.upload(_class, files, [school, files], **UNSEEN)


def _code(text: str) -> str:
    return str(parse.whole(0, HIGHEST_CODE)(text))


def _begin(config: str, number: str, code: str) -> list[Any]:
    try:
        game = Game.begin(config, int(number), int(_code(code.strip())) if code.strip() else None)
    except ValueError as error:
        return [None, gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip(), _error(f"class code: {error}")]
    return _playing(game)


def _answer(digit: int, game: Game | None, name: str, place: int) -> list[Any]:
    if game is None or not game.answer(digit, int(place)):
        return [gr.skip() for _ in range(7)]
    if game.is_over:
        return _over(game, name)
    return [game, gr.skip(), gr.skip(), gr.skip(), _signal(game), gr.skip(), gr.skip()]


def _stop(game: Game | None, name: str) -> list[Any]:
    return _over(game, name) if game is not None and game.answers else _again()


def _again() -> list[Any]:
    return [None, gr.update(visible=True), gr.update(visible=False), gr.update(visible=False), "", "", ""]


def _playing(game: Game) -> list[Any]:
    hidden, seen = gr.update(visible=False), gr.update(visible=True)
    return [game, hidden, seen, hidden, _signal(game), "", ""]


def _signal(game: Game) -> str:
    panel = svg.Panel(game.questions.x[game.place], f"signal {game.place + 1} of {len(game.questions.rows)}")
    return f'<div class="m1-one" role="status">{svg.signals([panel], columns=1, narrow=1)}<p>{ASK}</p></div>'


def _over(game: Game, name: str) -> list[Any]:
    hidden, seen = gr.update(visible=False), gr.update(visible=True)
    return [game, hidden, hidden, seen, "", shown(game, name), ""]


def _class(paths: list[str] | None) -> list[Any]:
    return [class_table(paths or []), None]


def _error(text: str) -> str:
    return f'<div class="m1-error" role="alert"><p>{html.escape(text)}</p></div>'


def _templates() -> str:
    templates = digit_templates()
    return svg.signals(
        [svg.Panel(curve, str(digit)) for curve, digit in zip(templates.x, templates.y.tolist(), strict=True)]
    )
