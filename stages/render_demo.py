"""Render a demo corpus, or that whose root a corpus has, and leave a receipt; others are left alone."""

import json

from pipeline.corpora.rendering.render import drawn_as, ensure
from stages.running import Context, run


def render_demo(context: Context) -> None:
    """Render the media unless they are there, and write the receipt."""
    params = context.params
    demo = drawn_as(context.name, params)
    receipt = ensure(demo, context.corpus.root, params.demo, params.runtime.workers)
    context.paths.rendered.parent.mkdir(parents=True, exist_ok=True)
    context.paths.rendered.write_text(json.dumps(receipt, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(render_demo)
