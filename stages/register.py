"""List the recordings of a corpus with the hashes of their media, and its annotation traces."""

from pathlib import Path

from pipeline.corpora.register import register as register_corpus
from pipeline.corpora.rendering.render import ensure
from pipeline.features.adopt import adopt
from stages.running import Context, run


def register(context: Context) -> None:
    """Write the manifest and the traces; take pulled features into the store before DVC removes them."""
    root = context.corpus.root
    if (
        isinstance(root, Path) and root.exists()
    ):  # a clone without media stays without; others get the receipt's
        ensure(context.name, root, context.params.demo, context.params.runtime.workers)
    register_corpus(context.corpus, context.layout, context.home / ".emobed/hashes.json")
    for table in (
        context.layout.audio,
        context.layout.faces,
        context.layout.embeddings,
        context.layout.video,
    ):
        adopt(table, context.store, table.name)


if __name__ == "__main__":
    run(register)
