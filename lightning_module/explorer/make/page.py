"""The tab Make on the page: controls to the left, what they make to the right, the code below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from lightning_module.explorer import parse
from lightning_module.explorer.address import Address
from lightning_module.explorer.limits import Limit, known_limit
from lightning_module.explorer.make import download, pictures, posterior
from lightning_module.explorer.make.fields import (
    ALL,
    FIRST,
    NAMES,
    PADDING,
    REST,
    Field,
    place_of,
    recipe_of,
    values_of,
)
from lightning_module.explorer.make.shown import Shown, shown
from lightning_module.explorer.make.snippets import snippets
from lightning_module.explorer.moves import UNSEEN, Moves, follows, moves, number_of
from lightning_module.explorer.work import Line
from mnist1d_hf import RECIPES, Recipe
from mnist1d_hf.generator.recipe import RecipeError

MOST_INDEX: Final = 9_999
DIGITS: Final = [str(digit) for digit in range(10)]
NO_RECIPE: Final = "these numbers are no recipe; the signals are those of the last ones that were"
OUTPUTS: Final = 8  # of a move
PLACES: Final = ("first", "padding", "rest")


@dataclass(frozen=True)
class _Move:
    config: str
    index: Any
    values: tuple[Any, ...]

    def found(self) -> tuple[Recipe, str, Shown]:
        """Returns recipe, stream and signals; raises RecipeError where there are none."""
        recipe, stream = recipe_of(self.values)
        return recipe, stream, shown(recipe, stream, _checked_index(self.index))


class _Tab:
    """What the tab does when something on it changes.

    The inputs are config, index, digit, the recipe's controls, and the number that the browser gave the move.
    """

    def __init__(self) -> None:
        self._moves: Moves[_Move] = Moves()
        self._drawing, self._weighing, self._refining = Line(2), Line(), Line()

    async def draw(self, request: gr.Request, config: str, index: int, digit: str, *values_and_turn: Any) -> list[Any]:
        """Returns what follows at once: signals, construction, code, limit, and an error beside each group."""
        *values, turn = values_and_turn
        move = _Move(config, index, tuple(values))
        return await self._moves.answer(
            request.session_hash,
            move,
            turn,
            line=self._drawing,
            work=lambda: self.drawn(move, int(digit)),
            late=[gr.skip()] * OUTPUTS,
        )

    def drawn(self, move: _Move, digit: int) -> list[Any]:
        """Returns the outputs of `draw`."""
        try:
            recipe, stream, found = move.found()
        except RecipeError as error:
            place = place_of(str(error))
            lines = [pictures.error(str(error) if each == place else "") for each in PLACES]
            opened = gr.skip() if place == "first" else gr.update(open=True)
            return [gr.skip(), gr.skip(), gr.skip(), pictures.limit(None, reason=NO_RECIPE), opened, *lines]
        texts = snippets(move.config, recipe, stream, int(move.index))
        known = _known(recipe)
        return [
            pictures.ten(found, waiting=True),
            pictures.construction(found, recipe, digit),
            pictures.code(texts, found.sha256, download.query(move.config, move.values)),
            pictures.limit(known, going_on=known is not None and not known.signals),
            gr.skip(),
            *["" for _ in PLACES],
        ]

    async def weigh(self, request: gr.Request, turn: str) -> list[Any]:
        """Returns the visitor's signals with their posteriors, unless they have moved on in the meantime."""
        visitor = request.session_hash
        move = self._moves.latest(visitor)
        if move is None or self._moves.turn(visitor) != number_of(turn):
            return [gr.skip(), gr.skip()]
        return await self._weighing.do(
            lambda: self._weighed(visitor, move),
            late=[gr.skip(), gr.skip()],
            wanted=lambda: self._moves.is_latest(visitor, move),
        )

    def _weighed(self, visitor: str | None, move: _Move) -> list[Any]:
        try:
            recipe, stream, found = move.found()
        except RecipeError:
            return [gr.skip(), gr.skip()]  # said already
        try:
            p = posterior.posterior(recipe, stream, found)
        except (RecipeError, ImportError) as error:
            return [pictures.ten(found), pictures.limit(known_limit(recipe), reason=f"none: {error}")]
        return [pictures.ten(found, p) if self._moves.is_latest(visitor, move) else gr.skip(), gr.skip()]

    async def estimate(self, request: gr.Request, turn: str) -> Any:
        """Returns the Bayes limit on few signals, unless it is known so well or the visitor has moved on."""
        return await self._refine(request.session_hash, turn, posterior.TOLD[0])

    async def refine(self, request: gr.Request, turn: str) -> Any:
        """Returns the Bayes limit on many signals, unless it is known so well or the visitor has moved on."""
        return await self._refine(request.session_hash, turn, posterior.TOLD[-1])

    async def _refine(self, visitor: str | None, turn: str, signals: int) -> Any:
        move = self._moves.latest(visitor)
        if move is None or self._moves.turn(visitor) != number_of(turn):
            return gr.skip()
        if not self._moves.claim(visitor, move, f"limit on {signals}"):
            return gr.skip()
        return await self._refining.do(
            lambda: self._refined(visitor, move, signals),
            late=gr.skip(),
            wanted=lambda: self._moves.is_latest(visitor, move),
        )

    def _refined(self, visitor: str | None, move: _Move, signals: int) -> Any:
        last = signals == posterior.TOLD[-1]
        try:
            recipe, *_ = move.found()
            known = _known(recipe)
            if known is not None and (known.signals or not last):
                return gr.skip()  # what is interpolated is better than what few signals say
            found = posterior.computed_limit(recipe, signals, lambda: self._moves.has_time_for(visitor, move))
        except (RecipeError, ImportError):
            return gr.skip()  # said already
        return gr.skip() if found is None else pictures.limit(found, going_on=not last)


