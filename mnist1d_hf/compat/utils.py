"""The reference's module ``mnist1d.utils``: every name that can be imported from it."""

from mnist1d_hf.compat.arguments import ObjectView
from mnist1d_hf.compat.calls import plot_signals, set_seed
from mnist1d_hf.compat.one_signal import transform
from mnist1d_hf.compat.pickles import from_pickle, to_pickle

__all__ = ["ObjectView", "from_pickle", "plot_signals", "set_seed", "to_pickle", "transform"]
