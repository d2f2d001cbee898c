"""dvc.yaml held against the code: deps are the imports, outs the layout's paths, every parameter tracked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pipeline.corpora.registered_parameters import LEFT_OUT, READ, READ_ALL
from pipeline.params import load_params
from pipeline.paths import Paths
from tests.parameters import PATH, parameters
from tests.stage_imports import EACH_TIME as WITHOUT_CODE
from tests.stage_imports import (
    FILES,
    ROOMS,
    ROOT,
    WITHOUT_RESULT,
    imported_files,
    imported_rooms,
    stage_names,
)

ONCE, EACH_TIME = (yaml.safe_load((ROOT / file).read_text())["stages"] for file in FILES)
STAGES = ONCE | EACH_TIME
PARAMS = load_params(PATH).model_dump()
"""Those of the tests, with all defaults; the user's own file must only have what DVC needs."""
CORPUS = "${item.corpus}"
ALL = {
    "data/features",
    "data/labels",
    "data/manifests",
    "data/parameters",
    "data/recognisers",
    "data/reports",
}
"""Folders of all corpora, for stages that are one for all."""
EXPENSIVE = [
    "read_features",
    "extract_audio",
    "extract_text",
    "detect_faces",
    "embed_faces",
    "pool_video",
    "train",
]


def names(entries) -> dict[str, dict]:
    """Return path -> flags of outs or deps."""
    return {k: v for e in entries or [] for k, v in (e.items() if isinstance(e, dict) else [(e, {})])}


def outs(stage) -> dict[str, dict]:
    return names(stage.get("outs")) | names(stage.get("metrics")) | names(stage.get("plots"))


def test_every_script_is_a_stage_and_every_stage_a_script():
    assert set(STAGES) == {*stage_names(), "summary", "end"}
    assert len(STAGES) == len(ONCE) + len(EACH_TIME)


def test_the_summary_comes_after_all_else_and_dvc_yaml_needs_it():
    """It depends on the folders that hold what is made last; on no code, since it runs each time."""
    assert STAGES["summary"]["deps"] == ["data/recognisers", "data/reports"]
    assert STAGES["summary"].keys().isdisjoint({"metrics", "plots", "matrix", "params"})
    assert [*outs(STAGES["summary"])] == STAGES["end"]["deps"] == ["data/summary.txt"]
    assert STAGES["end"].keys() == {"desc", "cmd", "deps"}
    assert STAGES["end"]["cmd"] == "true"
    assert {Path(out).parent.parent.as_posix() for out in outs(STAGES["report"])} == {"data/reports"}
    assert {Path(out).parent.as_posix() for out in outs(STAGES["export"])} == {"data/recognisers"}


@pytest.mark.parametrize("name", sorted({*stage_names()} - WITHOUT_CODE))
def test_deps_are_exactly_the_rooms_that_the_script_imports(name):
    code = [dep for dep in names(STAGES[name]["deps"]) if not dep.startswith("data/")]
    assert code == imported_rooms(ROOT / "stages" / f"{name}.py"), "run `make deps`"


@pytest.mark.parametrize("name", sorted({*stage_names()} - WITHOUT_CODE))
def test_every_imported_file_is_a_dependency_unless_it_changes_no_result(name):
    """How work is spread and ended is to code what `runtime` is to parameters."""
    deps = names(STAGES[name]["deps"])
    for file in imported_files(ROOT / "stages" / f"{name}.py"):
        under = any(file == dep or file.startswith(f"{dep}/") for dep in deps)
        package = file.endswith("__init__.py") and len((ROOT / file).read_text().splitlines()) <= 1
        assert under or package or file.startswith(WITHOUT_RESULT), f"{name} does not depend on {file}"


def test_rooms_are_folders_and_none_holds_another():
    assert [room for room in ROOMS if not (ROOT / room).is_dir()] == []
    assert [a for a in ROOMS for b in ROOMS if b.startswith(f"{a}/")] == []


