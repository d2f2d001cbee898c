"""List the recordings of a corpus with the hashes of their media, its feature files and annotation traces."""

from pipeline.corpora.register import register as register_corpus
from pipeline.corpora.registered_groups import register_groups
from pipeline.corpora.registered_parameters import register_parameters
from pipeline.corpora.rendering.render import ensure_for
from pipeline.features.prerequisites import require_files
from pipeline.store.adopt import adopt_tables
from stages.running import Context, run


def register(context: Context) -> None:
    """Write parameters, manifest, table of feature files and traces; take pulled features into the store."""
    register_parameters(context.corpus, context.paths)
    require_files(context.corpus, context.paths)
    ensure_for(context.name, context.params, context.paths)
    register_groups(context.corpus, context.paths, context.params.corpora)
    register_corpus(
        context.corpus, context.paths, context.home / ".emobed/hashes.json", context.params.corpora
    )
    # before DVC removes them
    adopt_tables(context.paths, context.store)


if __name__ == "__main__":
    run(register)
