"""A stand-in for the Hub on loopback, for the real clients: repositories with commits, branches, tags and LFS files.

Everything is held in memory. Faults can be ordered at any endpoint: a status, a connection dropped before or after the
work was done, a slow answer. ``python tests/hub_server.py`` serves until interrupted and prints what to set.

Source: the requests that huggingface_hub 2.4 and datasets 5.2 make, and the replies they need.
"""

import base64
import hashlib
import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

LFS_SUFFIXES = (".parquet", ".safetensors", ".png", ".arrow", ".bin")
WRITE_TOKEN = "hf_standinwritetokenabcdefghijklmnop"
READ_TOKEN = "hf_standinreadtokenabcdefghijklmnopq"
PLACES = {"datasets": "dataset", "models": "model"}


@dataclass(frozen=True)
class User:
    """Whose token it is, and what it may do."""

    name: str
    role: str = "write"
    orgs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blob:
    """A file's content; of an LFS file the content's hash, by which the store has it."""

    oid: str
    size: int
    data: bytes = b""
    sha256: str | None = None


@dataclass(frozen=True)
class Commit:
    """A tree of files, and the commit before it."""

    oid: str
    parent: str | None
    title: str
    date: str
    tree: dict[str, Blob]


@dataclass
class Repo:
    """A repository: all its commits, and where its branches and tags stand."""

    id: str
    kind: str
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> Commit:
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return self.commits[oid]

    def history(self, revision: str = "main") -> list[Commit]:
        found, oid = [], self.at(revision).oid
        while oid is not None:
            found.append(self.commits[oid])
            oid = self.commits[oid].parent
        return found