def test_outs_are_the_paths_of_the_layout():
    paths = Paths(CORPUS)
    properties = [k for k, v in vars(Paths).items() if isinstance(v, property)]
    known = {str(getattr(paths, name)) for name in properties}
    known |= {str(paths.parameters / f"{stage}.json") for stage in STAGES}
    for stage in STAGES.values():
        assert set(outs(stage)) <= known
        data = {dep for dep in names(stage["deps"]) if dep.startswith("data/")}
        assert data <= known | ALL


def test_every_data_dependency_is_some_stages_out_and_each_out_has_one_stage():
    made = [out for stage in STAGES.values() for out in outs(stage)]
    assert len(made) == len(set(made))
    for stage in STAGES.values():
        for dep in names(stage["deps"]):
            within = {dep, *map(str, Path(dep).parents)}
            assert not dep.startswith("data/") or not within.isdisjoint(made) or dep in ALL


def leaves(tree, path=()):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        yield path


READ_BY_REGISTER = {"audformat", "media_folders", "root", "sources"}
"""Which runs each time; `root` is a key of params.yaml to render_demo, which comes before."""


def test_each_stage_depends_on_the_file_of_the_parameters_that_it_reads():
    """What is in which is held by tests/corpora/test_registered_parameters.py."""
    assert {
        name: [dep for dep in names(stage["deps"]) if dep.startswith("data/parameters")]
        for name, stage in STAGES.items()
        if name not in ("render_demo", "register", "summary", "end")
    } == {
        **{name: [f"data/parameters/{CORPUS}/{name}.json"] for name in (*READ, *READ_ALL)},
        "cross": ["data/parameters"],
    }


def test_dvc_reads_params_yaml_for_what_comes_before_those_files_and_for_what_is_over_all_corpora():
    """It would parse the file anew for each stage, and write all values into dvc.lock."""
    tracked = {name: stage["params"] for name, stage in STAGES.items() if "params" in stage}
    assert tracked == {"render_demo": ["demo", f"corpora.{CORPUS}.root"], "cross": ["run"]}
    assert [*PARAMS] == ["run", "corpora", "demo", "runtime"]


def test_every_parameter_of_a_corpus_is_read_by_a_stage():
    read = {key for keys in READ.values() for key in keys}
    without = {"report", "export"} | READ_BY_REGISTER  # read by those that read all
    for corpus in PARAMS["corpora"].values():
        for path in leaves(corpus):
            dotted = ".".join(path)
            found = any(dotted == key or dotted.startswith(f"{key}.") for key in read)
            assert found != (path[0] in without), dotted


def test_what_is_left_out_is_read_by_another_stage():
    for stage, keys in LEFT_OUT.items():
        for key in keys:
            assert stage in READ_ALL or key.partition(".")[0] in READ[stage]


def test_certainty_depends_on_the_scores_that_no_interval_and_no_group_changes():
    own = [dep for dep in names(STAGES["certainty"]["deps"]) if dep.startswith("data/reports")]
    assert own == [f"data/reports/{CORPUS}/scores/grid.csv"]


@pytest.mark.parametrize("params", [parameters(), yaml.safe_load((ROOT / "params.yaml").read_text())])
def test_every_tracked_parameter_exists(params):
    """DVC ends with an error where a corpus lacks a group that a stage tracks."""
    for name in params["corpora"]:
        for stage in STAGES.values():
            for parameter in stage.get("params", []):
                node = params
                for key in parameter.replace(CORPUS, name).split("."):
                    assert key in node, f"{parameter} is not in params.yaml for {name}"
                    node = node[key]


def test_no_parameter_has_a_name_that_the_run_cache_ignores():
    """treeverse/dvc#10296: `size` and `nfiles` inside a tracked group do not count."""
    assert not {key for path in leaves(PARAMS) for key in path} & {"size", "nfiles", "md5", "hash", "isexec"}


