"""One commit and one tag on the Hub, whatever happens in between.

`publish` asks a function what would have to change at the repository's newest commit, commits exactly that on exactly
that parent, and asks again after everything that went wrong: after a conflict, because somebody else was faster, and
after a lost reply, because the commit may be there. When nothing is left to change, it is done. So the same command
can be run again after any failure, and never makes a second commit.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mnist1d_hf.hub.remote import Head, Operation, Remote, RemoteError
from mnist1d_hf.one_line import one_line

State = Literal["unchanged", "empty repository", "committed but untagged", "complete", "not known"]
MOST_CONFLICTS: Final = 3  # times that a repository may exist and not be found, before this is no coincidence
LONGEST_JITTER: Final = 0.3  # seconds; writers who collided would else collide again


@dataclass(frozen=True)
class Plan:
    """The changes that are to be made at a commit.

    Attributes:
        operations: The changes; none if all is as it should be.
        holds_content: Whether the data or weights are there already, and only their description would change.
        untaggable: Why the commit must not be tagged, even after these changes; empty if it may be.
    """

    operations: Sequence[Operation]
    holds_content: bool
    untaggable: str = ""


PlanAt = Callable[[Head], Plan]


class HubError(OSError):
    """The Hub could not be written to; the message says why, in which state the repository is, and what to do.

    Attributes:
        state: The state of the repository.
    """

    def __init__(self, message: str, state: State) -> None:
        super().__init__(f"{one_line(message).rstrip('.')}. State of the repository: {_IN_WORDS[state]}.")
        self.state = state


class RefusedError(ValueError):
    """A push that would break a promise made to those who load the data; nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{one_line(message, 10_000)}. State of the repository: unchanged.")
        self.state: State = "unchanged"


_IN_WORDS: Final[dict[State, str]] = {
    "unchanged": "unchanged",
    "empty repository": "an empty repository, just created; the same command completes it",
    "committed but untagged": "committed but untagged; the same command adds the tag and commits nothing",
    "complete": "complete",
    "not known": "not known, for no answer came; the same command finds out and completes it",
}


@dataclass(frozen=True)
class Published:
    """The outcome of a publication.

    Attributes:
        state: "complete"; "unchanged" if all was there already.
        commit: The commit that holds the content.
        created: Whether the repository was made.
        committed: Whether a commit was made.
        tagged: Whether a tag was made.
    """

    state: State
    commit: str
    created: bool
    committed: bool
    tagged: bool


def publish(
    remote: Remote, plan_at: PlanAt, *, message: str, tag: str | None = None, private: bool = False
) -> Published:
    """Brings a repository into the state that a plan asks for, by one commit, and tags it.

    Args:
        remote: The repository; it is created if there is none.
        plan_at: What has to change at a commit; nothing, if it is as it should be. It may be asked any number of times.
        message: Title of the commit.
        tag: A tag for the commit; one that exists is never moved.
        private: Whether the repository is private, if it is created.

    Raises:
        HubError: If the Hub cannot be read or written.
        RefusedError: If the tag stands elsewhere, or the plan refuses.
    """
    return _Publication(remote, plan_at, message, tag, private).run()


def rehearse(remote: Remote, plan_at: PlanAt, *, tag: str | None = None) -> tuple[Head, Plan]:
    """Returns the newest commit and what `publish` would change there; nothing is written.

    Args:
        remote: The repository.
        plan_at: As for `publish`; it is asked last about the newest commit.
        tag: The tag that would be made.

    Raises:
        HubError: If the Hub cannot be read.
        RefusedError: If `publish` would refuse.
    """
    try:
        head = remote.head(contents=True) or Head("")
        plan = plan_at(head)
        present = remote.tagged(tag) if tag and head.commit else None
        if tag and present and plan.operations:
            raise RefusedError(tag_stands(tag, present))
        if tag and present and present != head.commit:
            if not plan_at(remote.head(present, contents=True) or Head("")).holds_content:
                raise RefusedError(tag_stands(tag, present))
            plan = plan_at(head)
    except RemoteError as error:
        raise HubError(str(error), "unchanged") from None
    if tag and not present and plan.untaggable:
        raise RefusedError(plan.untaggable)
    return head, plan


def tag_stands(tag: str, commit: str) -> str:
    """Returns why a tag that exists cannot be set."""
    return (
        f"the tag {tag!r} stands on commit {commit[:12]}, which does not hold what is pushed, and a tag is never "
        "moved: choose another one"
    )


