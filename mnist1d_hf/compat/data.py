"""The reference's module ``mnist1d.data``: every name that can be imported from it."""

from mnist1d_hf.compat.arguments import ObjectView
from mnist1d_hf.compat.calls import get_dataset, get_dataset_args, get_templates, make_dataset, set_seed
from mnist1d_hf.compat.one_signal import transform
from mnist1d_hf.compat.pickles import from_pickle, to_pickle

__all__ = [
    "ObjectView",
    "from_pickle",
    "get_dataset",
    "get_dataset_args",
    "get_templates",
    "make_dataset",
    "set_seed",
    "to_pickle",
    "transform",
]
