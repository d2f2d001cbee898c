"""List the recordings of a corpus with the hashes of their media, and its annotation traces."""

from pipeline.corpora.register import register as register_corpus
from pipeline.corpora.rendering.render import ensure_for
from pipeline.features.adopt import adopt
from stages.running import Context, run


def register(context: Context) -> None:
    """Write the manifest and the traces; take pulled features into the store before DVC removes them."""
    ensure_for(context.name, context.params, context.layout)
    register_corpus(
        context.corpus, context.layout, context.home / ".emobed/hashes.json", context.params.corpora
    )
    for table in (
        context.layout.audio,
        context.layout.faces,
        context.layout.embeddings,
        context.layout.video,
    ):
        adopt(table, context.store, table.name)


if __name__ == "__main__":
    run(register)
