"""The list of configs in README.md: `python docs/config_list.py` writes it between its marks, as `make card` does."""

import re
import sys
from pathlib import Path
from typing import Final

from mnist1d_hf import RECIPES

README: Final = Path(__file__).resolve().parents[1] / "README.md"
BLOCK: Final = re.compile(r"(?<=<!-- configs: written by make card -->\n).*?(?=<!-- end of configs -->)", re.DOTALL)
WIDTH: Final = 120


def with_configs(text: str) -> str:
    """Returns the page with the names of all configs between its marks.

    Raises:
        ValueError: If it lacks the marks.
    """
    if not BLOCK.search(text):
        raise ValueError(f"{README.name} must have <!-- configs: written by make card --> and <!-- end of configs -->")
    lines = [""]
    for name in RECIPES:
        entry = f"`{name}`{'.' if name == [*RECIPES][-1] else ','}"
        if len(lines[-1]) + len(entry) + 1 > WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {entry}".lstrip()
    return BLOCK.sub("\n".join([*lines, ""]), text)


if __name__ == "__main__":
    README.write_text(with_configs(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{README.name}\n")
