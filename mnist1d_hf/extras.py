"""Packages that come with an extra, and what to type where one of them is missing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

# The extra that brings a package, by the name under which the package is imported.
EXTRAS: Final[Mapping[str, str]] = {
    "IPython": "notebooks",
    "PIL": "plot",
    "gradio": "explorer",
    "ipywidgets": "notebooks",
    "jinja2": "studies",
    "jupyterlab": "notebooks",
    "jupytext": "notebooks",
    "markdown_it": "studies",
    "matplotlib": "plot",
    "mpl_toolkits": "plot",
    "openTSNE": "studies",
    "pandas": "studies",
    "ray": "scale",
    "scipy": "studies",
    "sklearn": "studies",
}


class MissingExtraError(ImportError):
    """A package that comes with an extra is not installed; the message is one line with what installs it."""


def missing_extra(error: ImportError, extra: str | None = None) -> MissingExtraError | None:
    """Returns the error that says how to get what could not be imported; None if no extra brings it.

    Args:
        error: What the import raised.
        extra: The extra that is enough where it is needed, if that is not the one in `EXTRAS`.
    """
    if isinstance(error, MissingExtraError):
        return error
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return None
    message = f'{package} is needed here and is not installed: pip install "mnist1d-hf[{extra or EXTRAS[package]}]"'
    return MissingExtraError(message, name=error.name)


@contextmanager
def extra_imports(extra: str | None = None) -> Iterator[None]:
    """Turns a failed import of what an extra brings into an error that says how to get it.

    Args:
        extra: The extra that is enough there, as in `missing_extra`.

    Raises:
        MissingExtraError: If something is missing that an extra brings.
    """
    try:
        yield
    except ImportError as error:
        if (missing := missing_extra(error, extra)) is None:
            raise
        raise missing from error
