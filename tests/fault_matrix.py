"""The fault matrix: every endpoint of a push, every fault, what is left behind, and that a second run completes it.

``python tests/fault_matrix.py docs/hub-faults.md`` runs all of it, some minutes, and writes the table. A cell fails,
and the command with it, if the repository is left in a state that is not permitted, if the message names another state,
if it took longer than it may, or if the second run does not complete it, makes a second commit or damages an older
tag.
"""

import itertools
import sys
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

sys.path.insert(0, str(Path(__file__).parent))
from hub_client import Client
from hub_server import WRITE_TOKEN, Fault, HubServer, client_environment

PATIENCE = 8.0  # seconds; a push's own default is 60
SLACK = 8.0  # seconds for what is not waiting: building, writing, asking once more in which state things are
TAG = "data-v1.0.0"
STATES = ("unchanged", "empty repository", "committed but untagged", "complete")
NEW = ("info", "create", "validate_yaml", "preupload", "lfs_batch", "lfs_put", "lfs_verify", "commit", "refs", "tag")
EXISTING = ("resolve_head", "resolve_get")
READ_BACK = {"head_after": "resolve_head", "get_after": "resolve_get"}  # of a new repository, before the tag
MULTIPART = ("lfs_complete",)
KINDS = ("401", "403", "404", "409", "412", "429", "500", "503", "drop", "lost", "slow", "gone")
TITLES = {"drop": "dropped before", "lost": "reply lost", "slow": "slow", "gone": "server gone"}


@dataclass(frozen=True)
class Cell:
    """A fault at an endpoint, once or at every request."""

    endpoint: str
    kind: str
    always: bool


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes:
        state: State of the repository after the first run, seen from the server.
        named: State that the client's message named.
        seconds: How long the first run took.
        problems: Whatever must not be; empty if all is well.
    """

    state: str
    named: str
    seconds: float
    problems: tuple[str, ...]


def cells(endpoints: Iterable[str] = (*NEW, *EXISTING, *READ_BACK, *MULTIPART)) -> list[Cell]:
    return [Cell(*cell) for cell in itertools.product(endpoints, KINDS, (False, True)) if cell[1:] != ("gone", True)]


class Bench:
    """A server and a client process, for one cell after the other."""

    numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        self.server = HubServer()
        self.server.start()
        self.server.echo_token = True  # error messages repeat it, which ours must not
        home = folder / f"home-{next(self.numbers)}"
        home.mkdir()
        environment = client_environment(self.server, str(home))
        environment["HF_DATASETS_CACHE"] = str(folder / "datasets")  # built once for all
        self.client = Client(environment, home)

    def close(self) -> None:
        self.client.close()
        self.server.stop()

    def run(self, cell: Cell) -> Outcome:
        repo_id = f"owner/{cell.endpoint}-{cell.kind}-{'always' if cell.always else 'once'}".replace("_", "-")
        before = self._prepare(cell, repo_id)
        seconds = PATIENCE + 2 if cell.kind == "slow" and cell.always else 1.0
        endpoint = READ_BACK.get(cell.endpoint, cell.endpoint)
        self.server.faults = [Fault(endpoint, cell.kind, count=10**9 if cell.always else 1, seconds=seconds)]
        first = self._push(repo_id)
        self.server.settle()
        self.server.faults = []
        if self.server.gone:
            self.server.start()
        state = self._state(repo_id, before)
        named = "complete" if first["ok"] else str(first["state"])
        problems = []
        if state not in STATES:
            problems.append(f"left in the state {state!r}")
        if named not in {state, "not known"}:
            problems.append(f"the message names {named!r}: {first.get('message')}")
        if first["seconds"] > PATIENCE + SLACK:
            problems.append(f"took {first['seconds']:.1f} s")
        problems += self._second_run(repo_id, before)
        if any(WRITE_TOKEN in text for text in (str(first), str(self.last), self.client.log())):
            problems.append("shows the token")
        return Outcome(state, named, first["seconds"], tuple(problems))

    def _prepare(self, cell: Cell, repo_id: str) -> int:
        """Number of commits before the push."""
        self.server.multipart_above = 20_000 if cell.endpoint in MULTIPART else None
        self.server.lfs.clear()  # or nothing would be uploaded any more
        for repo in self.server.repos.values():
            repo.commits.clear()  # of cells that are done
        self.server.repos.clear()
        if cell.endpoint not in EXISTING:
            return 0
        made = self.client.push(repo_id, ["no-shift"], tag="data-v0")
        if not made["ok"]:
            raise RuntimeError(made["message"])
        card = self.server.file(repo_id, "README.md")
        self.server.put(repo_id, {"README.md": card + b"\nA line of somebody else's.\n"})  # the client has not seen it
        return len(self.server.repo(repo_id).history())

    def _push(self, repo_id: str) -> dict[str, object]:
        self.last = self.client.push(repo_id, ["train-1k"], tag=TAG, patience=PATIENCE)
        return self.last

    def _state(self, repo_id: str, before: int) -> str:
        repo = self.server.repos.get(("dataset", repo_id))
        if repo is None:
            return "unchanged"
        commits = len(repo.history()) - max(before, 1)
        if commits > 1:
            return f"{commits} commits"
        if commits == 0:
            return "unchanged" if before else "empty repository"
        return "complete" if TAG in repo.tags else "committed but untagged"

    def _second_run(self, repo_id: str, before: int) -> list[str]:
        problems = []
        second = self._push(repo_id)
        if not second["ok"]:
            problems.append(f"the second run failed: {second['message']}")
        if (state := self._state(repo_id, before)) != "complete":
            problems.append(f"after the second run: {state}")
        wanted = [(TAG, "train-1k"), *([("data-v0", "no-shift")] if before else [])]
        for tag, config in wanted:
            loaded = self.client.load(repo_id, config, revision=tag)
            if not loaded["ok"]:
                problems.append(f"{tag} does not load: {loaded['message']}")
        return problems


def run(wanted: list[Cell], folder: Path, benches: int = 8) -> dict[Cell, Outcome]:
    """All cells, on several servers and clients at once: most of the time is spent waiting."""
    free: SimpleQueue[Bench] = SimpleQueue()
    made = [Bench(folder) for _ in range(min(benches, len(wanted)))]
    made[0].client.call("mnist1d_hf.cache.builds:install", ["train-1k", "no-shift"])
    for bench in made:
        free.put(bench)
    progress = itertools.count(1)
    lock = threading.Lock()

    def work(cell: Cell) -> Outcome:
        bench = free.get()
        try:
            return bench.run(cell)
        finally:
            free.put(bench)
            with lock:
                sys.stderr.write(f"\r{next(progress)}/{len(wanted)} ")

    try:
        with ThreadPoolExecutor(len(made)) as pool:
            return dict(zip(wanted, pool.map(work, wanted), strict=True))
    finally:
        for bench in made:
            bench.close()


PAGE = """\
# What is left behind when a push fails

