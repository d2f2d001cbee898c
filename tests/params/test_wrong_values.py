"""A wrong value in params.yaml, one at a time, is named by its path, with what would be right."""

from __future__ import annotations

import pytest

from pipeline.params import ParamsError
from tests.parameters import parameters


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("run__corpora", ["nowhere"], "'nowhere' is not under corpora; expected one of"),
        (
            "corpora__demo_sessions__audio__feature_set",
            "ComParE",
            "audio.feature_set: found 'ComParE', expected eGeMAPSv02, .* did you mean 'ComParE_2016'?",
        ),
        (
            "corpora__demo_sessions__audio__feature_set",
            "emobase",
            "recordings only, and grid.window is 4.0 s; set audio.level to lld_statistics",
        ),
        (
            "corpora__demo_sessions__learning__scaling__method",
            "robust",
            "learning.scaling.method: found 'robust', expected standard",
        ),
        ("corpora__demo_sessions__learning__scaling__clip", 0, "learning.scaling.clip: found 0, expected "),
        ("corpora__demo_sessions__learning__scaling__clip", float("inf"), "learning.scaling.clip: found inf"),
        (
            "corpora__demo_sessions__learning__scaling__method",
            {"audio": "rank_gauss"},
            "learning.scaling.method: found {'audio': 'rank_gauss'}, expected a method for 'video' too",
        ),
        (
            "corpora__demo_sessions__learning__scaling__method",
            {"audio": "rank_gauss", "video": "zscore"},
            "learning.scaling.method.video: found 'zscore', expected standard or rank_gauss",
        ),
        (
            "corpora__demo_sessions__learning__scaling__method",
            {"audio": "rank_gauss", "video": "standard", "vdeo": "standard"},
            "learning.scaling.method.vdeo: 'vdeo' is neither under extract .*did you mean 'video'",
        ),
        (
            "corpora__demo_sessions__audio__sampling_rate_hz",
            4000,
            "audio.sampling_rate_hz: found 4000, expected .*native",
        ),
        (
            "corpora__demo_sessions__audio__level",
            "lld",
            "audio.level: found 'lld', expected functionals or lld_statistics",
        ),
        (
            "corpora__recola__features__geometric__statistics",
            ["mean", "mean"],
            "features.geometric.statistics: names mean twice, expected once",
        ),
        (
            "corpora__recola__features__geometric__statistics",
            ["median"],
            "features.geometric.statistics.0: found 'median', expected mean or std",
        ),
        (
            "corpora__recola__features__geometric__path",
            "",
            "features.geometric.path: found '', expected some text",
        ),
        (
            "corpora__recola__features__geometric__path",
            "../elsewhere",
            r"features.geometric.path: found \.\./elsewhere, expected a file or folder below the root",
        ),
        (
            "corpora__recola__features__geometric__path",
            "/etc",
            "path: found /etc, expected a file or folder below",
        ),
        (
            "corpora__recola__features__geometric__path",
            "file:///etc/x",
            "expected a file or folder below the root",
        ),
        (
            "corpora__recola__features__geometric__exclude",
            ["recording"],
            "features.geometric.exclude: names recording, which is needed",
        ),
        (
            "corpora__recola__features__geometric",
            {"path": "x", "exclude": ["f"], "include": ["f"]},
            "features.geometric.exclude: names f, which is included",
        ),
        (
            "corpora__recola__features__geometric__max_failed_share",
            2,
            "max_failed_share: found 2, expected a number of at most 1",
        ),
        (
            "corpora__recola__features",
            {},
            r"scenarios: 'appearance' is neither under extract nor under features, expected one of \['audio",
        ),
        (
            "corpora__demo_sessions__grid__hop",
            0.3,
            r"grid: half a window \(2 s\) must be a whole number of hops",
        ),
        (
            "corpora__demo_sessions__grid__window",
            None,
            "grid: found window null and hop 0.2, expected both in seconds or both null",
        ),
        (
            "corpora__demo_sessions__learning__alpha",
            [0.3],
            r"learning.alpha: found \[0.3\], expected 0.0 among them",
        ),
        (
            "corpora__demo_sessions__scenarios",
            ["audio+appearance"],
            "'appearance' is neither under extract nor under features, expected one of",
        ),
        ("corpora__demo_sessions__scenarios", ["audio@a+video@b"], "can be named in layout mixed only"),
        (
            "corpora__demo_sessions__features",
            {"audio": {"path": "x", "statistics": [], "max_failed_share": 0.0}},
            "audio is under extract and under features",
        ),
        (
            "corpora__demo_sessions__partitions",
            {"method": "cross_validation", "folds": None, "seed": 0},
            "partitions.folds: found null with method cross_validation, expected a number of 3 or more",
        ),
        (
            "corpora__demo_sessions__extract",
            ["audio", "vidio"],
            r"extract: 'vidio' has no extractor, expected some of \['audio', 'video'.*did you mean 'video'",
        ),
        (
            "corpora__demo_clips__extract",
            ["audio", "video", "text"],
            "demo_clips.text.file: found null, expected the path of a file of word vectors",
        ),
        (
            "corpora__demo_sessions__extract",
            ["text"],
            "extract: names text, whose transcripts",
        ),
        ("corpora__demo_sessions__extract", ["audio", "audio"], "extract: names audio twice, expected once"),
        ("corpora__demo_sessions__layout", "mixed", "layout mixed needs `sources`"),
        (
            "corpora__demo_sessions__layout",
            "tabel",
            "found 'tabel', expected avec2016, omg, table, audformat.* or mixed; did you mean 'table'?",
        ),
        (
            "corpora__demo_sessions__video__embedding__network",
            "vggface",
            "expected mtcnn_onet, vgg_face, fer, onnx or landmarks; did you mean 'vgg_face'?",
        ),
        (
            "corpora__mixed_clips__root",
            "data/raw/demo_clips",
            "root: of layout mixed is '.', found data/raw/demo",
        ),
        (
            "corpora__mixed_clips__sources__seen__half",
            "third",
            "sources.seen.half: found 'third', expected first or second",
        ),
        (
            "corpora__mixed_clips__sources__seen__corpus",
            "mixed_sessions",
            "mixed_clips.sources.seen.corpus: found 'mixed_sessions', expected a corpus that is not mixed",
        ),
        (
            "corpora__mixed_clips__scenarios",
            ["audio@heard+video"],
            "scenarios: 'video' names no source, expected video@ and one of",
        ),
        (
            "corpora__demo_clips__audformat",
            {"tables": ["t"]},
            "audformat: is for layout audformat, found layout",
        ),
        ("corpora__demo_sessions__learning__seeds", [1, 1], "learning.seeds: names 1 twice"),
        (
            "corpora__demo_sessions__learning__loss",
            "cross_entropy",
            "learning.loss: found cross_entropy, expected ccc or mse",
        ),
        (
            "corpora__demo_sessions__scenarios",
            ["audio+audio"],
            r"scenarios.0: expected target\+auxiliary, two or more modalities such as audio\+video",
        ),
        (
            "corpora__demo_sessions__video__embedding__network",
            "vgg_face",
            "embedding.weights: found null, expected the path",
        ),
        (
            "corpora__demo_clips__dimensions",
            ["arousal"],
            r"dimensions: task classification predicts \[emotion\]",
        ),
        ("corpora__demo_sessions__learning__optimiser__learning_rate", "1e-4", "learning_rate"),
        ("run__corpora", "demo_clips", r"run.corpora: found 'demo_clips', expected a list, such as \[a, b\]"),
        ("run__corpora", [], r"run.corpora: found \[\], expected a list of at least 1"),
        ("run__corpora", None, "run.corpora: found null, expected a list"),
        ("run__corpora", ["demo_clips", "demo_clips"], "run.corpora: names 'demo_clips' twice"),
        ("run__corpora", ["demo_clip"], "'demo_clip' is not under corpora; .*did you mean 'demo_clips'"),
        ("run", ["demo_clips"], "run: found .*, expected a group of keys"),
        ("runtime__workers", "two", "runtime.workers: found 'two', expected a whole number"),
        ("runtime__workers", 0, "runtime.workers: found 0, expected a number of 1 or more"),
        (
            "corpora__demo_sessions__video__faces__thresholds",
            [0.6, 0.7],
            "faces.thresholds.2: is missing",
        ),
        (
            "corpora__demo_sessions__video__faces__thresholds",
            0.6,
            "faces.thresholds: found 0.6, expected a list",
        ),
        (
            "corpora__demo_sessions__labels__annotation_delay",
            "estimat",
            "annotation_delay: found 'estimat', expected a number or estimate; did you mean 'estimate'",
        ),
        (
            "corpora__demo_sessions__labels__annotation_delay",
            -1,
            "annotation_delay: found -1, expected a number of 0 or more or estimate",
        ),
        (
            "corpora__demo_sessions__labels__annotation_delay",
            6.0,
            r"annotation_delay: found 6 s, expected at most max_delay \(5 s\)",
        ),
        (
            "corpora__demo_sessions__labels__triplet_classes",
            [0.2, 0.1],
            r"triplet_classes: found \[0.2, 0.1\], expected one or more thresholds, rising",
        ),
        (
            "corpora__demo_sessions__labels__triplet_classes",
            "mean",
            "triplet_classes: found 'mean', expected median, sign or tertiles or a list",
        ),
        (
            "corpora__demo_sessions__learning__sequences",
            {"length": 4.0},
            "learning.sequences.hop: is missing",
        ),
        (
            "corpora__demo_sessions__learning__sequences",
            {"length": 0.1, "hop": 0.2},
            r"learning.sequences.length: found 0.1 s, expected a hop of the grid \(0.2 s\) or more",
        ),
        (
            "corpora__demo_sessions__learning",
            parameters()["corpora"]["demo_sessions"]["learning"]
            | {"sequences": {"length": 0.2, "hop": 0.2}, "ccc": "sequence"},
            "learning.ccc: found sequence with sub-sequences of 0.2 s, one frame each: a CCC needs two",
        ),
        (
            "corpora__demo_sessions__learning__optimiser__average_epochs",
            16,
            r"optimiser.average_epochs: found 16, expected at most epochs \(15\)",
        ),
        (
            "corpora__demo_sessions__learning__seeds",
            [-1],
            r"learning.seeds.0: found -1, expected a number of 0",
        ),
        (
            "corpora__demo_sessions__postprocessing__median_windows",
            [0.1, 1.0],
            r"postprocessing.median_windows: found 0.1 s, expected a hop \(0.2 s\) or more",
        ),
        (
            "corpora__demo_sessions__postprocessing__shifts",
            [0.3],
            "postprocessing.shifts: found 0.3 s, expected whole hops of 0.2 s",
        ),
        (
            "corpora__demo_sessions__scenarios",
            ["audio+video", "audio+video"],
            r"scenarios: names audio\+video twice, expected once",
        ),
        ("corpora__demo_sessions__scenarios", ["audio+vidoe"], "did you mean 'video'"),
        (
            "corpora__demo_sessions__video__embedding__weights",
            "x.safetensors",
            "weights: found 'x.safetensors', expected null for network mtcnn_onet",
        ),
        (
            "corpora__demo_clips__labels__gold_standard",
            "raters",
            "gold_standard: found raters, expected given",
        ),
        ("corpora__a.b", {}, "corpora.a.b.layout: is missing"),
        ("corpora__demo_sessions__root", None, "root: found null, expected a path$"),
        ("corpora__demo_sessions__root", ["a"], r"root: found \['a'\], expected a path$"),
        ("corpora__demo_sessions__learning__network__hidden", True, "hidden: found true, expected a number$"),
        (
            "corpora__demo_clips__partitions",
            {"method": "given", "folds": None, "seed": 0, "sessions": "Ses.."},
            "partitions.sessions: is for method cross_validation, found method given; expected null",
        ),
        (
            "corpora__demo_clips__partitions",
            {"method": "cross_validation", "folds": 3, "seed": 0, "sessions": "Ses["},
            r"partitions.sessions: found 'Ses\[', expected a regular expression or null",
        ),
        ("corpora__demo_sessions__learning__alpha", [0.0, True], r"alpha: found \[0.0, True\], expected a"),
        ("corpora__demo_sessions__grid__hop", False, "grid.hop: found false, expected a number$"),
        ("runtime__worker", 2, "runtime.worker: unknown key; did you mean 'workers'"),
        (
            "corpora__demo_clips__learning__label_shares",
            [0.5],
            "clips.learning.label_shares: is now partitions.label_shares; move the value there$",
        ),
        (
            "corpora__demo_clips__report__groups",
            ["sex"],
            "clips.report.groups: is now evaluation.groups; move the value there$",
        ),
    ],
)
def test_a_wrong_value_is_named_by_its_yaml_path(load, path, value, sentence):
    if value == "1e-4":  # text for YAML 1.1, which pydantic still reads as the number meant
        assert load(**{path: value}).corpora["demo_sessions"].learning.optimiser.learning_rate == 1e-4
        return
    with pytest.raises(ParamsError, match=sentence):
        load(**{path: value})
