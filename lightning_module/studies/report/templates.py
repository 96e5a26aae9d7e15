"""The files that the report's pages are made from: templates, and what goes into pages as it is."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mnist1d_hf.extras import extra_imports

if TYPE_CHECKING:
    from jinja2 import Environment


def filled(name: str, **values: Any) -> str:
    """Returns a template with its values in, made safe for HTML and SVG.

    Args:
        name: The template's file.
        **values: What it names; one that it names and does not get is an error.
    """
    return _environment().get_template(name).render(values)


def own_file(name: str) -> str:
    """Returns the text of a file beside the templates."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> "Environment":
    """Returns what reads the templates.

    Raises:
        MissingExtraError: If jinja2 is not there.
    """
    with extra_imports():
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    return Environment(loader=FunctionLoader(own_file), autoescape=True, undefined=StrictUndefined)
