"""The tab Train on the page: five numbers, a curve that grows, and what the network gets wrong."""

from typing import Any, Final

import gradio as gr

from lightning_module.explorer.address import Address, choice, flag, number, whole
from lightning_module.explorer.moves import UNSEEN
from lightning_module.explorer.train import pictures
from lightning_module.explorer.train.session import Training, Trainings, leave_all
from lightning_module.explorer.train.settings import (
    LABELS,
    LEAST_RATE,
    LEAST_STEPS,
    MOST_NOISE,
    MOST_RATE,
    MOST_SEED,
    MOST_STEPS,
    NETWORKS,
    Settings,
)

LOOK: Final = 0.4  # seconds between two looks at a training
EMPTY: Final = '<p class="m1-explain">A CNN of 1,000 steps takes some seconds, the first time a few more.</p>'


class _Tab:
    """What the tab does. The inputs are those of `Settings`; the outputs curve, status, what was found, and a clock.

    While the clock is on, the page looks how the training stands. Each look is a call of its own: whoever comes back
    to a page, or had no network for a moment, sees how it stands now.
    """

    def __init__(self) -> None:
        self._trainings = Trainings()

    def train(
        self, network: str, lr: float, noise: float, shuffled: bool, steps: int, seed: int, request: gr.Request
    ) -> list[Any]:
        """Begins a training, or says why not."""
        visitor = request.session_hash or ""
        try:
            now = self._trainings.ask(visitor, Settings(network, lr, noise, shuffled, steps, seed))
        except ValueError as error:
            return [gr.skip(), pictures.error(str(error)), gr.skip(), gr.skip()]
        return self._seen(now)

    def look(self, request: gr.Request) -> list[Any]:
        """Returns how the visitor's training stands."""
        now = self._trainings.last(request.session_hash or "")
        return [gr.skip(), gr.skip(), gr.skip(), gr.Timer(active=False)] if now is None else self._seen(now)

    def _seen(self, now: Training) -> list[Any]:
        now.look()
        over = now.is_over  # asked first: what is over does not change while it is drawn
        found = pictures.findings(now.result) if over and now.result else ""
        curve, status = pictures.curve(now, now.settings), pictures.status(now, self._trainings.ahead(now))
        return [curve, status, found, gr.Timer(active=not over)]

    def stop(self, request: gr.Request) -> None:
        """Ends the visitor's training; what it came to until then is shown."""
        self._trainings.stop(request.session_hash or "")


def leave(request: gr.Request) -> None:
    """Ends the training of a visitor whose page was closed."""
    leave_all(request.session_hash or "")


def _described(*values: Any) -> Any:
    try:
        return pictures.command(Settings(*values))
    except ValueError as error:
        return pictures.error(str(error))


def build(address: Address) -> None:
    """Builds the tab, within ``gr.Tab``."""
    tab, usual = _Tab(), Settings()
    clock = gr.Timer(LOOK, active=False)
    with gr.Row(elem_classes="m1-train"):
        with gr.Column(scale=1, min_width=280):
            network = gr.Radio(
                [(LABELS[name], name) for name in NETWORKS],
                value=usual.network,
                label="network",
                elem_id="train-network",
            )
            noise = gr.Slider(
                0,
                MOST_NOISE,
                value=usual.noise,
                step=0.01,
                label="noise on every point (iid_noise_scale)",
                elem_id="train-noise",
            )
            shuffled = gr.Checkbox(
                value=usual.shuffled, label="points shuffled (shuffle_seq)", elem_id="train-shuffled"
            )
            steps = gr.Slider(
                LEAST_STEPS, MOST_STEPS, value=usual.steps, step=100, label="optimiser steps", elem_id="train-steps"
            )
            with gr.Accordion("learning rate and seed", open=False):
                lr = gr.Number(
                    value=usual.lr,
                    minimum=LEAST_RATE,
                    maximum=MOST_RATE,
                    label="learning rate of Adam",
                    elem_id="train-lr",
                )
                seed = gr.Number(
                    value=usual.seed, precision=0, minimum=0, maximum=MOST_SEED, label="seed", elem_id="train-seed"
                )
            with gr.Row():
                start = gr.Button("Train", variant="primary", elem_id="train-start", min_width=100)
                stop = gr.Button("Stop", elem_id="train-stop", min_width=100)
        with gr.Column(scale=2, min_width=280):
            status = gr.HTML(EMPTY, elem_id="train-status", padding=False)
            curve = gr.HTML(pictures.curve(None, usual), elem_id="train-curve", padding=False)
            code = gr.HTML(pictures.command(usual), elem_id="train-code", padding=False)
    found = gr.HTML(elem_id="train-found", padding=False)
    controls = [network, lr, noise, shuffled, steps, seed]
    gr.on([each.change for each in controls], _described, controls, code, **UNSEEN)
    seen = [curve, status, found, clock]
    start.click(tab.train, controls, seen, **UNSEEN)
    clock.tick(tab.look, None, seen, **UNSEEN)
    stop.click(tab.stop, None, None, **UNSEEN)
    address.bind("train_network", network, choice(list(NETWORKS)))
    address.bind("train_lr", lr, number(LEAST_RATE, MOST_RATE))
    address.bind("train_noise", noise, number(0, MOST_NOISE))
    address.bind("train_shuffled", shuffled, flag)
    address.bind("train_steps", steps, whole(LEAST_STEPS, MOST_STEPS))
    address.bind("train_seed", seed, whole(0, MOST_SEED))
