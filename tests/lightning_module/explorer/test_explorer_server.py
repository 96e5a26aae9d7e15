"""The server of the explorer: where it listens, what it refuses, and that nothing is left of it."""

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from explorers import Explorer
from starlette.testclient import TestClient

from lightning_module.cli import main
from lightning_module.explorer.server import NO_SUCH_PART, application, url


def test_the_address_to_open_is_one_that_can_be_opened():
    assert url("127.0.0.1", 80) == "http://127.0.0.1:80/"
    assert url("0.0.0.0", 80) == "http://127.0.0.1:80/"
    assert url("::1", 80) == "http://[::1]:80/"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "70000"], "--port=70000"),
        (["--host", "300.1.1.1", "--port", "0"], "give another port, or 0 for a free one"),
    ],
)
def test_what_cannot_be_listened_at_is_one_line(options, said, capsys):
    assert main(["explore", *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_port_that_is_taken_is_refused_before_anything_is_imported(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["explore", "--port", str(port)]) == 2
    assert f"--port={port} " in capsys.readouterr().err


def test_no_other_command_imports_gradio():
    code = "import sys, lightning_module.cli, mnist1d_hf, lightning_module.commands.explore; "
    code += "print([n for n in ('gradio', 'torch', 'fastapi', 'uvicorn') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def client():
    """The page without a server."""
    return TestClient(application())


def test_no_event_goes_through_gradios_queue(client):
    events = client.get("/config").json()["dependencies"]
    of_server = [each for each in events if each["backend_fn"]]
    assert len(of_server) > 20
    assert [each["id"] for each in of_server if each["queue"] is not False and each["targets"][0][1] != "unload"] == []
    # And none is offered to programs: what they want is a function of the package.
    assert {each["api_visibility"] for each in of_server if each["targets"][0][1] != "unload"} == {"private"}


@pytest.mark.parametrize(
    "path",
    [
        "GET /gradio_api/runs",
        "GET /gradio_api/run-history/buckets",
        "GET /gradio_api/info",
        "GET /gradio_api/queue/data?session_hash=a",
        "POST /gradio_api/queue/join",
        "POST /gradio_api/call/make",
        "GET /gradio_api/proxy=https://huggingface.co/",
        "GET /gradio_api/file=/etc/hostname",
        "GET /gradio_api/deep_link?session_hash=a",
        "POST /gradio_api/process_recording",
        "POST /gradio_api/component_server",
        "POST /gradio_api/vibe-edit",
        "POST /login",
        "GET /monitoring",
        "GET /openapi.json",
        "GET /no/such/page",
        "POST /",
        "PUT /gradio_api/run/predict",
    ],
)
def test_what_the_page_does_not_need_is_not_there(path, client):
    method, path = path.split()
    answer = client.request(method, path)
    assert (answer.status_code, answer.text) == (404, NO_SUCH_PART)


@pytest.mark.parametrize(
    "path", ["/assets/..%2f..%2fpackage.json", "/static/..%2f..%2f..%2froutes.py", "/assets/%2fetc%2fhostname"]
)
def test_no_file_outside_of_a_folder_is_served(path, client):
    assert client.get(path).status_code in (403, 404)


def test_nothing_of_a_visit_is_kept_in_the_browser(client):
    assert client.get("/config").json()["run_history"] is False
    assert client.get("/").status_code == client.head("/").status_code == 200


@pytest.mark.docs
def test_started_and_stopped_ten_times_nothing_is_left(tmp_path):
    def once(number):
        started = Explorer(tmp_path / str(number))
        seconds, status, said = started.stop(signal.SIGINT if number % 2 else signal.SIGTERM)
        with socket.socket() as again:
            free = again.connect_ex(("127.0.0.1", started.port)) != 0
        left = [path for path in started.folder.rglob("*") if path.is_file() or path.name.startswith("mnist1d")]
        return seconds, status, said, free, left

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(once, range(10)))
    assert [status for _, status, *_ in done] == [143, 130] * 5
    for seconds, _, said, free, left in done:
        assert seconds < 4  # two on a quiet machine
        assert said == "stopped; the page is closed, and nothing is left of it\n"
        assert free
        assert not left


SLOW_TO_END = """
import time
import uvicorn
from lightning_module.cli import main

on_tick = uvicorn.Server.on_tick

async def busy(server, counter):
    if server.should_exit:
        time.sleep(0.6)
    return await on_tick(server, counter)

uvicorn.Server.on_tick = busy
status = main(["explore", "--port", "0"])
time.sleep(2.0)  # time to say something
raise SystemExit(status)
"""


@pytest.mark.docs
def test_stopped_on_a_busy_machine_it_says_no_more(tmp_path):
    """The server is cut short in the midst of its end, and would log how it was cancelled."""
    started = Explorer(tmp_path, program=[sys.executable, "-c", SLOW_TO_END])
    _, status, said = started.stop()
    assert (status, said) == (130, "stopped; the page is closed, and nothing is left of it\n")
