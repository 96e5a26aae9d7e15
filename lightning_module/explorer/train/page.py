"""The tab Train on the page: five numbers, a curve that grows, and what the network gets wrong."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import gradio as gr

from lightning_module.explorer.address import Address, choice, flag, number, whole
from lightning_module.explorer.moves import UNSEEN
from lightning_module.explorer.train import pictures
from lightning_module.explorer.train.session import Trainings
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

LOOK: Final = 0.2  # seconds between two looks at a training
EMPTY: Final = '<p class="m1-explain">A CNN of 1,000 steps takes some seconds, the first time a few more.</p>'


class _Tab:
    """What the tab does. The inputs are those of `Settings`."""

    def __init__(self) -> None:
        self._trainings = Trainings()

    async def train(
        self,
        before: pictures.Kept | None,
        network: str,
        lr: float,
        noise: float,
        shuffled: bool,
        steps: int,
        seed: int,
        request: gr.Request,
    ) -> AsyncIterator[list[Any]]:
        """Yields curve, status, what was found and what is kept, until the training is over."""
        visitor = request.session_hash or ""
        try:
            settings = Settings(network, lr, noise, shuffled, steps, seed)
            now = self._trainings.ask(visitor, settings)
        except ValueError as error:
            yield [gr.skip(), pictures.error(str(error)), gr.skip(), gr.skip()]
            return
        shown: tuple[Any, ...] = ()
        try:
            while True:
                now.look()
                over, ahead = now.is_over, self._trainings.ahead(now)
                if shown != (now.state, ahead, len(now.points)):
                    shown = now.state, ahead, len(now.points)
                    found = pictures.findings(now.result) if now.result else ""
                    kept = pictures.kept(now) if now.result else gr.skip()
                    yield [pictures.curve(now, before, settings), pictures.status(now, ahead), found, kept]
                if over:
                    return
                await asyncio.sleep(LOOK)
        finally:
            if not now.is_over:  # the visitor has left
                self._trainings.stop(visitor)

    def stop(self, request: gr.Request) -> None:
        """Ends the visitor's training; what it came to until then is shown."""
        self._trainings.stop(request.session_hash or "")


def _described(*values: Any) -> Any:
    try:
        return pictures.command(Settings(*values))
    except ValueError as error:
        return pictures.error(str(error))


def build(address: Address) -> None:
    """Builds the tab, within ``gr.Tab``."""
    tab, usual = _Tab(), Settings()
    before = gr.State(None)
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
            curve = gr.HTML(pictures.curve(None, None, usual), elem_id="train-curve", padding=False)
            code = gr.HTML(pictures.command(usual), elem_id="train-code", padding=False)
    found = gr.HTML(elem_id="train-found", padding=False)
    controls = [network, lr, noise, shuffled, steps, seed]
    gr.on([each.change for each in controls], _described, controls, code, queue=False, **UNSEEN)
    start.click(tab.train, [before, *controls], [curve, status, found, before], concurrency_limit=None, **UNSEEN)
    stop.click(tab.stop, None, None, queue=False, **UNSEEN)
    address.bind("train_network", network, choice(list(NETWORKS)))
    address.bind("train_lr", lr, number(LEAST_RATE, MOST_RATE))
    address.bind("train_noise", noise, number(0, MOST_NOISE))
    address.bind("train_shuffled", shuffled, flag)
    address.bind("train_steps", steps, whole(LEAST_STEPS, MOST_STEPS))
    address.bind("train_seed", seed, whole(0, MOST_SEED))
