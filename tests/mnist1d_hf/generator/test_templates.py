import dataclasses

import naive
import numpy as np
import pytest

from mnist1d_hf.generator.templates import digit_templates


def test_the_curves_are_the_published_ones():
    curves, positions = naive.templates()
    templates = digit_templates()
    np.testing.assert_allclose(templates.x, curves, rtol=0, atol=1e-15)
    np.testing.assert_allclose(templates.t, positions, rtol=0, atol=1e-15)
    assert templates.y.tolist() == list(range(10))


def test_every_curve_starts_and_ends_at_zero_with_one_sixth_of_standard_deviation():
    x = digit_templates().x
    assert np.all(x[:, 0] == 0)
    np.testing.assert_allclose(x[:, -1], 0, atol=1e-15)
    np.testing.assert_allclose(x.std(axis=1), 1 / 6, rtol=1e-14)


def test_nobody_can_change_the_shared_curves():
    templates = digit_templates()
    with pytest.raises(ValueError, match="read-only"):
        templates.x[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        templates.x = np.zeros((10, 12))
    copy = templates.as_dict()
    copy["x"][:] = 1
    assert digit_templates().x[0, 0] == 0
