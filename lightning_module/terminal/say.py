"""What a command says to people: whole words on each line of a terminal; a single line for a pipe, and for copying."""

from rich.console import Console


def say(text: str, *, error: bool = False, copy: bool = False) -> None:
    """Prints a text.

    Args:
        text: The text, with no markup in it.
        error: Whether it goes to stderr.
        copy: Whether it is a command or a path that somebody may copy, which no line break may cut.
    """
    console = Console(stderr=error)
    console.print(text, highlight=False, markup=False, soft_wrap=copy or not console.is_terminal)


def complain(text: str) -> None:
    """Prints a text to stderr."""
    say(text, error=True)
