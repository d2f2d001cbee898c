"""Parameters -> a demo corpus on disk, and the receipt that says which one it is.

`register` calls `ensure` in each run, so what this module imports at its top is light.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.corpora.recording import read_manifest
from pipeline.location import Location
from pipeline.params import Demo, Params

if TYPE_CHECKING:
    from types import ModuleType

    from pipeline.paths import Paths

VERSION = 3  # of the rendering: raised whenever the same parameters give other bytes
RENDERED = "rendered.json"  # below the corpus root: the receipt, written last
UNFINISHED = "rendering.json"  # below the corpus root, while files are being written
CORPORA = ("demo_sessions", "demo_clips")


def receipt(corpus: str, demo: Demo) -> dict[str, Any]:
    """Say what `render` would draw, without drawing it.

    Returns:
        `rendered`, `corpus`, `version`, `fingerprint` (sha256 over all that decides the bytes),
        `speakers`, `recordings` and `seconds` (nominal); only `{"rendered": False}` for a real corpus
    """
    if corpus not in CORPORA:
        return {"rendered": False}
    sessions, clips = demo.demo_sessions, demo.demo_clips
    decides: dict[str, Any] = {"version": VERSION, "corpus": corpus, "seed": demo.seed}
    if corpus == "demo_sessions":
        decides |= {"reaction_lag": demo.reaction_lag, "section": sessions.model_dump()}
        recordings = speakers = sessions.train + sessions.dev + sessions.test
        seconds = recordings * sessions.duration
    else:
        decides |= {"section": clips.model_dump()}
        speakers = clips.train + clips.dev + clips.test
        recordings = speakers * clips.utterances
        seconds = recordings * clips.duration
    fingerprint = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return {
        "rendered": True,
        "corpus": corpus,
        "version": VERSION,
        "fingerprint": fingerprint,
        "speakers": speakers,
        "recordings": recordings,
        "seconds": round(seconds, 3),
    }


def drawn_as(corpus: str, params: Params) -> str:
    """Return the demo corpus whose media a corpus has: that of its name or, failing that, that of its root.

    A corpus that is none of the demo's is returned as it is.

    Raises:
        ParamsError: there is no such corpus.
    """
    root = params.corpus(corpus).root
    same = [name for name in CORPORA if name in params.corpora and params.corpora[name].root == root]
    return corpus if corpus in CORPORA else next(iter(same), corpus)


def ensure(corpus: str, root: Location, demo: Demo, workers: int) -> dict[str, Any]:
    """Render the corpus unless it lies below `root` already; returns its receipt.

    Raises:
        FileExistsError: as `render`.
        ValueError: as `render`, or `root` is a URL.
    """
    wanted = receipt(corpus, demo)
    if not wanted["rendered"]:
        return wanted
    if not isinstance(root, Path):
        raise ValueError(f"corpora.{corpus}.root: a demo corpus is rendered into a folder, found {root}")
    if _read(root / RENDERED) == wanted:
        return wanted
    return render(corpus, root, demo, workers)


def ensure_for(corpus: str, params: Params, paths: Paths) -> None:
    """Bring the media up to date that a corpus takes from the demo; a clone without media stays without.

    A demo corpus, or one with its root: where it has been rendered before (the stage `render_demo` does it
    first). A mixed one: its sources, also where they have not, unless their recordings are registered here:
    a clone that has pulled the features needs no media.

    paths: of the corpus.

    Raises:
        FileExistsError: as `ensure`.
        ValueError: as `ensure`, or the manifest cannot be used.
    """
    sources = params.corpus(corpus).sources
    rows = read_manifest(paths.manifest) if sources and paths.traces.exists() else []
    registered = {row.recording.partition("/")[0] for row in rows}
    fresh = {own.corpus for source, own in sources.items() if source not in registered}
    for name in sorted({own.corpus for own in sources.values()} or {corpus}):
        root = params.corpus(name).root
        if isinstance(root, Path) and (root.exists() or name in fresh):
            ensure(drawn_as(name, params), root, params.demo, params.runtime.workers)


def render(corpus: str, root: Path, demo: Demo, workers: int) -> dict[str, Any]:
    """Draw the corpus below `root`; returns its receipt.

    A rendering that was interrupted goes on where it stopped; an older one is removed.

    Args:
        corpus: `demo_sessions` or `demo_clips`; any other name is a real corpus and is not rendered
        root: folder of the corpus
        demo: parameters
        workers: processes

    Raises:
        FileExistsError: `root` holds files that no rendering wrote.
        ValueError: a rater would react to what was before the known truth.
    """
    wanted = receipt(corpus, demo)
    if not wanted["rendered"]:
        return wanted
    kind = _kind(corpus, demo)
    _clear(root, wanted, kind.FOLDERS)
    _draw_all(kind, root, demo, workers)
    kind.write_index(root, demo)
    _write(root / RENDERED, wanted)
    (root / UNFINISHED).unlink()
    return wanted


def _kind(corpus: str, demo: Demo) -> ModuleType:
    """Import the module that writes the corpus's layout: numpy, OpenCV and PyAV come with it."""
    from pipeline.corpora.rendering import clips, raters, sessions

    if demo.reaction_lag + 1 > raters.longest_lag():
        raise ValueError(
            f"demo.reaction_lag: {demo.reaction_lag} s is too long, at most {raters.longest_lag() - 1} s"
        )
    return {"demo_sessions": sessions, "demo_clips": clips}[corpus]


def _clear(root: Path, wanted: dict[str, Any], folders: tuple[str, ...]) -> None:
    """Remove what another rendering left below `root`; what an interrupted run of this one left is kept."""
    root.mkdir(parents=True, exist_ok=True)
    state = _read(root / UNFINISHED)
    if state == wanted | {"cleared": True}:
        # Half-written files of a run that was killed
        for path in root.rglob(".*"):
            path.unlink()
        return
    ours = state is not None or (root / RENDERED).exists()
    found = [name for name in folders if (root / name).exists()]
    if found and not ours:
        raise FileExistsError(
            f"{root}: holds {found} which no rendering wrote; move them away or change the corpus's root"
        )
    _write(root / UNFINISHED, wanted | {"cleared": False})
    (root / RENDERED).unlink(missing_ok=True)
    for name in found:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    _write(root / UNFINISHED, wanted | {"cleared": True})


def _draw_all(kind: ModuleType, root: Path, demo: Demo, workers: int) -> None:
    """Render all recordings, `workers` at once."""
    from joblib import Parallel, delayed, parallel_config

    from pipeline.running.progress import tracked

    items = kind.plan(demo)
    draw = kind.render_session if hasattr(kind, "render_session") else kind.render_speaker
    # One thread each: the recordings are what runs in parallel.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        done = Parallel(n_jobs=workers, return_as="generator_unordered")(
            # absolute: joblib keeps its processes, whose current directory may be another
            delayed(draw)(root.absolute(), item, demo)
            for item in items
        )
        for _ in tracked(done, f"render {kind.CORPUS}", "speakers", len(items)):
            pass


def _read(path: Path) -> dict[str, Any] | None:
    """Read a receipt; None if there is none or it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, content: dict[str, Any]) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)
