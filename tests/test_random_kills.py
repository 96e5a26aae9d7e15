"""Commands killed at random moments: nothing wrong is served, the same command heals all, and no junk is left."""

import os
import random
import sys

import pytest
from hub_server import serving

pytest.register_assert_rewrite("random_kills")
from random_kills import COMMANDS, SEVERAL, Place, kill  # noqa: E402

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")


@pytest.fixture
def places(tmp_path):
    """One where commands are killed, and one where they are not; each with a Hub of its own."""
    with serving() as first, serving() as second:
        made = [Place(tmp_path / name, server) for name, server in (("killed", first), ("quiet", second))]
        try:
            yield made
        finally:
            for place in made:
                place.close()


def test_killed_at_a_few_random_moments(places):
    counts, problems = kill(places, random.Random(0), 8)
    assert not problems
    assert sum(hits for hits, _ in counts.values()) > 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_killed_at_many_random_moments(places, seed, capsys):
    def tell(line):
        with capsys.disabled():
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    counts, problems = kill(places, random.Random(seed), 120, tell=tell)
    tell(f"killed at work, of tried: {counts}")
    assert not problems
    assert counts.keys() == COMMANDS.keys()
    assert all(2 * hits > tried for hits, tried in counts.values()), counts


@pytest.mark.slow
def test_killed_with_processes_of_its_own(places):
    counts, problems = kill(places, random.Random(2), 12, SEVERAL)
    assert not problems
    assert sum(hits for hits, _ in counts.values()) > 5
