"""Write what was trained as recognisers, folders that predict without this checkout."""

from pipeline.recogniser.export import export_corpus
from stages.running import Context, run


def export(context: Context) -> None:
    """Write one recogniser for each scenario, dimension and fold."""
    export_corpus(context.paths, context.corpus)


if __name__ == "__main__":
    run(export)
