"""Text from elsewhere as it may be shown: on one line, of bounded length, and with nothing that a terminal obeys."""

import re
from typing import Any, Final

LONGEST: Final = 1_000  # characters; a message that is longer hides what it says


def one_line(text: Any, longest: int = LONGEST) -> str:
    r"""Returns the text on one line: control characters, and those that turn or hide text, are written as escapes.

    An escape sequence in a name would else move the cursor and forge lines of our own; so would a mark that turns the
    direction of writing. Line breaks and tabs become spaces.

    Args:
        text: Anything; of an exception its message.
        longest: Most characters; what is longer is cut, and ends in "...".
    """
    words = re.sub(r"\s*[\t\n\r]\s*", " ", str(text)[: 4 * longest].rstrip())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."
