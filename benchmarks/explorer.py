"""How long the explorer's page takes to answer: one visitor in a browser, then thirty at once, moving sliders.

    python benchmarks/explorer.py
    python benchmarks/explorer.py --visitors 60 --seconds 20 --no-browser

Each of the thirty moves every two seconds, first in the tab Make, then in Break. Prints medians and 95th percentiles.
Fails if something went wrong, somebody saw the signals of somebody else, one in twenty moves of the thirty was not
answered within two seconds, or one in twenty of the one visitor's not by signals within 0.3 and posteriors within one.
Needs the extra explorer, and for one visitor playwright and chromium.
"""

import argparse
import asyncio
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from report import machine

from lightning_module.explorer.break_.signals import SLIDERS, Setting
from lightning_module.explorer.make.fields import NAMES, values_of
from mnist1d_hf import make_mnist1d

PAUSE = 2.0  # seconds from one move of a visitor to the next
MOST = 2.0  # seconds within which 95 % of moves are to be answered by their signals
MOVES = 60  # of the one visitor in a browser
MOST_ALONE = {"signals": 0.3, "posteriors": 1.0}  # seconds within which 95 % are there for one visitor
MOVE = {"Make": "draw", "Break": "move"}  # the call that a move of a tab's slider makes
FIRST = {"Make": "signals", "Break": "accuracies"}  # what it is answered by, and what follows, by whose mark
LATER = {"Make": "posteriors", "Break": "limits"}
MARK = {"Make": "m1-true", "Break": "m1-bayes"}
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
        first: Seconds until a move was answered.
        later: Seconds until the first of what follows was there.
        digests: Of the signals that a move was answered by, with the noise that it asked for.
        wrong: What went wrong.
    """

    first: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
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
            for tab in MOVE:
                before = processor_time(server.pid)
                wrong += at_once(url, options.visitors, options.seconds, tab)
                print(f"  the server's processor time: {processor_time(server.pid) - before:.0f} s")
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
    for (name, most), seconds in zip(MOST_ALONE.items(), waits.T, strict=True):
        tell(f"  {name}", seconds)
        if np.quantile(seconds, 0.95) > most:
            said.append(f"one in twenty moves of one visitor waits for {name} more than {most:g} s")
    return said


def at_once(url: str, visitors: int, seconds: float, tab: str) -> list[str]:
    """Prints how long many visitors of a tab wait; returns what went wrong."""
    seen = asyncio.run(everybody(url, visitors, seconds, tab))
    print(f"{visitors} visitors of {tab} at once, each a move every {PAUSE:g} s, {len(seen.first)} in {seconds:g} s")
    tell(f"  {FIRST[tab]}", np.array(seen.first))
    tell(f"  {LATER[tab]} of {len(seen.later)}, for others a new move came first", np.array(seen.later))
    mixed = sum(expected(noise) != digest for noise, digest in seen.digests)
    late = float(np.mean(np.array(seen.first) > MOST)) if seen.first else 1.0
    others = f"; of somebody else: {mixed} of {len(seen.digests)}" if seen.digests else ""
    print(f"  within {MOST:g} s: {1 - late:.1%}{others}")
    wrong = list(seen.wrong)
    if mixed or (tab == "Make" and not seen.digests):
        wrong.append(f"{mixed} of {len(seen.digests)} moves were answered by other signals than those asked for")
    if late > 0.05:
        wrong.append(f"{late:.1%} of answers in {tab} took more than {MOST:g} s")
    return wrong


async def everybody(url: str, visitors: int, seconds: float, tab: str) -> Seen:
    """Returns what visitors see who come within two seconds of each other."""
    seen = Seen()
    limits = httpx.Limits(max_connections=6 * visitors)  # as many as a browser has for one host
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        events = (await client.get("/config")).json()["dependencies"]
        calls = [next(each["id"] for each in events if each["api_name"] == MOVE[tab])]
        while following := [each["id"] for each in events if each["trigger_after"] == calls[-1]]:
            calls += following
        end = time.perf_counter() + seconds
        await asyncio.gather(*(visitor(client, number, tab, calls, end, seen) for number in range(visitors)))
    return seen


async def visitor(client: httpx.AsyncClient, number: int, tab: str, calls: list[int], end: float, seen: Seen) -> None:
    """Moves a slider every two seconds, each move's recipe nobody else's."""
    chance, name = random.Random(number), f"{tab}{number}"
    await asyncio.sleep(PAUSE * chance.random())
    running: set[asyncio.Task[None]] = set()
    turn = 0
    while (began := time.perf_counter()) < end:
        turn += 1
        noise = round(chance.uniform(0.01, 0.3), 7)  # nobody else's
        data = inputs(tab, noise)
        try:
            answer = await ask(client, name, calls[0], [*data, f"turn:{tab.lower()}:{turn}"])
            seen.first.append(time.perf_counter() - began)
            if tab == "Make":
                (digest,) = SHA256.findall(answer.replace('\\"', '"'))
                seen.digests.append((noise, digest))
            task = asyncio.create_task(afterwards(client, name, tab, calls[1:], data, turn, began, seen))
            running.add(task)
            task.add_done_callback(running.discard)
        except (httpx.HTTPError, ValueError) as error:
            seen.wrong.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(max(0.0, PAUSE - (time.perf_counter() - began)))
    _, late = await asyncio.wait(running, timeout=PAUSE) if running else (set(), set())
    for task in late:  # limits that are still being refined
        task.cancel()


def inputs(tab: str, noise: float) -> list[Any]:
    """Returns what a tab's controls hold, all but the noise as they are at first."""
    if tab == "Make":
        values = dict(zip(NAMES, values_of("default"), strict=True)) | {"iid_noise_scale": noise}
        return ["default", 0, "3", *values.values()]
    setting = Setting(iid_noise_scale=noise)
    return [*(getattr(setting, each.name) for each in SLIDERS), setting.outside, setting.amount]


