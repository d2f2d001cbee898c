"""Render a demo corpus and leave a receipt; a corpus of one's own is left alone."""

import json

from pipeline.corpora.rendering.render import ensure
from stages.running import Context, run


def render_demo(context: Context) -> None:
    """Render the media unless they are there, and write the receipt."""
    receipt = ensure(context.name, context.corpus.root, context.params.demo, context.params.runtime.workers)
    context.paths.rendered.parent.mkdir(parents=True, exist_ok=True)
    context.paths.rendered.write_text(json.dumps(receipt, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(render_demo)
