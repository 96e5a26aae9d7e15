"""The tab Findings on the page."""

import gradio as gr

from lightning_module.explorer.address import Address


def build(address: Address) -> None:
    """Builds the tab, within ``gr.Tab``."""
    del address
    gr.HTML("<p>Findings</p>")
