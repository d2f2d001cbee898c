"""Draw the figures and write the offline report page."""

from pipeline.reporting.loading import load_report_inputs
from pipeline.reporting.page import build_report
from stages.running import Context, run


def report(context: Context) -> None:
    """Write report.html, results.tex, and the figures."""
    inputs = load_report_inputs(context.paths, context.corpus)
    build_report(inputs, context.paths.report, context.paths.figures, context.workshop.workers)


if __name__ == "__main__":
    run(report)
