"""What a wheel puts into anybody's environment, and that it works there."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT
from tests.parameters import write_parameters

BUILT_FROM = ("emobed", "pipeline", "stages", "setup.py", "pyproject.toml", "README.md", "LICENSE")
DECOY = "raise ImportError('somebody else’s module of this name')\n"


def build_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("emobed_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from pipeline.a import b", "from emobed.pipeline.a import b"),
        ("from pipeline import a", "from emobed.pipeline import a"),
        ("def f():\n    from   stages.a import (\n        b,\n    )", None),
        ("import pipeline.a as a, numpy as np, stages as s", None),
        ("x = 'ä'; from pipeline.a import b; from stages import c", None),
        ("from .pipeline import a", "from .pipeline import a"),
        ("import pipelines\nfrom stages_of import x", "import pipelines\nfrom stages_of import x"),
        ('"""from pipeline import a"""\n# from pipeline', '"""from pipeline import a"""\n# from pipeline'),
        ("if x:\r\n    from pipeline import a\r\n", "if x:\r\n    from emobed.pipeline import a\r\n"),
    ],
)
def test_imports_move_and_nothing_else_does(before, after):
    moved = build_script().moved_imports(before)
    if after is not None:
        assert moved == after
    assert moved.replace("emobed.", "") == before
    assert [
        name for name in imported(ast.parse(moved)) if name.partition(".")[0] in ("pipeline", "stages")
    ] == []


@pytest.mark.parametrize(
    "source", ["import pipeline", "import numpy, pipeline.a", "from \\\n pipeline import a"]
)
def test_an_import_that_would_bind_another_name_is_refused(source):
    with pytest.raises(SyntaxError, match="expected"):
        build_script().moved_imports(source)


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build a wheel from a copy of the checkout that has been built in before."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    for name in ("pipeline", "emobed/pipeline"):
        left = source / "build/lib" / name / "gone.py"
        left.parent.mkdir(parents=True)
        left.write_text("# of an earlier version\n")
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--no-build-isolation", "--wheel-dir", str(target), str(source), cwd=source,
    )  # fmt: skip
    (path,) = target.glob("emobed-*.whl")
    return path


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory) -> Path:
    """Return an environment with the wheel and, for want of a network, the packages of this one."""
    home = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", "--without-pip", str(home), cwd=home)
    run(
        sys.executable, "-m", "pip", "--python", str(home / "bin/python"), "install", "--quiet", "--no-deps",
        "--no-index", "--disable-pip-version-check", str(wheel), cwd=home,
    )  # fmt: skip
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (home / "lib" / version / "site-packages/packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """Work in a folder that is no checkout and has modules of its own named like our rooms."""
    for name in ("pipeline", "stages"):
        (tmp_path / f"{name}.py").write_text(DECOY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*command: str, cwd: Path | None = None, code: int = 0) -> str:
    known = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_wheel_holds_one_package_and_nothing_imports_a_room_at_top_level(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        sources = {name: archive.read(name).decode() for name in names if name.endswith(".py")}
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"emobed"}
    there = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in sources}
    here = {path.relative_to(ROOT) for room in ("pipeline", "stages") for path in (ROOT / room).rglob("*")}
    kinds = (".py", ".c", ".h", ".jinja", ".html", ".css", ".js", ".svg")
    kept = {path for path in here if path.suffix in kinds}
    assert {f"emobed/{path}" for path in kept} <= set(names)
    assert "emobed/py.typed" in names
    assert not [name for name in names if "gone" in name]
    for name, source in sources.items():
        compile(source, name, "exec")
        tree = ast.parse(source)
        for module in imported(tree):
            assert module.partition(".")[0] not in ("pipeline", "stages"), f"{name}: {module}"
            assert module in there or module.partition(".")[0] != "emobed", f"{name}: {module}"
        # names of modules in strings, which are not moved
        assert not [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith(("pipeline.", "stages."))
        ], name


def test_outside_a_checkout_the_command_line_works_or_says_what_it_needs(bare, elsewhere):
    assert run(str(bare / "emobed"), "--version").startswith("emobed ")
    assert run(str(bare / "python"), "-m", "emobed", "--version").startswith("emobed ")
    for command in (["check"], ["store", "status"], ["corpus", "show", "own"]):
        said = run(str(bare / "emobed"), *command, code=1)
        assert said == (
            "emobed: params.yaml: no such file; run from the root of the repository (a checkout of EmoBed)\n"
        )


SCRIPT = """
import sys
from pathlib import Path
from emobed.pipeline.catalogue.extractors import EXTRACTORS
from emobed.pipeline.corpora.layouts.known import layout_of
from emobed.pipeline.features.extractor import extractor_of
from emobed.pipeline.learning.systems.learners import learner_of
from emobed.pipeline.params import ParamsError, load_params
from emobed.pipeline.paths import Paths
from emobed.pipeline.reporting.rendering import TEMPLATES
from emobed.pipeline.running.guarded import run_here
from emobed.stages.ending import meant_for_users