def _known(recipe: Recipe) -> Limit | None:
    return known_limit(recipe) if recipe.iid_noise_scale else None


def _checked_index(index: Any) -> int:
    if index is None or not 0 <= index <= MOST_INDEX or int(index) != index:
        raise RecipeError(f"the example's number {index} must be a whole number from 0 to {MOST_INDEX}")
    return int(index)


def build(address: Address) -> None:
    """Builds the tab, within ``gr.Tab``."""
    usual = dict(zip(NAMES, values_of("default"), strict=True))
    tab = _Tab()
    first = tab.drawn(_Move("default", 0, tuple(usual.values())), 3)
    made: dict[str, Any] = {}
    with gr.Row(elem_classes="m1-make"):
        with gr.Column(elem_classes="m1-controls"):
            config = gr.Dropdown(list(RECIPES), value="default", label="start from the config", filterable=False)
            errors = []
            made |= _controls(FIRST, usual)
            errors.append(_beside())
            with gr.Accordion("all other numbers of the recipe", open=False) as others:
                made |= _controls(PADDING, usual)
                errors.append(_beside())
                made |= _controls(REST, usual)
            errors.append(_beside())
        with gr.Column(elem_classes="m1-right"):
            signals = gr.HTML(_with_posteriors(first[0]), elem_id="make-signals", padding=False)
            limit = gr.HTML(first[3], elem_id="make-limit", padding=False)
            index = gr.Slider(0, 99, value=0, step=1, label="other examples of the same digits")
        with gr.Column(elem_classes="m1-below"):
            gr.HTML('<h3 class="m1-h">How one of them is made</h3>', padding=False)
            digit = gr.Radio(DIGITS, value="3", show_label=False, label="digit", elem_classes="m1-digits")
            construction = gr.HTML(first[1], elem_id="make-construction", padding=False)
    gr.HTML('<h3 class="m1-h">The code that makes them</h3>', padding=False)
    code = gr.HTML(first[2], elem_id="make-code", padding=False)
    turn = gr.Textbox(visible=False)
    controls = [made[name] for name in NAMES]
    _bind(address, config, index, digit, made)
    config.input(values_of, config, controls, **UNSEEN)
    moved = gr.on(
        [each.change for each in (config, index, digit, *controls)],
        tab.draw,
        [config, index, digit, *controls, turn],
        [signals, construction, code, limit, others, *errors],
        js=moves("make"),
        trigger_mode="always_last",
        **UNSEEN,
    )
    # They may be called for a move that is not the latest any more, and several at a time.
    often = {**UNSEEN, "trigger_mode": "multiple", "js": follows("make")}
    weighed = moved.then(tab.weigh, turn, [signals, limit], **often)
    weighed.then(tab.estimate, turn, limit, **often).then(tab.refine, turn, limit, **often)


def _beside() -> Any:
    """Returns the place of an error; while there is none, it takes no room."""
    return gr.HTML(elem_classes="m1-beside", padding=False)


def _with_posteriors(without: str) -> str:
    """Returns the first ten signals with their posteriors; without scipy, those that came without."""
    recipe = RECIPES["default"].recipe
    found = shown(recipe, "reference", 0)
    try:
        return pictures.ten(found, posterior.posterior(recipe, "reference", found))
    except ImportError:
        return without


def _controls(fields: Sequence[Field], usual: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in fields:
        given: dict[str, Any] = {"value": usual[field.name], "label": field.label, "info": field.info}
        given["elem_id"] = f"make-{field.name.replace('_', '-')}"
        if field.kind == "slider":
            made[field.name] = gr.Slider(field.low, field.high, step=field.step, **given)
        elif field.kind == "number":
            made[field.name] = gr.Number(precision=0, **given)
        elif field.kind == "flag":
            made[field.name] = gr.Checkbox(**given)
        else:
            made[field.name] = gr.Radio(["reference", "fast"], **given)
    return made


def _bind(address: Address, config: Any, index: Any, digit: Any, made: dict[str, Any]) -> None:
    def numbers(name: str) -> dict[str, Any]:
        return dict(zip(NAMES, values_of(name), strict=True))

    address.bind("config", config, parse.choice(list(RECIPES)), sets=numbers)
    for field in ALL:
        address.bind(field.name, made[field.name], field.parse)
    address.bind("example", index, parse.whole(0, 99))
    address.bind("digit", digit, parse.choice(DIGITS))
