"""Recipes drawn at random from a stated range, every field that matters to a posterior varied."""

import numpy as np

from mnist1d_hf import Recipe


def random_recipe(seed):
    """One recipe: up to 8 paddings, 90 shifts (some beyond the length), 2 to 90 points, scale and shear 0 one in eight.

    Noises are between 0.01 and 1, log-uniform, the correlated one 0 one in eight; scale is up to 1.8, shear up to 2.
    """
    random = np.random.default_rng(seed)

    def real(high, low=0.0, zero=0.125):
        return 0.0 if random.random() < zero else float(random.uniform(low, high))

    low = int(random.integers(0, 50))
    return Recipe(
        template_len=int(random.integers(2, 30)),
        padding=(low, low + int(random.integers(0, 8))),
        scale_coeff=real(1.8),
        max_translation=int(random.integers(1, 91)),
        corr_noise_scale=float(np.exp(random.uniform(np.log(0.01), 0.0))) * (random.random() > 0.125),
        iid_noise_scale=float(np.exp(random.uniform(np.log(0.01), 0.0))),
        shear_scale=real(2.0),
        shuffle_seq=bool(random.integers(2)),
        flip_seq=bool(random.integers(2)),
        final_seq_length=int(random.integers(2, 91)),
        seed=seed,
    )
