"""The server of the page: on this machine unless told otherwise, without a file or a port left when it ends."""

import logging
import os
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from lightning_module.explorer.train.session import close_all
from mnist1d_hf.extras import extra_imports

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

LARGEST_UPLOAD: Final = "2mb"  # of a file; a quiz of all 1,000 test signals has 200,000 bytes
LEAVE: Final = 0.4  # seconds in which answers under way may be finished when the server ends
START: Final = 60.0  # seconds at the most until it serves
FONTS: Final = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif")
MONO: Final = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")
STYLES: Final = ("page.css", "tabs.css")
# From light to dark: shades of the figures' blue, the seventh.
BLUE: Final = [
    "#eaf4fb",
    "#cfe3f1",
    "#a5cfe9",
    "#79b9df",
    "#56a7d6",
    "#2a8cc5",
    "#0072b2",
    "#005f95",
    "#004d79",
    "#003b5d",
    "#002c46",
]
# What of gradio the page needs. It has much more: stored runs, recordings, programs that write programs, other hosts'
# pages under this address. What is not listed is not there.
SERVED: Final = {
    "GET": re.compile(
        r"/|/favicon\.ico|/(theme\.css|robots\.txt|config)|/(assets|static)/.+|/data/.+|"
        r"/gradio_api/(heartbeat/\w+|upload_progress|startup-events)"
    ),
    "POST": re.compile(r"/gradio_api/(run/predict|upload)"),
}
NO_SUCH_PART: Final = "the page has no such part"
# Read when gradio is imported: no telemetry, no question whether there is a newer version.
SILENT: Final = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


def application() -> "FastAPI":
    """Returns the page as an application that any ASGI server can serve.

    Nothing in it comes from another host: fonts are the reader's own, scripts and styles are files of gradio and of
    this folder.

    Raises:
        ImportError: If gradio is not installed.
    """
    os.environ.update(SILENT)
    with extra_imports():
        import gradio as gr
    from fastapi import FastAPI

    from lightning_module.explorer.app import TITLE, build_app

    here = files("lightning_module.explorer")
    script = here.joinpath("page.js").read_text(encoding="utf-8")
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    blue = gr.themes.Color(*BLUE, name="figures")
    app.add_route("/data/{split}.{kind}", _download)
    app.add_middleware(Served)
    theme = gr.themes.Base(
        primary_hue=blue, neutral_hue="slate", font=list(FONTS), font_mono=list(MONO), radius_size="sm"
    )
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_app(),
        path="/",
        footer_links=[],
        theme=theme,
        css="".join(here.joinpath(name).read_text(encoding="utf-8") for name in STYLES),
        head=f"<script>{script}</script>",
        ssr_mode=False,
        show_error=False,
        max_file_size=LARGEST_UPLOAD,
        enable_monitoring=False,
        pwa=False,
        run_history=False,  # each move kept in the browser, up to its 5 MB, makes the next one slower
    )
    return mounted


class Served:
    """What is not in `SERVED` is not there; everything else goes on.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Refuses a request, or lets it go on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        from starlette.responses import PlainTextResponse

        method = "GET" if scope.get("method") == "HEAD" else scope.get("method", "")
        allowed = SERVED.get(method) if scope["type"] == "http" else None
        if allowed is not None and allowed.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse(NO_SUCH_PART, status_code=404)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})


def _download(request: Any) -> Any:
    """Returns the data of a recipe, which the query says, as a file."""
    from fastapi import Response

    from lightning_module.explorer.make import download

    kind = request.path_params["kind"]
    if kind not in download.KINDS:
        return Response("there are .parquet and .csv", status_code=404)
    try:
        recipe, stream, split = download.from_query(request.query_params.multi_items())
        content = download.file(recipe, stream, split, kind)
    except ValueError as error:
        return Response(str(error), status_code=400, media_type="text/plain")
    return Response(content, media_type=download.KINDS[kind])


def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """Returns a folder for gradio's files, which goes with the server."""
    folder = tempfile.TemporaryDirectory(prefix="mnist1d-explorer-", ignore_cleanup_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = folder.name  # read when gradio is imported, and whenever it needs a file
    return folder


def serve(host: str, port: int, *, say: Callable[[str], None]) -> None:
    """Serves the page until the calling thread is interrupted.

    Args:
        host: The address to listen at.
        port: The port; 0 for a free one.
        say: Is told the page's address once it is there.

    Raises:
        ValueError: If nothing can listen there.
        ImportError: If gradio is not installed.
    """
    with _listening(host, port) as listening, _own_folder() as files_of_gradio:
        app = application()
        import torch
        import uvicorn

        torch.set_num_threads(1)  # networks so small are no faster with two, and there are other visitors

        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, access_log=False))

        def run() -> None:
            try:
                server.run(sockets=[listening])
            except Exception:
                if not server.force_exit:
                    raise

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            began = time.monotonic()
            while not server.started and thread.is_alive() and time.monotonic() < began + START:
                time.sleep(0.02)
            if not server.started:
                raise ValueError(f"port={port}: the server did not start; is something else at {host}?")
            say(url(host, listening.getsockname()[1]))
            while thread.is_alive():
                thread.join(1.0)
        finally:
            close_all()
            shutil.rmtree(files_of_gradio, ignore_errors=True)  # first: there is a second for all of this
            server.should_exit = True
            thread.join(LEAVE)
            for name in ("uvicorn.error", "asyncio"):  # which call an error that they are cut short
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
            server.force_exit = True  # open pages hold a connection each
            thread.join(LEAVE)


def url(host: str, port: int) -> str:
    """Returns the address to open."""
    seen = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{seen}:{port}/"


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(128)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ValueError(
                f"port={port} at host={host!r} cannot be had ({reason}); give another port, or 0 for a free one"
            ) from None
        yield listening
