"""Score every recogniser on every corpus that is run, where `run.cross` asks for it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.cross.columns import COLUMNS
from stages.running import Context, run_over_all


def cross(context: Context) -> None:
    """Write the table; without `run.cross` one without rows, for which no library is imported."""
    content = ",".join(COLUMNS) + "\n"
    if context.params.run.cross:
        from pipeline.cross.matrix import matrix

        corpora = {name: context.params.corpus(name) for name in context.params.run.corpora}
        with TemporaryDirectory(prefix="emobed-") as scratch:
            table = matrix(corpora, Path(), context.workshop, Path(scratch) / "tables")
        content = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    context.paths.cross.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    run_over_all(cross)
