"""Pictures: signals and templates, how a signal is made, and the same in motion."""

from mnist1d_hf.plot.signals import (
    dot_size,
    draw_signal,
    extent,
    grid,
    plot_construction,
    plot_learning_curve,
    plot_signals,
    plot_stages,
    plot_templates,
    require_matplotlib,
    show_in_a_row,
)

__all__ = [
    "dot_size",
    "draw_signal",
    "extent",
    "grid",
    "plot_construction",
    "plot_learning_curve",
    "plot_signals",
    "plot_stages",
    "plot_templates",
    "require_matplotlib",
    "show_in_a_row",
]
