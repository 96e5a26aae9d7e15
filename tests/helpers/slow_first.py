"""The order in which several processes take the files of tests."""

from collections import Counter

# A file of tests is one process's work, and xdist begins with the files of many tests. These have few, and take long:
# begun last, they would keep one process busy while the others have nothing left to do.
BEGUN_FIRST = (
    "test_pages.py",
    "test_notebooks.py",
    "test_random_kills.py",
    "test_missing_extras.py",
    "test_chains.py",
    "test_two_devices.py",
    "test_stopping.py",
    "test_runner.py",
    "test_meta_activation.py",
    "test_learning_rate.py",
)


def in_order(items, file_of):
    """The items with those of slow files first, then those of files with many."""
    count = Counter(map(file_of, items))

    def key(item):
        name = file_of(item).name
        place = BEGUN_FIRST.index(name) if name in BEGUN_FIRST else len(BEGUN_FIRST)
        return place, -count[file_of(item)], str(file_of(item))

    return sorted(items, key=key)
