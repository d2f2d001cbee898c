"""params.yaml as one model, and how it is read: the only reader of that file.

A wrong value is reported as its YAML path, the value and what is allowed, before any work starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from pipeline.params.corpus import Corpus
from pipeline.params.group import Group, Positive
from pipeline.params.sentences import did_you_mean, sentences
from pipeline.params.yaml_file import YamlError, read_yaml

CORPUS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""Names of corpora are names of folders, and DVC has its own use for dots, slashes and blanks."""


class ParamsError(ValueError):
    """Report a wrong params.yaml: YAML path, value found, what is allowed."""


class Run(Group):
    """Which corpora `dvc repro` runs, and whether recognisers are scored on those of the others."""

    corpora: tuple[str, ...] = Field(min_length=1)
    cross: bool = False


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
    models_at_once: Annotated[int, Field(ge=1)] | None = None
    store: Path
    backend: Literal["local", "dask"] = "local"
    scheduler: str | None = None
    time_limit: Positive | None = 21600.0

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
    # only there to be merged into the corpora, where its keys are validated
    defaults: dict[str, Any] = Field(default_factory=dict, exclude=True)
    corpora: dict[str, Corpus]
    demo: Demo
    runtime: Runtime

    def corpus(self, name: str) -> Corpus:
        """Return the parameters of corpus `name`.

        Raises:
            ParamsError: no such corpus under `corpora`.
        """
        if name not in self.corpora:
            raise ParamsError(_unknown(name, self.corpora))
        return self.corpora[name]


def load_params(path: Path) -> Params:
    """Read and validate params.yaml.

    Raises:
        ParamsError: the file is missing, is not YAML, or a value is not allowed; one line per
            wrong value with its YAML path.
    """
    try:
        raw = read_yaml(path)
    except FileNotFoundError:
        raise ParamsError(
            f"{path}: no such file; run from the root of the repository (a checkout of EmoBed)"
        ) from None
    except YamlError as error:
        raise ParamsError(str(error)) from None
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise ParamsError(_together(path, sentences(error.errors(), raw, Params))) from None
    wrong = [*_wrong_names(params), *_wrong_sources(params)]
    if wrong:
        raise ParamsError(_together(path, wrong))
    return params


def _together(path: Path, wrong: list[str]) -> str:
    """Put all that is wrong under the file's name: one sentence beside it, several in lines of their own.

    What is wrong in several corpora alike, which may have taken it from `defaults`, is one sentence.
    """
    alike: dict[str, list[str]] = {}
    for sentence in wrong:
        name = re.match(r"corpora\.([^.:]+)\.", sentence)
        alike.setdefault(sentence[name.end() :] if name else sentence, []).append(name[1] if name else "")
    wrong = [_of_corpora(names, sentence) for sentence, names in alike.items()]
    if len(wrong) == 1:
        return f"{path}: {wrong[0]}"
    return f"{path}: {len(wrong)} values are wrong\n" + "\n".join(f"  {sentence}" for sentence in wrong)


def _of_corpora(names: list[str], sentence: str) -> str:
    """Put the corpora before the YAML path of a sentence; an empty name: it stands in none."""
    if len(names) > 1:
        return f"corpora.{{{', '.join(names)}}}.{sentence}"
    return f"corpora.{names[0]}.{sentence}" if names[0] else sentence


def _wrong_names(params: Params) -> Iterator[str]:
    for name in params.corpora:
        if not CORPUS_NAME.fullmatch(name):
            yield f"corpora: the name '{name}' should be letters, digits, _ and -, beginning with a letter"
    for place, name in enumerate(params.run.corpora):
        if name not in params.corpora:
            yield f"run.corpora: {_unknown(name, params.corpora)}"
        if name in params.run.corpora[:place]:
            yield f"run.corpora: names '{name}' twice, expected once"


def _unknown(name: str, corpora: Iterable[str]) -> str:
    return f"'{name}' is not under corpora; expected one of {sorted(corpora)}{did_you_mean(name, corpora)}"


def _wrong_sources(params: Params) -> Iterator[str]:
    known = sorted(key for key, value in params.corpora.items() if value.layout != "mixed")
    for name, corpus in params.corpora.items():
        for source, wanted in corpus.sources.items():
            if wanted.corpus not in known:
                yield (
                    f"corpora.{name}.sources.{source}.corpus: found '{wanted.corpus}', expected a "
                    f"corpus that is not mixed itself: {', '.join(known)}{did_you_mean(wanted.corpus, known)}"
                )
