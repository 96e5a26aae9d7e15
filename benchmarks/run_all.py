"""Every measurement of the project, one after the other: what ``make bench`` runs. Takes about 25 minutes."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "parity.py",
    "generate_speed.py",
    "posterior.py",
    "builder.py",
    "shards.py",
    "streaming.py",
    "fit_step.py",
    "endless.py",
    "ensemble.py",
    "meta_learning.py",
    "self_supervision.py",
    "double_descent.py",
    "lottery.py",
    "scaling.py",
    "explorer.py",
)


def main() -> int:
    """Runs them all; returns 1 if one failed."""
    failed = []
    for script in SCRIPTS:
        print(f"\n== {script}", flush=True)
        if subprocess.run([sys.executable, str(Path(__file__).with_name(script))], check=False).returncode:
            failed.append(script)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall measured")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
