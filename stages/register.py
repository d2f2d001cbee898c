"""List the recordings of a corpus with the hashes of their media, its feature files and annotation traces."""

from pathlib import Path

from pipeline.corpora.register import register as register_corpus
from pipeline.corpora.rendering.render import ensure
from pipeline.features.adopt import adopt_tables
from stages.running import Context, run


def register(context: Context) -> None:
    """Write manifest, table of feature files and traces; take pulled features into the store."""
    root = context.corpus.root
    if (
        isinstance(root, Path) and root.exists()
    ):  # a clone without media stays without; others get the receipt's
        ensure(context.name, root, context.params.demo, context.params.runtime.workers)
    register_corpus(context.corpus, context.layout, context.home / ".emobed/hashes.json")
    # before DVC removes them
    adopt_tables(context.layout, context.store)


if __name__ == "__main__":
    run(register)
