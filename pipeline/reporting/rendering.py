"""Templates -> pages that load nothing: style and script are inline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from pipeline import reporting
from pipeline.reporting.latex import SPECIAL
from pipeline.reporting.table import MEANINGS

TEMPLATES = files(reporting) / "templates"


def render(template: str, context: Mapping[str, Any]) -> str:
    """Return a page made of a template; style, script and what the script knows of LaTeX are added."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (TEMPLATES / name).read_text(encoding="utf-8")),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    own = {
        "css": Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        "script": Markup((TEMPLATES / "page.js").read_text(encoding="utf-8")),
        "latex_characters": Markup(json.dumps(SPECIAL).replace("<", "\\u003c")),
        "meanings": MEANINGS,
    }
    return environment.get_template(template).render({**context, **own})