@dataclass
class Fault:
    """What goes wrong at an endpoint.

    Attributes:
        endpoint: Name of the endpoint, as in `ROUTES`.
        kind: A status, "drop" (before the work), "lost" (after it), "slow", or "gone": no server from here on.
        first: Which request is the first one to fail, from 1.
        count: How many fail.
        seconds: How long a slow answer takes, or what a 429 asks to wait.
    """

    endpoint: str
    kind: str
    first: int = 1
    count: int = 10**9
    seconds: float = 1.0
    seen: int = 0

    def strikes(self, endpoint: str) -> bool:
        if endpoint != self.endpoint:
            return False
        self.seen += 1
        return self.first <= self.seen < self.first + self.count


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Any, status: int = 200, **headers: str) -> "Reply":
        return cls(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


class Refusal(Exception):
    """An error reply of the Hub."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        self.reply = Reply.json({"error": message}, status)
        self.reply.headers |= {"X-Error-Message": message, **({"X-Error-Code": code} if code else {}), **headers}


class HubServer:
    """The stand-in: its content, its faults, and what was asked of it."""

    def __init__(self, port: int = 0) -> None:
        self.users = {WRITE_TOKEN: User("owner", orgs=("team",)), READ_TOKEN: User("owner", "read")}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.lfs: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.faults: list[Fault] = []
        self.asked: Counter[str] = Counter()
        self.multipart_above: int | None = None
        self.page = 1000
        self.rewrite: dict[str, Callable[[Reply], Reply]] = {}  # what becomes of an endpoint's replies
        self.busy = 0  # requests being worked on
        self.gone = False  # until `start`
        self.echo_token = False  # whether error messages repeat the Authorization header: a server's bug
        self.lock = threading.RLock()
        self._port = port
        self._http: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        server = self

        class Handler(_Handler):
            hub = server

        self.gone = False
        self._http = _Quiet(("127.0.0.1", self._port), Handler)
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """No server; the content stays, and `start` serves it again at the same port."""
        self.gone = True  # connections that are open are closed at their next request
        http, self._http = self._http, None
        if http:
            http.shutdown()
            http.server_close()

    def settle(self) -> None:
        """Wait until nothing is being worked on."""
        while self.busy:
            time.sleep(0.02)

    def repo(self, repo_id: str, kind: str = "dataset") -> Repo:
        return self.repos[kind, repo_id]

    def file(self, repo_id: str, path: str, revision: str = "main", kind: str = "dataset") -> bytes:
        blob = self.repo(repo_id, kind).at(revision).tree[path]
        return self.lfs[blob.sha256] if blob.sha256 else blob.data

    def put(self, repo_id: str, files: dict[str, bytes], kind: str = "dataset", title: str = "by hand") -> str:
        """Commit files from the server's side, as somebody else would; creates the repository."""
        repo = self.repos.get((kind, repo_id)) or self.create(repo_id, kind)
        tree = dict(repo.at("main").tree)
        for path, data in files.items():
            tree[path] = self._blob(path, data)
        return self.commit(repo, tree, title).oid

    def create(self, repo_id: str, kind: str, private: bool = False) -> Repo:
        repo = self.repos[kind, repo_id] = Repo(repo_id, kind, private)
        repo.branches["main"] = ""
        attributes = b"".join(b"*%s filter=lfs diff=lfs merge=lfs -text\n" % s.encode() for s in LFS_SUFFIXES)
        self.commit(repo, {".gitattributes": self._blob(".gitattributes", attributes)}, "initial commit")
        return repo

    def commit(self, repo: Repo, tree: dict[str, Blob], title: str, branch: str = "main") -> Commit:
        parent = repo.branches.get(branch) or None
        date = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        content = json.dumps(
            [parent, title, len(repo.commits), sorted((path, blob.oid) for path, blob in tree.items())]
        )
        commit = Commit(hashlib.sha1(content.encode()).hexdigest(), parent, title, date, tree)
        repo.commits[commit.oid] = commit
        repo.branches[branch] = commit.oid
        return commit

    def _blob(self, path: str, data: bytes) -> Blob:
        if not path.endswith(LFS_SUFFIXES):
            return Blob(_git_sha1(data), len(data), data)
        sha256 = hashlib.sha256(data).hexdigest()
        self.lfs[sha256] = data
        return Blob(_git_sha1(_pointer(sha256, len(data))), len(data), sha256=sha256)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away in the middle of replies; that is no news here."""


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        del format, args

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _serve(self) -> None:
        with self.hub.lock:
            self.hub.busy += 1
        try:
            self._route()
        finally:
            with self.hub.lock:
                self.hub.busy -= 1

    def _route(self) -> None:
        split = urlsplit(self.path)
        self.query = {key: values[-1] for key, values in parse_qs(split.query).items()}
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for endpoint, methods, pattern, function in ROUTES:
            if self.command in methods and (match := pattern.fullmatch(split.path)):
                parts = {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
                return self._answer(endpoint, function, parts)
        return self._send(Reply.json({"error": f"no such endpoint: {self.command} {split.path}"}, 501))

    def _answer(self, endpoint: str, function: Callable[..., Reply], parts: dict[str, str]) -> None:
        with self.hub.lock:
            self.hub.asked[endpoint] += 1
            fault = next((fault for fault in self.hub.faults if fault.strikes(endpoint)), None)
        kind = fault.kind if fault else ""
        if kind == "gone":
            self.hub.gone = True
            threading.Thread(target=self.hub.stop, daemon=True).start()
        if kind in {"drop", "gone"} or self.hub.gone:
            return self._drop()
        if kind == "slow":
            time.sleep(fault.seconds)
        if kind.isdigit():
            return self._send(_failure(self, endpoint, int(kind), parts, fault.seconds))
        try:
            self._authenticate()
            with self.hub.lock:
                reply = function(self, **parts)
        except Refusal as refusal:
            reply = refusal.reply
        reply = self.hub.rewrite.get(endpoint, lambda same: same)(reply)
        return self._drop() if kind == "lost" else self._send(reply)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        length = reply.headers.pop("Content-Length", str(len(reply.body)))
        for name, value in {**reply.headers, "Content-Length": length}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _authenticate(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if given and given not in self.hub.users:
            said = f": {given}" if self.hub.echo_token else ""
            raise Refusal(401, "", f"Invalid credentials in Authorization header{said}")
        self.user = self.hub.users.get(given)

    # What the endpoints share

    def repo(self, place: str, id: str) -> Repo:
        repo = self.hub.repos.get((PLACES[place], id))
        seen = repo and (not repo.private or (self.user and id.split("/")[0] in (self.user.name, *self.user.orgs)))
        if not seen:
            raise Refusal(404 if self.user else 401, "RepoNotFound", "Repository not found")
        return repo

    def may_write(self, namespace: str) -> None:
        if self.user is None:
            raise Refusal(401, "", "Invalid username or password.")
        if self.user.role != "write" or namespace not in (self.user.name, *self.user.orgs):
            said = f" {self.headers.get('Authorization')}" if self.hub.echo_token else ""
            raise Refusal(403, "", f"You don't have the required permissions{said} to write to {namespace}")

    def body_json(self) -> Any:
        return json.loads(self.content or b"{}")

    def data_of(self, blob: Blob) -> bytes:
        return self.hub.lfs[blob.sha256] if blob.sha256 else blob.data


def _failure(handler: _Handler, endpoint: str, status: int, parts: dict[str, str], seconds: float) -> Reply:
    """The reply of an ordered fault, as the Hub words it."""
    given = handler.headers.get("Authorization", "")
    message = f"ordered {status} at {endpoint}" + (f" {given}" if handler.hub.echo_token else "")
    headers = {"X-Error-Message": message}
    body: dict[str, Any] = {"error": message}
    if status == 401:
        headers["X-Error-Message"] = "Invalid credentials in Authorization header"
    if status == 404:
        headers["X-Error-Code"] = "EntryNotFound" if endpoint.startswith("resolve") else "RepoNotFound"
    if status == 429:
        headers["Retry-After"] = str(int(seconds))
    if status == 409 and endpoint == "create":
        wanted = handler.body_json()
        body["url"] = f"{handler.hub.url}/datasets/{wanted.get('organization') or 'owner'}/{wanted.get('name')}"
    return Reply.json(body, status, **headers)


def _git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _pointer(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


# The endpoints


def whoami(h: _Handler) -> Reply:
    if h.user is None:
        raise Refusal(401, "", "Invalid username or password.")
    token = {"displayName": f"{h.user.name}-{h.user.role}", "role": h.user.role}
    orgs = [{"name": name, "type": "org"} for name in h.user.orgs]
    return Reply.json({"type": "user", "name": h.user.name, "orgs": orgs, "auth": {"accessToken": token}})


def create(h: _Handler) -> Reply:
    wanted = h.body_json()
    kind = wanted.get("type") or "model"
    namespace = wanted.get("organization") or (h.user.name if h.user else "")
    h.may_write(namespace)
    repo_id = f"{namespace}/{wanted['name']}"
    url = f"{h.hub.url}/{'datasets/' if kind == 'dataset' else ''}{repo_id}"
    if (kind, repo_id) in h.hub.repos:
        return Reply.json({"error": "You already created this repo", "url": url}, 409)
    h.hub.create(repo_id, kind, private=wanted.get("visibility") == "private" or bool(wanted.get("private")))
    return Reply.json({"url": url, "name": repo_id, "id": repo_id})


def delete(h: _Handler) -> Reply:
    wanted = h.body_json()
    repo_id = f"{wanted.get('organization') or h.user.name}/{wanted['name']}"
    h.may_write(repo_id.split("/")[0])
    h.hub.repos.pop((wanted.get("type") or "model", repo_id), None)
    return Reply()


def info(h: _Handler, place: str, id: str, rev: str = "main") -> Reply:
    repo = h.repo(place, id)
    commit = repo.at(rev)
    told = h.query.get("blobs", "").lower() in {"1", "true"}
    siblings = [{"rfilename": path, **(_sibling(commit.tree[path]) if told else {})} for path in sorted(commit.tree)]
    listed = {"siblings": siblings, "sha": commit.oid}
    dates = {"lastModified": commit.date, "createdAt": repo.history()[-1].date}
    return Reply.json({"id": id, "author": id.split("/")[0], "private": repo.private, "tags": [], **listed, **dates})


def _sibling(blob: Blob) -> dict[str, Any]:
    """What is told of a file's content when ``blobs`` is asked for."""
    lfs = {"sha256": blob.sha256, "size": blob.size, "pointerSize": len(_pointer(blob.sha256 or "", blob.size))}
    return {"size": blob.size, "blobId": blob.oid, **({"lfs": lfs} if blob.sha256 else {})}


def preupload(h: _Handler, place: str, id: str, rev: str) -> Reply:
    tree = h.repo(place, id).at(rev).tree
    h.may_write(id.split("/")[0])
    files = []
    for wanted in h.body_json()["files"]:
        path = wanted["path"]
        mode = "lfs" if path.endswith(LFS_SUFFIXES) else "regular"
        entry = {"path": path, "uploadMode": mode, "shouldIgnore": False}
        if path in tree:
            entry["oid"] = tree[path].sha256 or tree[path].oid
        files.append(entry)
    return Reply.json({"files": files})


def lfs_batch(h: _Handler, id: str, datasets: str = "") -> Reply:
    h.may_write(id.split("/")[0])
    objects = []
    for wanted in h.body_json()["objects"]:
        oid, size = wanted["oid"], wanted["size"]
        entry: dict[str, Any] = {"oid": oid, "size": size}
        if oid not in h.hub.lfs:
            upload: dict[str, Any] = {"href": f"{h.hub.url}/lfs/{oid}"}
            if h.hub.multipart_above is not None and size > h.hub.multipart_above:
                chunk = h.hub.multipart_above
                urls = {str(i + 1): f"{h.hub.url}/lfs/{oid}/{i + 1}" for i in range(-(-size // chunk))}
                upload = {"href": f"{h.hub.url}/lfs-complete/{oid}", "header": {"chunk_size": str(chunk), **urls}}
            entry["actions"] = {"upload": upload, "verify": {"href": f"{h.hub.url}/lfs-verify/{oid}"}}
        objects.append(entry)
    basic = all("header" not in entry.get("actions", {}).get("upload", {}) for entry in objects)
    return Reply.json({"transfer": "basic" if basic else "multipart", "objects": objects})


def lfs_put(h: _Handler, oid: str, part: str = "") -> Reply:
    if part:
        h.hub.parts.setdefault(oid, {})[int(part)] = h.content
        return Reply(headers={"ETag": f'"{hashlib.md5(h.content).hexdigest()}"'})
    return _keep(h, oid, h.content)


def lfs_complete(h: _Handler, oid: str) -> Reply:
    parts = h.hub.parts.pop(oid, {})
    told = [part["etag"].strip('"') for part in sorted(h.body_json()["parts"], key=lambda part: part["partNumber"])]
    if told != [hashlib.md5(parts[number]).hexdigest() for number in sorted(parts)]:
        raise Refusal(400, "", "parts do not match")
    return _keep(h, oid, b"".join(parts[number] for number in sorted(parts)))


def _keep(h: _Handler, oid: str, data: bytes) -> Reply:
    if hashlib.sha256(data).hexdigest() != oid:
        raise Refusal(400, "", "content does not match its SHA-256")
    h.hub.lfs[oid] = data
    return Reply()


def lfs_verify(h: _Handler, oid: str) -> Reply:
    if len(h.hub.lfs.get(oid, b"")) != h.body_json()["size"]:
        raise Refusal(404, "", "object is not there")
    return Reply()


def commit(h: _Handler, place: str, id: str, rev: str) -> Reply:
    repo = h.repo(place, id)
    h.may_write(id.split("/")[0])
    tree, head = dict(repo.at(rev).tree), repo.at(rev).oid
    header: dict[str, Any] = {}
    for line in h.content.splitlines():
        entry = json.loads(line)
        key, value = entry["key"], entry["value"]
        if key == "header":
            header = value
            if value.get("parentCommit", head) != head:
                raise Refusal(412, "", "A commit has happened since. Please refresh and try again.")
        elif key == "file":
            tree[value["path"]] = h.hub._blob(value["path"], base64.b64decode(value["content"]))
        elif key == "lfsFile":
            data = h.hub.lfs.get(value["oid"])
            if data is None:
                raise Refusal(400, "", f"LFS object {value['oid']} was not uploaded")
            tree[value["path"]] = h.hub._blob(value["path"], data)
        elif key == "deletedFile":
            if tree.pop(value["path"], None) is None:
                raise Refusal(404, "EntryNotFound", "A file with this name doesn't exist")
        elif key == "deletedFolder":
            folder = value["path"].rstrip("/") + "/"
            tree = {path: blob for path, blob in tree.items() if not path.startswith(folder)}
        else:
            raise Refusal(400, "", f"unknown operation {key}")
    made = h.hub.commit(repo, tree, header["summary"], rev)
    return Reply.json({"success": True, "commitOid": made.oid, "commitUrl": f"{h.hub.url}/{id}/commit/{made.oid}"})


def tree(h: _Handler, place: str, id: str, rev: str, path: str = "") -> Reply:
    found = h.repo(place, id).at(rev).tree
    prefix = f"{path.rstrip('/')}/" if path else ""
    deep = h.query.get("recursive", "").lower() in {"1", "true"}
    entries: dict[str, dict[str, Any]] = {}
    for name in sorted(found):
        if not name.startswith(prefix):
            continue
        folders = name[len(prefix) :].split("/")[:-1]
        for depth in range(1, len(folders) + 1):
            folder = prefix + "/".join(folders[:depth])
            if deep or depth == 1:
                entries[folder] = {"type": "directory", "oid": _git_sha1(folder.encode()), "size": 0, "path": folder}
        if deep or not folders:
            entries[name] = _entry(name, found[name])
    if prefix and not entries:
        raise Refusal(404, "EntryNotFound", f"{path} does not exist on {rev}")
    start = int(h.query.get("cursor", 0))
    listed = list(entries.values())
    reply = Reply.json(listed[start : start + h.hub.page])
    if start + h.hub.page < len(listed):
        recursive = f"recursive={h.query.get('recursive', 'false')}"
        here = f"{h.hub.url}{urlsplit(h.path).path}?{recursive}&cursor={start + h.hub.page}"
        reply.headers["Link"] = f'<{here}>; rel="next"'
    return reply


def _entry(path: str, blob: Blob) -> dict[str, Any]:
    entry = {"type": "file", "oid": blob.oid, "size": blob.size, "path": path}
    if blob.sha256:
        pointer = len(_pointer(blob.sha256, blob.size))
        entry["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": pointer}
    return entry


def paths_info(h: _Handler, place: str, id: str, rev: str) -> Reply:
    found = h.repo(place, id).at(rev).tree
    wanted = parse_qs(h.content.decode()).get("paths", [])
    entries = [_entry(path, found[path]) for path in wanted if path in found]
    folders = [path for path in wanted if any(name.startswith(f"{path}/") for name in found)]
    return Reply.json([*entries, *({"type": "directory", "oid": "0" * 40, "size": 0, "path": p} for p in folders)])


def resolve(h: _Handler, id: str, rev: str, path: str, datasets: str = "") -> Reply:
    repo = h.repo("datasets" if datasets else "models", id)
    commit = repo.at(rev)
    headers = {"X-Repo-Commit": commit.oid}
    if path not in commit.tree:
        raise Refusal(404, "EntryNotFound", "Entry not found", **headers)
    blob = commit.tree[path]
    if blob.sha256:  # at another origin, as on the Hub
        port = h.server.server_address[1]
        headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
        return Reply(302, b"", {**headers, "Location": f"http://localhost:{port}/cdn/{blob.sha256}"})
    return _ranged(h, blob.data, {**headers, "ETag": f'"{blob.oid}"'})


def cdn(h: _Handler, oid: str) -> Reply:
    if oid not in h.hub.lfs:
        raise Refusal(404, "EntryNotFound", "Entry not found")
    return _ranged(h, h.hub.lfs[oid], {"ETag": f'"{oid}"'})


def _ranged(h: _Handler, data: bytes, headers: dict[str, str]) -> Reply:
    headers["Accept-Ranges"] = "bytes"
    if h.command == "HEAD":
        return Reply(200, b"", {**headers, "Content-Length": str(len(data))})
    if match := re.fullmatch(r"bytes=(\d+)-(\d*)", h.headers.get("Range", "")):
        start, end = int(match[1]), min(int(match[2] or len(data) - 1), len(data) - 1)
        if start >= len(data):
            return Reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        return Reply(206, data[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"})
    return Reply(200, data, headers)


def refs(h: _Handler, place: str, id: str) -> Reply:
    repo = h.repo(place, id)
    listed = {
        key: [{"name": name, "ref": f"refs/{where}/{name}", "targetCommit": oid} for name, oid in found.items()]
        for key, where, found in (("branches", "heads", repo.branches), ("tags", "tags", repo.tags))
    }
    return Reply.json({**listed, "converts": []})


def tag(h: _Handler, place: str, id: str, rev: str) -> Reply:
    repo = h.repo(place, id)
    h.may_write(id.split("/")[0])
    if h.command == "DELETE":
        if repo.tags.pop(rev, None) is None:
            raise Refusal(404, "RevisionNotFound", "Tag not found")
        return Reply()
    name = h.body_json()["tag"]
    if name in repo.tags:
        raise Refusal(409, "", f"Tag {name} already exists")
    repo.tags[name] = repo.at(rev).oid
    return Reply()


def branch(h: _Handler, place: str, id: str, rev: str) -> Reply:
    repo = h.repo(place, id)
    h.may_write(id.split("/")[0])
    if h.command == "DELETE":
        repo.branches.pop(rev, None)
        return Reply()
    if rev in repo.branches:
        raise Refusal(409, "", f"Branch {rev} already exists")
    repo.branches[rev] = repo.at(h.body_json().get("startingPoint") or "main").oid
    return Reply()


def commits(h: _Handler, place: str, id: str, rev: str) -> Reply:
    listed = h.repo(place, id).history(rev)
    return Reply.json([{"id": c.oid, "title": c.title, "message": "", "authors": [], "date": c.date} for c in listed])


def validate_yaml(h: _Handler) -> Reply:
    header = re.match(r"\s*---\r?\n(.*?)\r?\n---", h.body_json()["content"], re.DOTALL)
    try:
        content = yaml.safe_load(header[1]) if header else {}
        problem = None if isinstance(content, dict) else "the header must be a mapping"
        if keys := sorted(key for key in _keys(content) if set(".$") & set(str(key))):
            problem = f"keys must hold neither '.' nor '$', but here is {keys[0]!r}"
    except yaml.YAMLError as error:
        problem = str(error)
    errors = [{"message": problem}] if problem else []
    return Reply.json({"errors": errors, "warnings": []}, 400 if errors else 200)


def _keys(content: Any) -> Iterator[Any]:
    """All keys of a header; the Hub's database takes no dots in them."""
    if isinstance(content, dict):
        yield from content
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _keys(value)


_ID = r"(?P<id>[^/]+/[^/]+)"
_API = rf"/api/(?P<place>datasets|models)/{_ID}"
_FILES = rf"/(?P<datasets>datasets/)?{_ID}"
_REV = r"(?P<rev>[^/]+)"
_OID = r"(?P<oid>[0-9a-f]{64})"
ROUTES: list[tuple[str, set[str], re.Pattern[str], Callable[..., Reply]]] = [
    (name, set(methods.split()), re.compile(pattern), function)
    for name, methods, pattern, function in [
        ("whoami", "GET", "/api/whoami-v2", whoami),
        ("create", "POST", "/api/repos/create", create),
        ("delete", "DELETE", "/api/repos/delete", delete),
        ("validate_yaml", "POST", "/api/validate-yaml", validate_yaml),
        ("info", "GET HEAD", rf"{_API}(/revision/{_REV})?", info),
        ("preupload", "POST", rf"{_API}/preupload/{_REV}", preupload),
        ("lfs_batch", "POST", rf"{_FILES}\.git/info/lfs/objects/batch", lfs_batch),
        ("lfs_put", "PUT", rf"/lfs/{_OID}(/(?P<part>\d+))?", lfs_put),
        ("lfs_complete", "POST", rf"/lfs-complete/{_OID}", lfs_complete),
        ("lfs_verify", "POST", rf"/lfs-verify/{_OID}", lfs_verify),
        ("commit", "POST", rf"{_API}/commit/{_REV}", commit),
        ("tree", "GET", rf"{_API}/tree/{_REV}(/(?P<path>.+))?", tree),
        ("paths_info", "POST", rf"{_API}/paths-info/{_REV}", paths_info),
        ("refs", "GET", rf"{_API}/refs", refs),
        ("tag", "POST DELETE", rf"{_API}/tag/{_REV}", tag),
        ("branch", "POST DELETE", rf"{_API}/branch/{_REV}", branch),
        ("commits", "GET", rf"{_API}/commits/{_REV}", commits),
        ("resolve_head", "HEAD", rf"{_FILES}/resolve/{_REV}/(?P<path>.+)", resolve),
        ("resolve_get", "GET", rf"{_FILES}/resolve/{_REV}/(?P<path>.+)", resolve),
        ("cdn", "GET HEAD", rf"/cdn/{_OID}", cdn),
    ]
]
ENDPOINTS = [name for name, *_ in ROUTES]


def client_environment(server: HubServer, home: str, token: str | None = WRITE_TOKEN) -> dict[str, str]:
    """What a client's process needs to talk to this server and to nothing else, set before it imports anything."""
    environment = {
        "HF_ENDPOINT": server.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": home,
        "HF_HUB_CACHE": f"{home}/hub",
        "HF_DATASETS_CACHE": f"{home}/datasets",
        "HF_HUB_OFFLINE": "0",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    return {**environment, **({"HF_TOKEN": token} if token else {})}


@contextmanager
def serving(port: int = 0) -> Iterator[HubServer]:
    server = HubServer(port)
    server.start()
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    with serving() as running:
        lines = [f"export {name}={value}" for name, value in client_environment(running, "/tmp/hub-home").items()]
        sys.stdout.write("\n".join([*lines, ""]))
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
