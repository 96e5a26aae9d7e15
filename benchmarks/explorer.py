"""How long the explorer's page takes to answer: one visitor in a browser, then thirty at once, moving sliders.

    python benchmarks/explorer.py
    python benchmarks/explorer.py --visitors 60 --seconds 20 --no-browser

Each of the thirty moves every two seconds. Prints medians and 95th percentiles. Fails if something went wrong, somebody
saw the signals of somebody else, or one in twenty of the thirty visitors' moves was not answered by its signals within
two seconds. Needs the extra explorer, and for one visitor playwright and chromium.
"""

import argparse
import asyncio
import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from report import machine

from lightning_module.explorer.make.fields import NAMES, values_of
from mnist1d_hf import make_mnist1d

PAUSE = 2.0  # seconds from one move of a visitor to the next
MOST = 2.0  # seconds within which 95 % of moves are to be answered by their signals
MOVES = 30  # of the one visitor in a browser
SHA256 = re.compile(r'data-sha256="([0-9a-f]{64})"')
# In the page: seconds from a step of a slider until other signals are there, and until their posteriors are.
WATCH = """(name) => new Promise((done) => {
  const digest = () => document.querySelector("#m1-sha256").dataset.sha256;
  const known = () => document.querySelectorAll("#make-signals .m1-posterior:not(.m1-waiting)").length === 10;
  const before = digest(), slider = document.querySelector(`#${name} input[type=range]`), began = performance.now();
  let signals = null;
  const look = () => {
    const now = performance.now() - began;
    if (signals === null && digest() !== before) signals = now;
    if (signals !== null && known()) done([signals / 1000, now / 1000]);
    else if (now > 20000) done([signals === null ? 20 : signals / 1000, 20]);
    else requestAnimationFrame(look);
  };
  slider.value = Number(slider.value) + Number(slider.step);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(look);
})"""


