"""Sphinx configuration."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

project = "animeid"
author = copyright = "The animeid developers"  # noqa: A001
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "extensions.site"]
exclude_patterns = ["_build", "extensions"]
nitpicky = True
# Types of other packages, and of arguments, have no page here.
nitpick_ignore_regex = [(r"py:.*", r".*")]

myst_heading_anchors = 3
myst_links_external_new_tab = True

# An extra that is in no lock.
autodoc_mock_imports = ["ray"]
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = "animeid"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
pygments_style = "default"
