"""params.yaml as one model, and how it is read: the only reader of that file.

A wrong value is reported as its YAML path, the value and what is allowed, before any work starts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from pipeline.params.corpus import Corpus
from pipeline.params.groups import Group, Positive

SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: every stage reads the whole file."""


class ParamsError(ValueError):
    """Report a wrong params.yaml: YAML path, value found, what is allowed."""


class Run(Group):
    """Which corpora `dvc repro` runs."""

    corpora: tuple[str, ...] = Field(min_length=1)


class DemoSessions(Group):
    """Rendering of demo_sessions: RECOLA's layout for AVEC 2016."""

    train: int = Field(ge=1)
    dev: int = Field(ge=1)
    test: int = Field(ge=1)
    duration: float = Field(ge=10)
    frame_rate_hz: Positive


class DemoClips(Group):
    """Rendering of demo_clips: OMG-Emotion's layout."""

    train: int = Field(ge=1)
    dev: int = Field(ge=1)
    test: int = Field(ge=1)
    utterances: int = Field(ge=7)
    duration: float = Field(ge=1)
    frame_rate_hz: Positive


class Demo(Group):
    """The demo corpora; numbers of train, dev and test are speakers."""

    seed: int
    reaction_lag: float = Field(ge=0, le=5)
    demo_sessions: DemoSessions
    demo_clips: DemoClips


class Runtime(Group):
    """What cannot change a result; no stage tracks it."""

    workers: int = Field(ge=1)
    device: Literal["auto", "cpu", "cuda"]
    models_at_once: int = Field(ge=1)
    store: Path
    backend: Literal["local", "dask"] = "local"
    scheduler: str | None = None

    @property
    def cluster(self) -> str | None:
        """Return where tasks go: a Dask scheduler's address, or None for processes on this machine.

        Raises:
            ParamsError: backend dask, and no scheduler is named.
        """
        if self.backend == "local":
            return None
        address = self.scheduler or os.environ.get("DASK_SCHEDULER_ADDRESS")
        if not address:
            raise ParamsError(
                "runtime.scheduler: null, and DASK_SCHEDULER_ADDRESS is not set; backend dask needs one of "
                "them, for example tcp://host:8786 (docs/cluster.md)"
            )
        return address


class Params(Group):
    """The whole of params.yaml."""

    run: Run
    corpora: dict[str, Corpus]
    demo: Demo
    runtime: Runtime

    def corpus(self, name: str) -> Corpus:
        """Return the parameters of corpus `name`.

        Raises:
            ParamsError: no such corpus under `corpora`.
        """
        if name not in self.corpora:
            raise ParamsError(
                f"run.corpora: '{name}' is not under corpora; expected one of {sorted(self.corpora)}"
            )
        return self.corpora[name]


def load_params(path: Path) -> Params:
    """Read and validate params.yaml.

    Raises:
        ParamsError: the file is missing, is not YAML, or a value is not allowed; one line per
            wrong value with its YAML path.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), SafeLoader)
    except FileNotFoundError:
        raise ParamsError(f"{path}: no such file; run from the root of the repository") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not valid YAML: {error}") from None
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise ParamsError(f"{path}: " + "; ".join(_sentence(item) for item in error.errors())) from None
    for name in params.run.corpora:
        params.corpus(name)
    _require_sources(path, params)
    return params


def _require_sources(path: Path, params: Params) -> None:
    for name, corpus in params.corpora.items():
        for source, wanted in corpus.sources.items():
            if wanted.corpus not in params.corpora or params.corpora[wanted.corpus].layout == "mixed":
                known = sorted(key for key, value in params.corpora.items() if value.layout != "mixed")
                raise ParamsError(
                    f"{path}: corpora.{name}.sources.{source}.corpus: found '{wanted.corpus}', expected a "
                    f"corpus that is not mixed itself: {', '.join(known)}"
                )


def _sentence(error: Any) -> str:
    """Turn one pydantic error into `yaml.path: what is wrong, found <value>`."""
    where = ".".join(str(part) for part in error["loc"]) or "(top level)"
    found = error["input"]
    shown = "" if isinstance(found, dict) or error["type"] == "missing" else f", found {found!r}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}{shown}"
