"""The site: `make docs` builds it from this folder into build/site, where it is read as files, without a network."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent), str(FOLDER / "extensions"), str(FOLDER)]

from repository import REPOSITORY  # noqa: E402 - found by the line above

import mnist1d_hf  # noqa: E402

project = "mnist1d-hf"
author = "The mnist1d-hf authors"
copyright = f"2026, {author}"
release = version = mnist1d_hf.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "docstrings",
    "lessons",
    "mathml",
]
exclude_patterns = ["results/**", "extensions/**"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

# Pages.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3  # so that a link to page.md#a-heading is checked
myst_update_mathjax = False
html_math_renderer = "mathml"  # which browsers draw by themselves: no script, no font, nothing to bring along
copybutton_exclude = ".linenos, .gp, .go"

# Notebooks are shown as they were executed and committed.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_text_lexer = "none"

# The reference, from the docstrings. A name in single backticks is a link wherever there is something to link to.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
napoleon_use_rtype = False
napoleon_use_ivar = True  # fields of a record are not described twice
napoleon_custom_sections = ["Source"]
add_module_names = False
modindex_common_prefix = ["mnist1d_hf.", "lightning_module."]

# Look. All that the theme needs lies in the site.
html_theme = "pydata_sphinx_theme"
html_title = "mnist1d-hf"
# Nothing is beside them: pages in a row of their own, and tables that need the width.
html_sidebars = {page: [] for page in ("index", "start", "first-lesson", "report/verdicts", "report/amendments")}
html_show_search_summary = False  # which it would fetch, and files cannot be fetched by a page that is a file
CONTROLS = FOLDER.parent / "lightning_module" / "studies" / "report"  # of the report's tables of verdicts
html_static_path = ["static", str(CONTROLS / "filter.js"), str(CONTROLS / "filter.css")]
html_css_files = ["site.css", "filter.css"]
html_js_files = [("filter.js", {"defer": "defer"})]
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "mnist1d-hf"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,  # in the reference, the names
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "icon_links": [{"name": "Source code", "url": REPOSITORY, "icon": "fa-brands fa-github"}] if REPOSITORY else [],
}
html_context = {"default_mode": "auto"}
