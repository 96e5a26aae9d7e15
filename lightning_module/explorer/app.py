"""The page: its title and five tabs, each of which builds itself."""

from collections.abc import Callable
from typing import Final, NamedTuple

import gradio as gr

from lightning_module.explorer.address import Address
from lightning_module.explorer.break_ import page as break_
from lightning_module.explorer.findings import page as findings
from lightning_module.explorer.make import page as make
from lightning_module.explorer.read import page as read
from lightning_module.explorer.train import page as train

TITLE: Final = "MNIST-1D explorer"
HEAD: Final = """\
<div class="m1-head"><h1>MNIST-1D</h1>
<p>Ten digits as signals of 40 numbers, made from a recipe. Change it, read them yourself, train on them.</p></div>
"""


class _Tab(NamedTuple):
    name: str
    title: str
    build: Callable[[Address], None]


TABS: Final = (
    _Tab("make", "Make", make.build),
    _Tab("read", "Read", read.build),
    _Tab("train", "Train", train.build),
    _Tab("break", "Break", break_.build),
    _Tab("findings", "Findings", findings.build),
)


def build_app() -> gr.Blocks:
    """Returns the whole page; `application` serves it with its colours and its script."""
    address = Address()
    page: gr.Blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
    with page:
        gr.HTML(HEAD, padding=False)
        notice = gr.HTML(visible=False, padding=False)
        each = []
        with gr.Tabs() as tabs:
            for name, title, build in TABS:
                with gr.Tab(title, id=name) as tab:
                    build(address)
                each.append(tab)
        address.connect(page, tabs, each, notice)
        page.unload(train.leave)
    return page
