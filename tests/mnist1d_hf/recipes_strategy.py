"""Random recipes for property tests: every field varied, sizes kept small."""

from hypothesis import strategies as st

from mnist1d_hf.generator.recipe import Recipe

scales = st.one_of(st.just(0.0), st.floats(0.01, 2.0))


@st.composite
def recipes(draw, most_samples=40):
    low, high = sorted(draw(st.tuples(st.integers(0, 40), st.integers(0, 40))))
    return Recipe(
        num_samples=draw(st.integers(10, most_samples)),
        train_split=draw(st.floats(0.0, 1.0)),
        template_len=draw(st.integers(2, 20)),
        padding=(low, high),
        scale_coeff=draw(scales),
        max_translation=draw(st.integers(1, 120)),  # also far more than the signal is long
        corr_noise_scale=draw(scales),
        iid_noise_scale=draw(scales),
        shear_scale=draw(scales),
        shuffle_seq=draw(st.booleans()),
        final_seq_length=draw(st.integers(2, 60)),
        seed=draw(st.integers(0, 2**32 - 1)),
        flip_seq=draw(st.booleans()),
        label_noise=draw(st.one_of(st.just(0.0), st.floats(0.0, 1.0))),
        label_noise_seed=draw(st.integers(0, 2**32 - 1)),
    )
