"""Draw the figures and write the offline report page, and the page that leads to all reports."""

from pipeline.reporting.index import build_index
from pipeline.reporting.loading import load_report_inputs
from pipeline.reporting.page import build_report
from stages.running import Context, run


def report(context: Context) -> None:
    """Write report.html, results.tex, the figures and index.html."""
    inputs = load_report_inputs(context.paths, context.corpus)
    build_report(inputs, context.paths.report, context.paths.figures)
    build_index(context.paths.reports)


if __name__ == "__main__":
    run(report)
