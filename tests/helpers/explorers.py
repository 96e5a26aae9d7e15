"""`mnist1d explore` in a process of its own, and the screens that people have."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

SCREENS = {"wide": (1280, 800), "phone": (390, 844)}
COLOURS = ["light", "dark"]
START = 90  # seconds at the most until the page is there, on a busy machine


class Explorer:
    """The command, with folders of its own for what it writes.

    It is started as a terminal does it: Ctrl-C is heeded, also where the tests run in the background of a shell.
    """

    def __init__(self, folder, *options, python=sys.executable, environment=None):
        self.folder = Path(folder)
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        (self.folder / "cwd").mkdir(exist_ok=True)
        variables = {**os.environ, "TMPDIR": str(self.folder / "tmp"), "PYTHONUNBUFFERED": "1", **(environment or {})}
        variables.pop("GRADIO_TEMP_DIR", None)
        self.process = subprocess.Popen(
            [python, "-m", "lightning_module", "explore", "--port", "0", *options],
            cwd=self.folder / "cwd",
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        ready, _, _ = select.select([self.process.stdout], [], [], START)
        line = self.process.stdout.readline() if ready else ""
        assert line.startswith("http://127.0.0.1:"), line or self.process.communicate(timeout=5)
        self.url = line.split()[0]
        self.port = urlsplit(self.url).port

    def stop(self, number=signal.SIGINT):
        """Ends it; returns the seconds that took, the exit status and what it said."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return time.monotonic() - began, self.process.returncode, said