class _Publication:
    """The steps of `publish`, and what is known of the repository's state before each of them."""

    def __init__(self, remote: Remote, plan_at: PlanAt, message: str, tag: str | None, private: bool) -> None:
        self.remote, self.plan_at, self.message, self.tag, self.private = remote, plan_at, message, tag, private
        self.state: State = "unchanged"
        self.created = False
        self.committed = False
        self.verified = ""  # the commit that was read back, and needs no change
        self.untaggable = ""  # why it must not be tagged all the same

    def run(self) -> Published:
        if not self.remote.credentials:
            raise HubError(
                f"could not write to {self.remote.repo_id}: no token is set; run `hf auth login`, or set HF_TOKEN",
                "unchanged",
            )
        try:
            head = self._existing()
            commit = self._committed(head)
            tagged = self._tagged(commit)
        except RemoteError as error:
            raise HubError(str(error), self.state) from None
        changed = self.committed or tagged
        return Published("complete" if changed else "unchanged", commit, self.created, self.committed, tagged)

    def _existing(self) -> Head:
        """Returns the newest commit of the repository, which is made if there is none."""
        attempt = 0
        error = RemoteError("the new repository does not appear", "trouble")
        while (head := self.remote.head(contents=True)) is None:
            if not self.created and not error.timed_out:
                self.state = "unchanged"  # it is certain again that there is none
            if error.kind == "conflict" and attempt >= MOST_CONFLICTS:
                raise RemoteError(
                    f"{self.remote.repo_id} exists, but cannot be seen with this token ({error})", "denied"
                )
            if attempt:
                self.remote.rest(attempt, error)
            try:
                self.remote.create(self.private)
                self.created, self.state = True, "empty repository"
            except RemoteError as failed:
                if failed.kind not in {"trouble", "conflict"}:
                    raise
                error = failed
                self.state = "not known" if failed.kind == "trouble" else self.state
            attempt += 1
        if attempt and error.kind == "trouble":  # nobody else made it, as far as can be told
            self.created, self.state = True, "empty repository"
        return head

    def _committed(self, head: Head) -> str:
        """Returns the commit that holds what the plan asks for."""
        before = self.state
        attempt = 0
        while (plan := self.plan_at(head)).operations:
            if not attempt:
                self._check_tag_is_free()
                self._check_taggable(plan)
            try:
                commit = self.remote.commit(plan.operations, self.message, head.commit)
            except RemoteError as error:
                if error.kind not in {"trouble", "conflict"}:
                    raise
                head = self._reread(head, error, before)
                if self.plan_at(head).operations:
                    self._wait_before_next(attempt, error)
                else:  # the reply was lost, or somebody else pushed the same
                    self.committed = error.kind == "trouble"
                attempt += 1
            else:
                self.committed = True
                head = Head(commit)
                break
        else:
            self.verified = head.commit
            self.untaggable = plan.untaggable
        self.state = "committed but untagged" if self.tag else "complete"
        return head.commit

    def _reread(self, tried: Head, error: RemoteError, before: State) -> Head:
        """Returns the newest commit after a failure, which tells whether ours was made, or may still be on its way."""
        self.state = before if error.kind == "conflict" else "not known"
        head = self.remote.head(contents=True)
        if head is None:
            raise error
        if not error.timed_out and head.commit == tried.commit:
            self.state = before  # the server is done with ours, and nothing was committed
        return head

    def _wait_before_next(self, attempt: int, error: RemoteError) -> None:
        """Waits before another attempt; after a conflict for a random time, or those who collided would again."""
        longest = LONGEST_JITTER * 2 ** min(attempt, 3)
        if error.kind == "conflict" and longest < self.remote.remaining():
            time.sleep(random.uniform(0, longest))
        else:
            self.remote.rest(attempt, error)

    def _check_taggable(self, plan: Plan) -> None:
        if self.tag and plan.untaggable:
            raise RefusedError(plan.untaggable)

    def _verify(self, commit: str) -> None:
        """Reads a commit back before it is tagged for good, if it was not read after it was made.

        Raises:
            HubError: If it does not hold what was committed.
            RefusedError: If it must not be tagged, and nothing was changed.
        """
        attempt = 0
        while self.verified != commit:
            try:
                head = self.remote.head(commit, contents=True)
            except RemoteError as error:
                if error.kind != "missing":
                    raise
                self.remote.rest(attempt, error)  # a server beside the one that took it has not heard of it yet
                attempt += 1
                continue
            plan = self.plan_at(head or Head(commit))
            if plan.operations:
                path = plan.operations[0].path_in_repo
                raise HubError(
                    f"commit {commit[:12]} of {self.remote.repo_id} does not hold {path!r} as it was sent, so it is "
                    "not tagged; look into the repository's .gitattributes",
                    self.state,
                )
            self.verified, self.untaggable = commit, plan.untaggable
        if self.untaggable and self.committed:
            raise HubError(self.untaggable, self.state)
        if self.untaggable:
            raise RefusedError(self.untaggable)

    def _check_tag_is_free(self) -> None:
        if self.tag and (commit := self.remote.tagged(self.tag)):
            raise RefusedError(tag_stands(self.tag, commit))

    def _tagged(self, commit: str) -> bool:
        """Puts the tag on the commit, unless there is none to put, or it holds this content already."""
        if not self.tag:
            return False
        attempt = 0
        while (present := self.remote.tagged(self.tag)) is None:
            self._verify(commit)
            try:
                self.remote.tag(self.tag, commit)
            except RemoteError as error:
                if error.kind not in {"trouble", "conflict"}:
                    raise
                self.state = "not known" if error.timed_out else self.state
                self.remote.rest(attempt, error)
                attempt += 1
            else:
                self.state = "complete"
                return True
        if present != commit and not self._holds_content(present):
            if self.committed:
                raise HubError(tag_stands(self.tag, present), self.state)
            raise RefusedError(tag_stands(self.tag, present))
        self.state = "complete"
        return attempt > 0 and present == commit

    def _holds_content(self, commit: str) -> bool:
        head = self.remote.head(commit, contents=True)
        return head is not None and self.plan_at(head).holds_content