if __name__ == "__main__":
    corpus = load_params(Path(sys.argv[1])).corpus("demo_sessions")
    layout = layout_of(corpus, Paths("demo_sessions"))
    made = [extractor_of("extract_audio", corpus), layout, learner_of("emobed")]
    assert all(type(item).__module__.startswith("emobed.pipeline.") for item in made), made
    assert (TEMPLATES / "style.css").is_file()
    (params,) = run_here(load_params, (), [Path(sys.argv[1])], workers=1)
    assert params.corpus("demo_sessions") == corpus
    try:
        list(run_here(load_params, (), [Path("none.yaml")], workers=1))
    except ParamsError as error:
        assert meant_for_users(error)
        print(error)
"""


def test_modules_named_in_tables_and_functions_in_other_processes_are_the_wheel_s(bare, elsewhere):
    parameters = write_parameters(elsewhere)
    (elsewhere / "script.py").write_text(SCRIPT)
    said = run(str(bare / "python"), "script.py", parameters.name)
    assert said == "none.yaml: no such file; run from the root of the repository (a checkout of EmoBed)\n"


PREDICT = """
import sys
from emobed import Recogniser, RecogniserError, __version__

FORBIDDEN = {forbidden!r}


class Extras:
    def find_spec(self, name, path=None, target=None):
        assert name.partition(".")[0] not in FORBIDDEN, name


sys.meta_path.insert(0, Extras())
assert Recogniser.__module__.startswith("emobed.pipeline."), Recogniser
for folder in sys.argv[2:]:
    recogniser = Recogniser.load(folder)
    print(len(recogniser.predict(sys.argv[1])), len(recogniser.embed(sys.argv[1])))
"""


def extras() -> list[str]:
    """Return the modules of packages that only extras bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {name for own in project["optional-dependencies"].values() for name in own if "[" not in name}
    assert {"dvc", "h5py", "fastapi", "dask"} <= names
    always = [Requirement(line).name for line in project["dependencies"]]
    assert not names & set(always)
    return sorted(name.replace("-", "_") for name in names - brought(always))


def test_what_is_installed_without_pins_is_what_was_tried():
    """The pinned releases are taken, and none of the next major number, which nobody has tried."""
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if line)
    pins = {canonicalize_name(name): Version(version) for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in project["dependencies"]:
        needed = Requirement(line)
        pin = pins[canonicalize_name(needed.name)]
        assert needed.specifier.contains(pin), line
        assert any(own.operator == ">=" for own in needed.specifier), line
        if needed.name != "pyarrow":  # four major releases a year, of which tables need none
            assert not needed.specifier.contains(f"{pin.major + 1}.0"), line


def brought(names: list[str]) -> set[str]:
    """Return packages and all that they require, without extras."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop().lower()
        if name not in found:
            found.add(name)
            needed = [Requirement(line) for line in requires(name) or ()]
            todo += [own.name for own in needed if own.marker is None or own.marker.evaluate({"extra": ""})]
    return found


def test_a_program_predicts_with_what_comes_without_extras(bare, elsewhere, tiny_recognisers):
    (elsewhere / "script.py").write_text(PREDICT.format(forbidden=extras()))
    speech = tiny_recognisers.parent / "speech.wav"
    folders = [str(tiny_recognisers / f"audio+video.{name}") for name in ("arousal", "emotion")]
    said = run(str(bare / "python"), "script.py", str(speech), *folders)
    assert said == "31 31\n1 1\n"


def test_the_command_predicts_in_a_folder_that_is_no_checkout(bare, elsewhere, tiny_recognisers):
    speech = tiny_recognisers.parent / "speech.wav"
    folder = tiny_recognisers / "audio+video.arousal"
    said = run(str(bare / "emobed"), "predict", str(folder), str(speech), "--out", "found.csv")
    assert "1 of 1 file predicted" in said
    lines = (elsewhere / "found.csv").read_text().splitlines()
    assert lines[0].startswith("file,start,end,arousal")
    assert len(lines) == 1 + 31


def test_its_types_are_known(bare, elsewhere):
    (elsewhere / "program.py").write_text(
        "from emobed import Recogniser, __version__\n"
        "reveal_type(Recogniser.load('a').dimension)\n"
        "reveal_type(__version__)\n"
        "Recogniser.load('a').predict(1)\n"
        "from emobed import Recognizer\n"
    )
    (elsewhere / "mypy.ini").write_text(  # of others' packages, which take long, nothing is asked
        "[mypy]\nfollow_imports = skip\n[mypy-emobed.*]\nfollow_imports = silent\n"
    )
    said = run(
        sys.executable, "-m", "mypy", "--python-executable", str(bare / "python"), "--no-incremental",
        "program.py", code=1,
    )  # fmt: skip
    assert [line.split(": ", 1)[1] for line in said.splitlines()[:-1]] == [
        'note: Revealed type is "str"',
        'note: Revealed type is "str"',
        'error: Argument 1 to "predict" of "Recogniser" has incompatible type "int"; expected '
        '"str | Path | Mapping[str, str | Path]"  [arg-type]',
        'error: Module "emobed" has no attribute "Recognizer"; maybe "Recogniser"?  [attr-defined]',
    ]
