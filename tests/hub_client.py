"""The real clients in a process of their own: its environment is set before anything is imported.

`Client` starts such a process, asks it to call functions of this package one after the other, and gets back what they
return or raise, together with everything that was printed.
"""

import contextlib
import dataclasses
import importlib
import io
import json
import logging
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any


class Client:
    """A process that calls functions."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._log = folder / "client-stderr.txt"  # what the libraries log goes there, by whatever thread
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log.open("ab"),
            cwd=folder,
            env={**os.environ, **environment},
            text=True,
        )

    def call(self, function: str, *arguments: Any, **keywords: Any) -> dict[str, Any]:
        """Call ``module:function``; returns ok, value or error, message and state, seconds, and all output."""
        return self.calls([(function, arguments, keywords)])[0]

    def calls(self, wanted: list[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
        for function, arguments, keywords in wanted:
            line = json.dumps({"function": function, "arguments": arguments, "keywords": keywords})
            self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answers = [self._process.stdout.readline() for _ in wanted]
        if not all(answers):
            raise RuntimeError(f"the client process ended with {self._process.wait()}")
        return [json.loads(answer) for answer in answers]

    def push(self, repo_id: str, configs: list[str], **keywords: Any) -> dict[str, Any]:
        return self.call("mnist1d_hf.hub.push:push", repo_id, configs, **keywords)

    def load(self, repo_id: str, config: str = "default", **keywords: Any) -> dict[str, Any]:
        return self.call("mnist1d_hf.hub.load:load", repo_id, config, **keywords)

    def log(self) -> str:
        """Everything that was written to standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _described(value: Any) -> Any:
    """What came back, as JSON: of a data set the digests and the version."""
    import datasets

    from mnist1d_hf.generator.columns import column_digests

    if isinstance(value, datasets.DatasetDict):
        return {split: _described(rows) for split, rows in value.items()}
    if isinstance(value, datasets.Dataset):
        table = value.with_format("arrow")[:]
        return {"digests": column_digests([table]), "version": str(value.info.version), "rows": len(value)}
    if isinstance(value, dict):
        return {key: _described(entry) for key, entry in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def _answer(function: str, arguments: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    module, name = function.split(":")
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    logging.getLogger().addHandler(handler)
    start = time.monotonic()
    answer: dict[str, Any]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            value = getattr(importlib.import_module(module), name)(*arguments, **keywords)
            answer = {"ok": True, "value": _described(value)}
        except (Exception, SystemExit) as error:  # whatever it is, the test wants to see it
            answer = {
                "ok": False,
                "error": type(error).__name__,
                "message": str(error),
                "traceback": traceback.format_exc(),
            }
            answer["state"] = getattr(error, "state", None)
    logging.getLogger().removeHandler(handler)
    return {**answer, "seconds": time.monotonic() - start, "output": output.getvalue()}


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing that is printed may come between the answers
    logging.getLogger().setLevel(logging.INFO)  # a token must not show in any log either
    import mnist1d_hf  # noqa: F401

    for line in sys.stdin:
        answers.write(json.dumps(_answer(**json.loads(line)), default=str) + "\n")
        answers.flush()
    os._exit(0)  # abandoned requests do not hold it up
