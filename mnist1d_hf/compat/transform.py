"""The reference's module ``mnist1d.transform``: every function that can be imported from it.

As in the reference, the package's attribute ``transform`` is the function, and this module is what one imports from.
"""

from mnist1d_hf.compat.one_signal import (
    corr_noise_like,
    iid_noise_like,
    interpolate,
    pad,
    shear,
    transform,
    translate,
)

__all__ = ["corr_noise_like", "iid_noise_like", "interpolate", "pad", "shear", "transform", "translate"]