Written by `python tests/fault_matrix.py docs/hub-faults.md`: a push of one config with a tag, by the real clients in
processes of their own, to a stand-in Hub on loopback that fails as ordered at one endpoint, and whose error messages
repeat the token. `patience` was {patience:g} s, the default is 60 s. Rows `resolve_head` and `resolve_get` push to a
repository with an older tag, which is loaded and verified at the end; `lfs_complete` is the end of a multipart upload;
the others push to a new repository. `head_after` and `get_after` are the same two requests after the commit, which is
read back before it is tagged.

A cell: the state that the repository was left in, and the seconds until the command ended. Permitted are

- **U** unchanged, **E** an empty repository (new ones only), **T** committed but untagged, **C** complete.

In every cell the same command was then run again without the fault: all {count} completed, each with exactly one commit
in all, every tag loads with the digests in its card, and the message had named the state. `?` marks those where it said
that the state was not known, because a request had been sent and no answer came. No output and no log shows the token.
The slowest cell took {slowest:.1f} s.

## The fault happens once

{once}

## The fault happens at every request

{always}
"""


def page(outcomes: dict[Cell, Outcome]) -> str:
    tables = {always: _table(outcomes, always) for always in (False, True)}
    slowest = max(outcome.seconds for outcome in outcomes.values())
    return PAGE.format(patience=PATIENCE, count=len(outcomes), slowest=slowest, once=tables[False], always=tables[True])


def _table(outcomes: dict[Cell, Outcome], always: bool) -> str:
    kinds = [kind for kind in KINDS if any(cell.kind == kind and cell.always == always for cell in outcomes)]
    endpoints = list(dict.fromkeys(cell.endpoint for cell in outcomes))
    lines = [
        "| endpoint | " + " | ".join(TITLES.get(kind, kind) for kind in kinds) + " |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    letters = {"unchanged": "U", "empty repository": "E", "committed but untagged": "T", "complete": "C"}
    for endpoint in endpoints:
        found = [outcomes[Cell(endpoint, kind, always)] for kind in kinds]
        texts = [
            f"{letters.get(o.state, o.state)}{'?' if o.named == 'not known' else ''} {o.seconds:.1f}" for o in found
        ]
        lines.append(f"| {endpoint} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        results = run(cells(), Path(scratch))
    failed = {cell: outcome for cell, outcome in results.items() if outcome.problems}
    for cell, outcome in failed.items():
        sys.stderr.write(f"\n{cell}: {'; '.join(outcome.problems)}\n")
    if failed:
        sys.exit(f"{len(failed)} of {len(results)} cells are not as they must be")
    Path(sys.argv[1]).write_text(page(results), encoding="utf-8")
