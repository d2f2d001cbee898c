"""dvc.yaml held against the code: deps are the imports, outs the layout's paths, every parameter tracked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pipeline.params import load_params
from pipeline.paths import Paths
from tests.parameters import PATH, parameters
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


@pytest.mark.parametrize("name", stage_names())
def test_deps_are_exactly_the_rooms_that_the_script_imports(name):
    code = [dep for dep in names(STAGES[name]["deps"]) if not dep.startswith("data/")]
    assert code == imported_rooms(ROOT / "stages" / f"{name}.py"), "run `make deps`"


@pytest.mark.parametrize("name", stage_names())
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


IN_THE_FILE_ALONE = ("audformat", "evaluation", "export", "media_folders", "report", "sources")
"""Read by register, which runs each time, or from files that it writes; some need not be in params.yaml."""


def reads_all(stage) -> bool:
    """Say whether a stage depends on the file of all parameters of a corpus."""
    return not {f"data/parameters/{CORPUS}.json", "data/parameters"}.isdisjoint(names(stage["deps"]))


def test_export_report_and_cross_read_all_parameters_of_a_corpus():
    """Of which DVC tracks none by itself: it would write them into dvc.lock for each."""
    assert {name for name, stage in STAGES.items() if reads_all(stage)} == {"export", "report", "cross"}
    tracked = [STAGES[name].get("params", []) for name in ("export", "report", "cross")]
    assert tracked == [[], [], ["run"]]


def test_every_parameter_is_tracked_by_a_stage_or_lies_in_runtime():
    tracked = {p.replace(CORPUS, "*") for stage in STAGES.values() for p in stage.get("params", [])}
    tracked |= {f"corpora.*.{group}" for group in IN_THE_FILE_ALONE}
    for path in leaves(PARAMS):
        if path[0] in ("run", "runtime"):
            continue
        dotted = ".".join(["corpora", "*", *path[2:]] if path[0] == "corpora" else path)
        assert any(dotted == t or dotted.startswith(t + ".") for t in tracked), (
            f"{dotted} is tracked by no stage"
        )


def test_only_what_trains_and_what_shows_runs_again_after_an_edit_of_learning():
    """Labels, chains and scores do not depend on weights of losses; the page names every parameter.

    What is over all corpora tracks all that there is. Export takes seconds and tracks the corpus as a whole,
    since `export` is a group that need not be there.
    """
    for group, stages in (
        ("learning", {"train", "report"}),
        ("report", {"report"}),
        ("evaluation", {"report"}),
    ):
        key = f"corpora.{CORPUS}.{group}.x"
        reached = {
            name
            for name, stage in STAGES.items()
            if reads_all(stage) or any(key.startswith(f"{p}.") for p in stage.get("params", []))
        }
        assert reached == stages | {"export", "cross"}


def test_what_reads_few_parameters_depends_on_the_file_that_has_no_others():
    """What is in which is held by tests/corpora/test_registered_parameters.py."""
    for kind, reader in (("certainty", "certainty"), ("evaluation", "evaluate")):
        file = f"data/parameters/{CORPUS}.{kind}.json"
        assert [name for name, stage in STAGES.items() if file in names(stage["deps"])] == [reader]
    own = [dep for dep in names(STAGES["certainty"]["deps"]) if dep.startswith("data/reports")]
    assert own == [f"data/reports/{CORPUS}/scores/grid.csv"]  # which no interval and no group changes


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


def test_no_stage_tracks_runtime_and_the_choice_of_corpora_only_that_over_all():
    for name, stage in STAGES.items():
        found = {p.split(".")[0] for p in stage.get("params", [])} & {"run", "runtime"}
        assert found == ({"run"} if name == "cross" else set())


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