@dataclass
class Seen:
    """What all visitors saw together.

    Attributes:
        signals: Seconds until signals were there, a move each.
        posteriors: Seconds until their posteriors were.
        digests: Of the signals that a move was answered by, with the noise that it asked for.
        wrong: What went wrong.
    """

    signals: list[float] = field(default_factory=list)
    posteriors: list[float] = field(default_factory=list)
    digests: list[tuple[float, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Measures the page, and returns 1 if the page did not hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--no-browser", action="store_true", help="leave out the one visitor in a browser")
    options = parser.parse_args()
    print(machine())
    command = [sys.executable, "-m", "lightning_module", "explore", "--port", "0"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[0].rstrip("/")
        print(f"the page is there after {time.perf_counter() - began:.1f} s")
        try:
            wrong = [] if options.no_browser else in_browser(url)
            wrong += at_once(url, options.visitors, options.seconds)
        finally:
            server.send_signal(signal.SIGTERM)
    for line in wrong[:10]:
        print(f"WRONG: {line}")
    return int(bool(wrong))


def in_browser(url: str) -> list[str]:
    """Prints how long one visitor waits for signals and posteriors; returns what went wrong."""
    from playwright.sync_api import sync_playwright

    said: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        began = time.perf_counter()
        page.goto(url)
        page.wait_for_selector("#make-signals polyline")
        paint = time.perf_counter() - began
        page.wait_for_selector("html[data-mnist1d=ready]")
        sliders = ["make-iid-noise-scale", "make-shear-scale", "make-corr-noise-scale"]
        waits = np.array([page.evaluate(WATCH, sliders[move % len(sliders)]) for move in range(MOVES)])
        browser.close()
    print(f"one visitor, {MOVES} steps of sliders in chromium: first signals {paint:.2f} s after opening the page")
    tell("  signals", waits[:, 0])
    tell("  posteriors", waits[:, 1])
    return said


def at_once(url: str, visitors: int, seconds: float) -> list[str]:
    """Prints how long many visitors wait; returns what went wrong."""
    seen = asyncio.run(everybody(url, visitors, seconds))
    print(f"{visitors} visitors at once, each a move every {PAUSE:g} s for {seconds:g} s: {len(seen.signals)} moves")
    tell("  signals", np.array(seen.signals))
    tell(f"  posteriors of {len(seen.posteriors)}, for others a new move came first", np.array(seen.posteriors))
    mixed = sum(expected(noise) != digest for noise, digest in seen.digests)
    late = float(np.mean(np.array(seen.signals) > MOST)) if seen.signals else 1.0
    print(f"  within {MOST:g} s: {1 - late:.1%} of signals; of somebody else: {mixed} of {len(seen.digests)}")
    wrong = list(seen.wrong)
    if mixed:
        wrong.append(f"{mixed} moves were answered by other signals than those asked for")
    if late > 0.05:
        wrong.append(f"{late:.1%} of signals took more than {MOST:g} s")
    return wrong


async def everybody(url: str, visitors: int, seconds: float) -> Seen:
    """Returns what visitors see who come within two seconds of each other."""
    seen = Seen()
    limits = httpx.Limits(max_connections=4 * visitors)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        config = (await client.get("/config")).json()["dependencies"]
        make = next(each["id"] for each in config if each["api_name"] == "make")
        weigh = next(each["id"] for each in config if each["trigger_after"] == make)
        refine = next(each["id"] for each in config if each["trigger_after"] == weigh)
        end = time.perf_counter() + seconds
        await asyncio.gather(*(visitor(client, number, (make, weigh, refine), end, seen) for number in range(visitors)))
    return seen


async def visitor(client: httpx.AsyncClient, number: int, calls: tuple[int, int, int], end: float, seen: Seen) -> None:
    """Moves a slider every two seconds, each move's recipe nobody else's."""
    chance, name = random.Random(number), f"visitor{number}"
    stream = Stream(client, name)
    await asyncio.sleep(PAUSE * chance.random())
    running: set[asyncio.Task[None]] = set()
    while (began := time.perf_counter()) < end:
        noise = round(chance.uniform(0.01, 0.3), 7)  # nobody else's
        values = dict(zip(NAMES, values_of("default"), strict=True)) | {"iid_noise_scale": noise}
        content = {
            "data": ["default", 0, "3", *values.values(), len(seen.signals)],
            "fn_index": calls[0],
            "session_hash": name,
        }
        try:
            answer = await client.post("/gradio_api/run/predict", json=content)
            answer.raise_for_status()
            seen.signals.append(time.perf_counter() - began)
            (digest,) = SHA256.findall(answer.text.replace('\\"', '"'))
            seen.digests.append((noise, digest))
            task = asyncio.create_task(afterwards(stream, calls[1:], answer.json()["data"][-1], began, seen))
            running.add(task)
            task.add_done_callback(running.discard)
        except (httpx.HTTPError, ValueError) as error:
            seen.wrong.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(max(0.0, PAUSE - (time.perf_counter() - began)))
    _, late = await asyncio.wait(running, timeout=PAUSE) if running else (set(), set())
    for task in late:  # limits that are still being refined
        task.cancel()


class Stream:
    """What the server tells one visitor, as gradio's own client hears it: a stream while something is asked for.

    Args:
        client: The connection.
        name: The visitor.
    """

    def __init__(self, client: httpx.AsyncClient, name: str) -> None:
        self._client, self._name = client, name
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def ask(self, call: int, data: list[Any]) -> Any:
        """Returns what a call of the page's queue comes to."""
        content: dict[str, Any] = {"data": data, "fn_index": call, "session_hash": self._name}
        joined = await self._client.post("/gradio_api/queue/join", json=content)
        joined.raise_for_status()
        done = self._asked.setdefault(joined.json()["event_id"], asyncio.get_running_loop().create_future())
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return await done

    async def _read(self) -> None:
        try:
            await self._listen()
        except httpx.HTTPError as error:
            for future in self._asked.values():
                if not future.done():
                    future.set_exception(error)

    async def _listen(self) -> None:
        while any(not future.done() for future in self._asked.values()):
            async with self._client.stream(
                "GET", "/gradio_api/queue/data", params={"session_hash": self._name}
            ) as told:
                async for line in told.aiter_lines():
                    message = json.loads(line[6:]) if line.startswith("data: ") else {}
                    if message.get("msg") == "close_stream":
                        break
                    if message.get("msg") == "process_completed":
                        loop = asyncio.get_running_loop()
                        future = self._asked.setdefault(message["event_id"], loop.create_future())
                        if not future.done():
                            future.set_result(message)


async def afterwards(stream: Stream, calls: tuple[int, ...], turn: int, began: float, seen: Seen) -> None:
    """Fetches posteriors and a better limit, as the page does when signals have come."""
    for place, call in enumerate(calls):
        try:
            message = await stream.ask(call, [] if place else [turn])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            seen.wrong.append(f"{type(error).__name__}: {error}")
            return
        if not message["success"]:
            seen.wrong.append(f"call {call}: {message['output']}")
        if place == 0 and "m1-true" in json.dumps(message["output"]):  # else there was a later move by then
            seen.posteriors.append(time.perf_counter() - began)


def expected(noise: float) -> str:
    """Returns the digest of the ten signals that a move asks for."""
    train = make_mnist1d(iid_noise_scale=noise, dtype="float32").train
    ten = train.x[[int(np.flatnonzero(train.y == digit)[0]) for digit in range(10)]]
    return hashlib.sha256(np.ascontiguousarray(ten).astype("<f4").tobytes()).hexdigest()


def tell(name: str, seconds: np.ndarray) -> None:
    """Prints the median and the 95th percentile."""
    if len(seconds):
        middle, most, last = np.quantile(seconds, [0.5, 0.95, 1.0])
        print(f"{name}: median {middle:.3f} s, 95 % within {most:.3f} s, all within {last:.3f} s")


if __name__ == "__main__":
    sys.exit(main())
