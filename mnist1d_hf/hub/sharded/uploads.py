"""Files that are sent before the commit that names them, and their description without the file.

What the Hub's client knows of such a file it has in memory only. Here it is put together anew, of what a journal tells,
so that a file which was sent by a process that is gone need neither be there nor be sent again.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.lfs import UploadInfo, post_lfs_batch_info

from mnist1d_hf.hub.remote import SLOWEST_UPLOAD, Remote, RemoteError
from mnist1d_hf.shards.journal import Entry

LFS: Final = "lfs"
MOST_IN_A_REQUEST: Final = 256  # files, as the client asks itself


def upload(remote: Remote, operation: CommitOperationAdd) -> str:
    """Uploads a file, unless the Hub has its content; returns its mode: "lfs", or another, which a commit sends itself.

    Trouble is met by trying again, as long as the repository's patience lasts, which begins anew.

    Raises:
        RemoteError: If it cannot be sent.
    """
    remote.renew()
    function = partial(HfApi(token=remote.token).preupload_lfs_files, additions=[operation], free_memory=False)
    keywords: dict[str, Any] = {"repo_id": remote.repo_id, "repo_type": remote.repo_type}
    extra = operation.upload_info.size / SLOWEST_UPLOAD
    attempt = 0
    while True:
        try:
            remote.ask(f"upload {operation.path_in_repo}", function, extra_seconds=extra, **keywords)
            break
        except RemoteError as fault:
            if fault.kind != "trouble":
                raise
            remote.rest(attempt, fault)
            attempt += 1
    if operation._should_ignore:  # the client would leave it out of the commit without a word
        raise RemoteError(
            f"{operation.path_in_repo} is ignored by the repository's .gitignore; take that line out", "denied"
        )
    return str(operation._upload_mode)


def sent_operation(entry: Entry) -> CommitOperationAdd:
    """Returns the operation of a commit that names a file whose content the Hub has."""
    told = entry.made.stored
    operation = CommitOperationAdd(entry.made.shard.path, b"")
    operation.upload_info = UploadInfo(sha256=bytes.fromhex(told.sha256), size=told.size or 0, sample=entry.head)
    operation._upload_mode = "lfs"
    operation._is_uploaded = True
    return operation


def lacking(remote: Remote, entries: Sequence[Entry]) -> list[int]:
    """Returns the numbers of those entries whose content the Hub has no longer: it drops what no commit names.

    Raises:
        RemoteError: If it cannot be asked.
    """
    found = []
    for first in range(0, len(entries), MOST_IN_A_REQUEST):
        infos = [sent_operation(entry).upload_info for entry in entries[first : first + MOST_IN_A_REQUEST]]
        keywords: dict[str, Any] = {"repo_id": remote.repo_id, "repo_type": remote.repo_type, "token": remote.token}
        actions = remote.ask("ask what was sent", post_lfs_batch_info, upload_infos=infos, **keywords)[0]
        wanted = {action["oid"] for action in actions if action.get("actions")}
        found += [first + number for number, info in enumerate(infos) if info.sha256.hex() in wanted]
    return found