def test_only_what_runs_each_time_persists_and_expensive_outs_are_cached():
    for name, stage in STAGES.items():
        for flags in outs(stage).values():
            assert not (flags or {}).get("persist") or name in EACH_TIME
            assert (flags or {}).get("cache", True) or name not in EXPENSIVE


def test_media_are_no_outs():
    """What is an out can be pushed; media must never be."""
    raw = [out for stage in STAGES.values() for out in outs(stage) if out.startswith("data/raw")]
    assert raw == [f"data/raw/{CORPUS}.rendered.json"]


def test_what_runs_each_time_stands_apart_in_the_same_folder():
    """After each of them DVC reads and writes the lock beside its file, of which dvc.lock is the longest."""
    assert [name for name, stage in STAGES.items() if stage.get("always_changed")] == ["register", "summary"]
    assert [*EACH_TIME] == ["register", "summary"]
    assert {stage["wdir"] for stage in EACH_TIME.values()} == {".."}
    assert not any("wdir" in stage for stage in ONCE.values())


@pytest.mark.parametrize("name", stage_names())
def test_scripts_are_thin(name):
    script: Path = ROOT / "stages" / f"{name}.py"
    assert len(script.read_text().splitlines()) <= 30
    corpus = "" if name == "cross" else f" {CORPUS}"
    assert f"python -m stages.{name}{corpus}" == STAGES[name]["cmd"]


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("corpora", {"corpora"}),
        ("features", {"corpora", "features"}),
        ("labels", {"corpora", "features", "labels"}),
        ("learning", {"corpora", "features", "labels", "learning"}),
        ("scoring", {"corpora", "features", "learning", "scoring"}),
        ("recogniser", {"corpora", "features", "labels", "learning", "scoring", "recogniser"}),
        ("reporting", {"corpora", "features", "labels", "learning", "scoring", "recogniser", "reporting"}),
        (
            "cross",
            {"corpora", "features", "labels", "learning", "scoring", "recogniser", "reporting", "cross"},
        ),
    ],
)
def test_arrows_between_rooms_go_one_way(room, allowed):
    """corpora -> features -> labels -> learning -> scoring -> recogniser -> reporting; none is of dvc."""
    for path in (ROOT / "pipeline" / room).rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"^\s*(from|import) (stages|dvc)\b", text, re.M), path
        used = set(re.findall(r"^\s*(?:from|import) pipeline\.(\w+)", text, re.M))
        every = {"corpora", "features", "labels", "learning", "scoring", "recogniser", "reporting", "cross"}
        rooms = used & every
        assert rooms <= allowed, f"{path} imports {rooms - allowed}"


def test_scoring_knows_of_learning_only_what_identifies_a_model_and_writes_its_predictions():
    allowed = {
        "pipeline.learning.system", "pipeline.catalogue.systems", "pipeline.learning.prediction_file",
        "pipeline.learning.temperature",  # of probabilities, whoever made them
    }  # fmt: skip
    for path in (ROOT / "pipeline/scoring").rglob("*.py"):
        found = set(re.findall(r"pipeline\.learning[\w.]*", path.read_text()))
        assert found <= allowed, path


def test_artifacts_are_recognisers_that_the_shipped_parameters_make():
    """Of the demo corpora, which everybody has; a user adds those of other corpora."""
    params = load_params(ROOT / "params.yaml")
    made = {
        (Paths(name).recognisers / f"{scenario.name}.{dimension}").as_posix()
        for name, corpus in params.corpora.items()
        for scenario in corpus.scenarios
        for dimension in corpus.dimensions
        if corpus.partitions.names == ("",)
    }
    artifacts = yaml.safe_load((ROOT / "dvc.yaml").read_text())["artifacts"]
    assert {entry["path"] for entry in artifacts.values()} <= made
    assert all(
        re.fullmatch(r"[A-Za-z0-9][\w/-]*[A-Za-z0-9]", name) for name in artifacts
    )  # as GTO wants them
    assert {entry["type"] for entry in artifacts.values()} == {"model"}
