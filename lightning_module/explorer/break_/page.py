"""The tab Break on the page: four sliders of the recipe, one thing outside of it, and what the networks still read."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import gradio as gr

from lightning_module.explorer.address import Address, choice, number
from lightning_module.explorer.break_ import pictures
from lightning_module.explorer.break_.accuracy import TOLD, computed_limit, known_limit, measured, sweep
from lightning_module.explorer.break_.signals import NONE, OUTSIDE, SLIDERS, Setting
from lightning_module.explorer.moves import UNSEEN, Moves, follows, moves, number_of
from lightning_module.explorer.work import Line

OUTPUTS: Final = 3  # of a move


class _Tab:
    """What the tab does. The inputs are those of `Setting`."""

    def __init__(self) -> None:
        self._moves: Moves[tuple[Any, ...]] = Moves()
        self._moving, self._weighing, self._sweeping = Line(2), Line(), Line()

    async def move(self, request: gr.Request, *values_and_turn: Any) -> list[Any]:
        """Returns what follows at once: accuracies, the Bayes limit as far as it is known, the details."""
        *values, turn = values_and_turn
        move, late = tuple(values), [gr.skip()] * OUTPUTS
        return await self._moves.answer(
            request.session_hash, move, turn, line=self._moving, work=lambda: _at_once(move), late=late
        )

    async def estimate(self, request: gr.Request, *values_and_turn: Any) -> Any:
        """Returns the Bayes limit on few signals, unless it is known so well or the visitor has moved on."""
        return await self._weigh(request.session_hash, values_and_turn, TOLD[0])

    async def refine(self, request: gr.Request, *values_and_turn: Any) -> Any:
        """Returns the Bayes limit on many signals, unless it is known so well or the visitor has moved on."""
        return await self._weigh(request.session_hash, values_and_turn, TOLD[-1])

    async def _weigh(self, visitor: str | None, values_and_turn: tuple[Any, ...], signals: int) -> Any:
        *values, turn = values_and_turn
        number, move = number_of(turn), tuple(values)

        def has_time() -> bool:
            return self._moves.has_time_for(visitor, move)

        return await self._weighing.do(
            lambda: _weighed(values, signals, has_time),
            late=gr.skip(),
            wanted=lambda: self._moves.turn(visitor) == number,
        )

    async def sweep(self, request: gr.Request, along: str, *values_and_turn: Any) -> Any:
        """Returns the curves over one slider, unless the visitor has moved on."""
        visitor, values = request.session_hash, values_and_turn[:-1]
        if self._moves.latest(visitor) is None:
            self._moves.note(visitor, values)

        def has_time() -> bool:
            return self._moves.has_time_for(visitor, values)

        return await self._sweeping.do(
            lambda: _swept(along, values, has_time),
            late=gr.skip(),
            wanted=lambda: self._moves.is_latest(visitor, values),
        )


def _weighed(values: Sequence[Any], signals: int, wanted: Callable[[], bool]) -> Any:
    try:
        setting = Setting(*values)
    except (TypeError, ValueError):
        return gr.skip()  # said already
    known, last = known_limit(setting), signals == TOLD[-1]
    if setting.is_outside or (known is not None and (known.signals or not last)):
        return gr.skip()
    try:
        found = computed_limit(setting, signals, wanted)
    except ImportError as error:
        return pictures.limit(setting, None, str(error))
    return gr.skip() if found is None else pictures.limit(setting, found)


def _swept(along: str, values: tuple[Any, ...], wanted: Callable[[], bool]) -> Any:
    try:
        found = sweep(Setting(*values), along, wanted)
    except (StopIteration, TypeError, ValueError):
        return gr.skip()
    return pictures.curves(found, along) if found else gr.skip()


def _at_once(values: Sequence[Any]) -> list[Any]:
    try:
        setting = Setting(*values)
    except (TypeError, ValueError) as error:
        return [pictures.error(str(error)), "", ""]
    now = measured(setting)
    bars = pictures.bars(now, measured(Setting()))
    return [bars, pictures.limit(setting, known_limit(setting)), pictures.details(now)]


def build(address: Address) -> None:
    """Builds the tab, within ``gr.Tab``."""
    tab, usual = _Tab(), Setting()
    first, over = measured(usual), sweep(usual, SLIDERS[0].name, lambda: True)
    names = [("nothing", NONE), *((label, name) for name, (label, _) in OUTSIDE.items())]
    with gr.Row(elem_classes="m1-break"):
        with gr.Column(scale=1, min_width=280):
            sliders = [
                gr.Slider(
                    each.low,
                    each.high,
                    value=getattr(usual, each.name),
                    step=each.step,
                    label=f"{each.label} ({each.name})",
                    elem_id=f"break-{each.label}",
                )
                for each in SLIDERS
            ]
            outside = gr.Radio(names, value=usual.outside, label="outside the recipe", elem_id="break-outside")
            amount = gr.Slider(
                0, 1, value=usual.amount, step=0.05, label="how much of that", elem_id="break-amount", visible=False
            )
            back = gr.Button("Back to the default recipe", elem_id="break-back")
        with gr.Column(scale=2, min_width=280):
            bars = gr.HTML(pictures.bars(first, first), elem_id="break-bars", padding=False)
            limit = gr.HTML(pictures.limit(usual, known_limit(usual)), elem_id="break-limit", padding=False)
            along = gr.Radio(
                [(each.label, each.name) for each in SLIDERS],
                value=SLIDERS[0].name,
                label="accuracy over the whole slider of",
                elem_id="break-along",
            )
            curves = gr.HTML(pictures.curves(over, SLIDERS[0].name), elem_id="break-curves", padding=False)
    details = gr.HTML(pictures.details(first), elem_id="break-details", padding=False)
    controls, turn = [*sliders, outside, amount], gr.Textbox(visible=False)
    moved = gr.on(
        [each.change for each in controls],
        tab.move,
        [*controls, turn],
        [bars, limit, details],
        js=moves("break"),
        trigger_mode="multiple",
        **UNSEEN,
    )
    outside.change(lambda chosen: gr.Slider(visible=chosen != NONE), outside, amount, **UNSEEN)
    often = {**UNSEEN, "trigger_mode": "multiple", "js": follows("break")}
    asked, sweeping = [*controls, turn], [along, *controls, turn]
    estimated = moved.then(tab.estimate, asked, limit, **often)
    refined = estimated.then(tab.refine, asked, limit, **often)
    for asks in (refined.then, along.change):
        asks(tab.sweep, sweeping, curves, **{**often, "js": moves("sweep")})
    first_values = [*(getattr(usual, each.name) for each in SLIDERS), NONE, usual.amount]
    back.click(lambda: first_values, None, controls, **UNSEEN)
    for each, slider in zip(SLIDERS, sliders, strict=True):
        address.bind(f"break_{each.label}", slider, number(each.low, each.high))
    address.bind("break_along", along, choice([each.name for each in SLIDERS]))
    address.bind("break_outside", outside, choice([NONE, *OUTSIDE]))
    address.bind("break_amount", amount, number(0, 1))
