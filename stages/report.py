"""Draw the figures and write the offline report page."""

from stages.running import Context, run


def report(context: Context) -> None:
    """Write report.html, results.tex, and the figures."""
    corpus = context.corpus
    shop = context.workshop.local().of(len(corpus.scenarios) * len(corpus.dimensions))
    shop.begin("reporting.page")
    from pipeline.reporting.loading import load_report_inputs
    from pipeline.reporting.page import build_report

    inputs = load_report_inputs(context.paths, corpus)
    build_report(inputs, context.paths.report, context.paths.figures, shop.workers)


if __name__ == "__main__":
    run(report)
