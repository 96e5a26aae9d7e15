"""How this process was started, as a journal records it."""

import re
import shlex
import sys


def command_line() -> str:
    """Returns how this process was started, without the folders of this machine."""
    program, *arguments = sys.argv or [""]
    named = [re.sub(r"^([\w.-]+=|)/.*/", r"\1", argument) for argument in arguments]
    return shlex.join([program.rsplit("/", 1)[-1], *named])