async def ask(client: httpx.AsyncClient, name: str, call: int, data: list[Any]) -> str:
    """Returns the text of an answer."""
    content = {"data": data, "fn_index": call, "session_hash": name}
    answer = await client.post("/gradio_api/run/predict", json=content)
    answer.raise_for_status()
    return answer.text


async def afterwards(
    client: httpx.AsyncClient,
    name: str,
    tab: str,
    calls: list[int],
    data: list[Any],
    turn: int,
    began: float,
    seen: Seen,
) -> None:
    """Fetches all that follows a move, as the page does when its first answer has come."""
    for place, call in enumerate(calls):
        asked = [] if tab == "Make" else [*["iid_noise_scale"] * (place == len(calls) - 1), *data]
        try:
            answer = await ask(client, name, call, [*asked, f"turn:{tab.lower()}:{turn}"])
        except httpx.HTTPError as error:
            seen.wrong.append(f"{type(error).__name__}: {error}")
            return
        if place == 0 and MARK[tab] in answer:  # else there was a later move by then
            seen.later.append(time.perf_counter() - began)


def expected(noise: float) -> str:
    """Returns the digest of the ten signals that a move asks for."""
    train = make_mnist1d(iid_noise_scale=noise, dtype="float32").train
    ten = train.x[[int(np.flatnonzero(train.y == digit)[0]) for digit in range(10)]]
    return hashlib.sha256(np.ascontiguousarray(ten).astype("<f4").tobytes()).hexdigest()


def processor_time(process: int) -> float:
    """Returns the seconds that a process has computed, on whatever cores; 0 where /proc is not."""
    file = Path(f"/proc/{process}/stat")
    if not file.exists():
        return 0.0
    fields = file.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tell(name: str, seconds: np.ndarray) -> None:
    """Prints the median and the 95th percentile."""
    if len(seconds):
        middle, most, last = np.quantile(seconds, [0.5, 0.95, 1.0])
        print(f"{name}: median {middle:.3f} s, 95 % within {most:.3f} s, all within {last:.3f} s")


if __name__ == "__main__":
    sys.exit(main())
