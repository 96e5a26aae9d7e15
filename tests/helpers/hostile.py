"""Values that nobody should pass, and some that look like good ones: for the tests of every constructor and option."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

RECURSIVE = [1]
RECURSIVE.append(RECURSIVE)


class Failing:
    """Fails whatever it is asked, but for its length and its type."""

    def fail(self, *_):
        raise ZeroDivisionError("asked")

    __float__ = __int__ = __index__ = __eq__ = __repr__ = __str__ = __bool__ = __len__ = __iter__ = fail
    __getitem__ = __lt__ = __le__ = __contains__ = __fspath__ = __complex__ = __trunc__ = __array__ = fail
    __hash__ = object.__hash__


class Unprintable(int):
    """A number that cannot be shown."""

    def __repr__(self):
        raise ZeroDivisionError("shown")

    __str__ = __format__ = __repr__


class Whole:
    """Says that it is a whole number."""

    def __index__(self):
        return 20


class Text(str):
    """A text that is never equal to another, and cannot be looked up."""

    def __eq__(self, other):
        raise ZeroDivisionError("compared")

    __hash__ = None


class Shaped:
    """Says that it has a shape, and nothing else."""

    shape = ()


def odd():
    """Values that no field of anything takes, or only by chance."""
    import torch

    objects = np.empty(1, dtype=object)
    objects[0] = Failing()
    return [
        10**400, -(10**400), 10**5000, 2**63, 2**64, -1, 0, 1, 1e308, -1e308, 5e-324, 0.5, -0.0,
        float("nan"), float("inf"), float("-inf"), 1 + 0j, 1 + 2j, True, False, None, ..., NotImplemented,
        Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("0.5"), Decimal(20), Decimal("1e999"),
        Fraction(1, 3), Fraction(10**400), Fraction(20),
        "", "x", "default", "12", "nan", "\x1b[31m", "a\nb", "\udcff", "x" * 10_000, "\0", "..", "/", "mnist1d",
        b"", b"12", bytearray(b"x"), memoryview(b"x"), [], (), {}, set(), frozenset(), [1], (1, 2), [2, 1], {1, 2},
        {"a": 1}, {1: 2, 3: 4}, [[1, 2], [3]], RECURSIVE,
        [None, None], ["default"], range(3), range(10**12), iter([1, 2]),
        int, float, object, type, np.float32, Failing, torch.Tensor, len, lambda: 1, Exception("x"),
        object(), Failing(),
        Unprintable(20), Whole(), Text("default"), Shaped(), np,
        np.int64(20), np.uint8(3), np.float32(0.5), np.float16("nan"), np.float64("inf"), np.complex64(1),
        np.bool_(True),
        np.str_("default"), np.bytes_(b"x"), np.datetime64("2020"), np.timedelta64(1), np.void(b"x"),
        np.longdouble(0.5),
        np.array(20), np.array(0.5), np.array([20]), np.array([36, 60]), np.array([]), np.zeros((2, 2)), np.array("x"),
        np.array(None), objects, np.ma.masked, np.array(True), np.array(1 + 2j),
        torch.tensor(20), torch.tensor(0.5), torch.tensor([20]), torch.tensor([36, 60]), torch.zeros(2, 2),
        torch.tensor(True), torch.tensor(1j), torch.zeros((), device="meta"), torch.zeros(0),
        torch.tensor(float("nan")),
        torch.device("cpu"), torch.float32,
    ]  # fmt: skip


def values():
    """Any of them, also in lists, tuples and mappings, and numbers of all sizes."""
    leaves = st.one_of(
        st.sampled_from(range(len(odd()))).map(lambda i: odd()[i]),
        st.integers(-(2**80), 2**80),
        st.integers(-3, 70),
        st.floats(),
        st.complex_numbers(),
        st.text(max_size=10),
        st.binary(max_size=5),
        st.fractions(),
        st.decimals(),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.tuples(inner, inner),
            st.lists(st.text(max_size=3), max_size=2),
            st.dictionaries(st.text(max_size=3), inner, max_size=2),
        ),
        max_leaves=3,
    )
