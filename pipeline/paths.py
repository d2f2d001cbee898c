"""Every path under data/, once.

`Paths` are made from the root of a checkout; stages take the current directory, tests a
temporary one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Paths of one corpus below the root of a checkout.

    fold: of a cross-validation, such as `fold1`, or of a draw of labelled speakers, such as `labels25-draw1`
    or `fold1.labels25-draw1`; empty for the whole. Labels are per fold and draw. aside: where labels, models
    and predictions lie if they are made besides those of the checkout; None: below `root`.
    """

    corpus: str
    root: Path = Path()
    fold: str = ""
    aside: Path | None = None

    def of_fold(self, fold: str) -> Paths:
        """Return the paths of one fold of the cross-validation, or of the corpus for an empty name."""
        return replace(self, fold=fold)

    @property
    def _learnt(self) -> Path:
        return self.root if self.aside is None else self.aside

    @property
    def params(self) -> Path:
        """params.yaml."""
        return self.root / "params.yaml"

    @property
    def rendered(self) -> Path:
        """Receipt of render_demo: which rendering the demo media are."""
        return self.root / "data/raw" / f"{self.corpus}.rendered.json"

    @property
    def manifest(self) -> Path:
        """Recordings with the sha256 of their media; in git."""
        return self.root / "data/manifests" / f"{self.corpus}.csv"

    @property
    def parameters(self) -> Path:
        """Directory of the corpus' parameters as registered: for each stage a file of those that it reads."""
        return self.root / "data/parameters" / self.corpus

    @property
    def traces(self) -> Path:
        """Directory of the annotation traces as registered."""
        return self.root / "data/labels" / self.corpus / "traces"

    @property
    def groups(self) -> Path:
        """Directory of the table of groups as registered: which recordings are of which sex, language, ..."""
        return self.root / "data/labels" / self.corpus / "groups"

    def extracted(self, modality: str) -> Path:
        """Feature table of a modality that is extracted: one row per window or utterance."""
        return self.root / "data/features" / self.corpus / modality

    @property
    def audio(self) -> Path:
        """Feature table: audio functionals per window or utterance."""
        return self.extracted("audio")

    @property
    def text(self) -> Path:
        """Feature table: one vector of what was said per utterance."""
        return self.extracted("text")

    @property
    def faces(self) -> Path:
        """Feature table: time, box, landmarks, probability per frame."""
        return self.root / "data/features" / self.corpus / "faces"

    @property
    def embeddings(self) -> Path:
        """Feature table: one vector per frame."""
        return self.root / "data/features" / self.corpus / "embeddings"

    @property
    def video(self) -> Path:
        """Feature table: pooled vectors per window or utterance."""
        return self.extracted("video")

    @property
    def extracted_tables(self) -> tuple[Path, ...]:
        """Feature tables of what is extracted from media; the name of each is the kind of its units."""
        return (self.audio, self.text, self.faces, self.embeddings, self.video)

    @property
    def feature_files(self) -> Path:
        """Feature files that came with the corpus, with their sha256; in git."""
        return self.root / "data/manifests" / f"{self.corpus}.features.csv"

    @property
    def given(self) -> Path:
        """Directory of the feature tables that came with the corpus, one folder each."""
        return self.root / "data/features" / self.corpus / "given"

    def given_table(self, modality: str, dimension: str | None = None) -> Path:
        """Feature table that came with the corpus; dimension: where each has its own (AVEC 2016)."""
        return self.given / (modality if dimension is None else f"{modality}.{dimension}")

    @property
    def labels(self) -> Path:
        """Directory of the gold standard, the shifted labels and the triplet classes."""
        return self._learnt / "data/labels" / self.corpus / "aligned"

    @property
    def label_table(self) -> Path:
        """Table of labels: one row per recording, dimension and label time."""
        return self.labels / self.fold / "labels.parquet"

    @property
    def vote_table(self) -> Path:
        """Table of the raters' votes for classes of the triplet loss; only where the corpus keeps raters."""
        return self.labels / self.fold / "votes.parquet"

    @property
    def label_facts(self) -> Path:
        """What the labels were made with: delay, thresholds, weights, counts, class names."""
        return self.labels / self.fold / "labels.json"

    @property
    def models(self) -> Path:
        """Directory of trained models and learning curves."""
        return self._learnt / "data/models" / self.corpus

    @property
    def raw_predictions(self) -> Path:
        """Directory of raw predictions of the whole grid, dev and test."""
        return self._learnt / "data/predictions" / self.corpus / "raw"

    @property
    def predictions(self) -> Path:
        """Directory of post-processed predictions and the fitted post-processing."""
        return self._learnt / "data/predictions" / self.corpus / "final"

    @property
    def scores(self) -> Path:
        """Directory of tables and significance tests."""
        return self.root / "data/reports" / self.corpus / "scores"

    @property
    def grid_scores(self) -> Path:
        """Scores of every setting on dev and test, and which setting was chosen."""
        return self.scores / "grid.csv"

    @property
    def class_scores(self) -> Path:
        """Scores by class; only where an utterance may have several labels."""
        return self.scores / "classes.csv"

    @property
    def word_scores(self) -> Path:
        """Scores of each class by systems that name them by words; only where there are some."""
        return self.scores / "words.csv"

    @property
    def label_shares(self) -> Path:
        """Scores against the number of labelled speakers; only where labels are hidden in draws."""
        return self.scores / "label_shares.csv"

    @property
    def uncertainty(self) -> Path:
        """What calibrates the mean over seeds of each system, and how well that holds."""
        return self.scores / "uncertainty.csv"

    @property
    def reliability(self) -> Path:
        """Reliability curves of each system before and after calibration; only of classes."""
        return self.scores / "reliability.csv"

    @property
    def enrolment(self) -> Path:
        """Scores against the number of enrolled recordings; only where features are scaled by speaker."""
        return self.scores / "enrolment.csv"

    @property
    def certainty(self) -> Path:
        """Directory of what was found of certainty on all speakers, in folds."""
        return self.root / "data/certainty" / self.corpus

    @property
    def certainty_table(self) -> Path:
        """How far the certainty of each recogniser holds for all speakers, or why that is not known."""
        return self.certainty / "certainty.csv"

    @property
    def results(self) -> Path:
        """The table of all results."""
        return self.root / "data/reports" / self.corpus / "results.csv"

    @property
    def metrics(self) -> Path:
        """Headline scores for `dvc metrics`."""
        return self.root / "data/reports" / self.corpus / "metrics.json"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.root / "data/reports" / self.corpus / "report.html"

    @property
    def recognisers(self) -> Path:
        """Directory of the recognisers: a folder for each experiment, complete in itself."""
        return self.root / "data/recognisers" / self.corpus

    @property
    def cross(self) -> Path:
        """Table of every recogniser on every corpus; empty unless `run.cross`."""
        return self.reports / "cross.csv"

    @property
    def summary(self) -> Path:
        """The main tables of all corpora as `summary` prints them."""
        return self.root / "data/summary.txt"

    @property
    def reports(self) -> Path:
        """Directory of the reports of all corpora, and of the page that leads to them."""
        return self.root / "data/reports"

    @property
    def latex(self) -> Path:
        """The report's tables for LaTeX."""
        return self.root / "data/reports" / self.corpus / "results.tex"

    @property
    def figures(self) -> Path:
        """Directory of the report's figures as PNG."""
        return self.root / "data/reports" / self.corpus / "figures"

    @property
    def vector_figures(self) -> Path:
        """Directory of the report's figures as SVG."""
        return self.root / "data/reports" / self.corpus / "figures_svg"


LOGITS = "logits.parquet"
"""Beside models: by systems that score word vectors of classes, where a recording has one class."""
LEARNED = "learned.json"
"""Beside models: of which classes a system that names them by words learned nothing, or little."""


def experiment_name(scenario: str, dimension: str, fold: str = "") -> str:
    """Name the files of one experiment: `audio+video.arousal`, or `audio+video.arousal.fold1`."""
    return ".".join(part for part in (scenario, dimension, fold) if part)


def main_checkout(root: Path = Path()) -> Path:
    """Return the checkout that owns the store, also inside `dvc exp run --temp`."""
    return Path(os.environ.get("DVC_ROOT") or root).resolve()
