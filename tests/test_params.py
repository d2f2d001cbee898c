import pytest

from pipeline.params import ParamsError, load_params
from tests.parameters import write_parameters


@pytest.fixture
def load(tmp_path):
    def load(**changes):
        def change(params):
            for path, value in changes.items():
                *parents, last = path.split("__")
                node = params
                for key in parents:
                    node = node[key]
                node[last] = value

        return load_params(write_parameters(tmp_path, change))

    return load


def test_parameters_are_valid_and_frozen(load):
    params = load()
    assert [s.name for s in params.corpora["demo_sessions"].scenarios] == ["audio+video", "video+audio"]
    assert params.corpora["demo_clips"].grid.utterances
    with pytest.raises(ValueError, match="frozen"):
        params.run.corpora = ()


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("run__corpora", ["nowhere"], "'nowhere' is not under corpora; expected one of"),
        (
            "corpora__demo_sessions__audio__feature_set",
            "ComParE",
            "audio.feature_set: Input should be 'eGeMAPSv02'",
        ),
        (
            "corpora__demo_sessions__audio__feature_set",
            "emobase",
            "recordings only, and grid.window is 4.0 s; set audio.level to lld_statistics",
        ),
        ("corpora__demo_sessions__audio__level", "lld", "audio.level: Input should be 'functionals' or"),
        (
            "corpora__recola__features__geometric__statistics",
            ["mean", "mean"],
            r"features.geometric: statistics \['mean', 'mean'\] names one twice",
        ),
        (
            "corpora__recola__features__geometric__statistics",
            ["median"],
            "features.geometric.statistics.0: Input should be 'mean' or 'std', found 'median'",
        ),
        (
            "corpora__recola__features__geometric__path",
            "",
            "features.geometric.path: String should have at least",
        ),
        (
            "corpora__recola__features__geometric__max_failed_share",
            2,
            "max_failed_share: Input should be less",
        ),
        (
            "corpora__recola__features",
            {},
            r"scenarios: 'appearance' is neither under extract nor under features, expected one of \['audio",
        ),
        (
            "corpora__demo_sessions__grid__hop",
            0.3,
            r"grid: half a window \(2.0 s\) must be a whole number of hops",
        ),
        ("corpora__demo_sessions__grid__window", None, "both seconds or both null"),
        ("corpora__demo_sessions__learning__alpha", [0.3], r"learning: alpha and beta must both contain 0.0"),
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
            "folds is a number of 3 or more for method cross_validation",
        ),
        ("corpora__demo_sessions__extract", ["audio", "audio"], "names a modality twice"),
        ("corpora__demo_sessions__layout", "mixed", "layout mixed needs `sources`"),
        (
            "corpora__mixed_clips__root",
            "data/raw/demo_clips",
            "root of layout mixed is '.', found data/raw/demo",
        ),
        (
            "corpora__mixed_clips__sources__seen__half",
            "third",
            "sources.seen.half: Input should be 'first' or",
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
            "audformat is for layout audformat, found layout",
        ),
        ("corpora__demo_sessions__learning__seeds", [1, 1], "names a value twice"),
        ("corpora__demo_sessions__learning__loss", "cross_entropy", "learning.loss is ccc or mse"),
        (
            "corpora__demo_sessions__scenarios",
            ["audio+audio"],
            r"scenarios.0: expected target\+auxiliary, two modalities such as audio\+video",
        ),
        ("corpora__demo_sessions__video__embedding__network", "vgg_face", "vgg_face needs `weights`"),
        ("corpora__demo_clips__dimensions", ["arousal"], r"predicts dimensions \[emotion\]"),
        ("corpora__demo_sessions__learning__optimiser__learning_rate", "1e-4", "learning_rate"),
        ("runtime__worker", 2, "runtime.worker: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_value_is_named_by_its_yaml_path(load, path, value, sentence):
    if value == "1e-4":  # text for YAML 1.1, which pydantic still reads as the number meant
        assert load(**{path: value}).corpora["demo_sessions"].learning.optimiser.learning_rate == 1e-4
        return
    with pytest.raises(ParamsError, match=sentence):
        load(**{path: value})


def test_missing_file_and_broken_yaml(tmp_path):
    with pytest.raises(ParamsError, match="no such file; run from the root"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("run: [")
    with pytest.raises(ParamsError, match="not valid YAML"):
        load_params(tmp_path / "params.yaml")
