"""``python -m lightning_module``: the command ``mnist1d``."""

import sys

from lightning_module.cli import main

if __name__ == "__main__":
    sys.exit(main())
