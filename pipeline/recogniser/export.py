"""A corpus' trained systems and their scores -> one recogniser for each scenario, dimension and fold."""

from __future__ import annotations

import json
import logging
import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from typing import Any

import pandas as pd
import torch

from pipeline.catalogue.systems import SYSTEMS
from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.recording import Recording, read_manifest
from pipeline.features.sources import open_features
from pipeline.labels.labelled_folds import read_folds
from pipeline.learning.model_file import own_scaler, read_models, to_bytes
from pipeline.learning.system import Variant
from pipeline.learning.systems.learners import learner_of
from pipeline.params import Corpus, Scenario, view_names
from pipeline.paths import Paths, experiment_name
from pipeline.recogniser.calibration import calibration_of, tested_uncertainty
from pipeline.recogniser.card_facts import CardFacts
from pipeline.recogniser.card_tables import trained_on
from pipeline.recogniser.certainty_file import certainty_of, read_certainty
from pipeline.recogniser.choice import Choice, choose, thresholds_of
from pipeline.recogniser.description import CARD, WEIGHTS, kept_parameters
from pipeline.recogniser.domain import known_domain
from pipeline.recogniser.extraction import extraction_of
from pipeline.recogniser.folder import write_folder
from pipeline.recogniser.model_card import model_card
from pipeline.recogniser.models_in_file import LIMITS
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.recogniser.networks import pack
from pipeline.scoring.averaged import average
from pipeline.scoring.chain_file import read_chains, steps_path
from pipeline.scoring.plot_sources import read_point
from pipeline.scoring.selection import Point
from pipeline.store.digest import sha256_of

logger = logging.getLogger(__name__)

PACKAGES = ("emobed", "numpy", "torch", "opensmile", "av", "facenet-pytorch", "scipy", "onnxruntime")
"""Whose versions a recogniser tells."""


def export_corpus(paths: Paths, corpus: Corpus) -> None:
    """Write the recognisers of a corpus; what was in their directory before is gone.

    Raises:
        ModelFileError, FileNotFoundError, TableError: the corpus was not trained or evaluated.
    """
    shutil.rmtree(paths.recognisers, ignore_errors=True)
    paths.recognisers.mkdir(parents=True)
    if not corpus.scenarios:
        return
    folds = {fold.name: fold.recordings for fold in read_folds(paths, corpus, read_manifest(paths.manifest))}
    for scenario, dimension, fold in product(corpus.scenarios, corpus.dimensions, folds):
        name = experiment_name(scenario.name, dimension, fold)
        choice = choose(paths, corpus, scenario, dimension, fold)
        if choice is None:
            logger.warning(
                "%s: no recogniser, since every system that was trained needs all modalities or did not "
                "learn all classes",
                name,
            )
            continue
        export_experiment(paths.of_fold(fold), corpus, folds[fold], scenario, dimension, choice)
        logger.info("%s: %s, %s", name, f"{choice.system} {choice.setting}".rstrip(), choice.why)


def export_experiment(
    paths: Paths,
    corpus: Corpus,
    recordings: Sequence[Recording],
    scenario: Scenario,
    dimension: str,
    choice: Choice,
) -> None:
    """Write the recogniser of one experiment; paths, recordings: of its fold."""
    name = experiment_name(scenario.name, dimension, paths.fold)
    path = paths.models / name / "models.safetensors"
    tensors, about = weights_for_use(*read_models(path), choice)
    needed = list(about["modalities"].values())
    extraction = {modality: extraction_of(paths, corpus, modality, dimension) for modality in needed}
    networks, copied, parameters = pack(corpus, kept_parameters(corpus), extraction, paths.root)
    seeds = [model["seed"] for model in about["models"]]
    models = ModelsOfSetting.load(path, choice.system, choice.setting)
    limits, domain = known_domain(paths, corpus, dimension, models, recordings)
    for view, own in limits.items():
        for end, values in own._asdict().items():
            tensors[f"{LIMITS}.{view}/{end}"] = torch.from_numpy(values)
    tested = tested_uncertainty(paths, scenario, dimension, paths.fold, choice.system)
    calibration = calibration_of(tested, corpus)
    chains = fitted_chains(paths, corpus, name, choice, seeds)
    labels = pd.read_parquet(paths.label_table)
    traces = not TASKS[corpus.task].classes
    thresholds = fitted_thresholds(paths, corpus, name, choice)
    learned = about["systems"][choice.system]
    card = CardFacts(
        name=name,
        corpus_name=paths.corpus,
        corpus=corpus,
        scenario=scenario,
        dimension=dimension,
        fold=paths.fold,
        classes=about["classes"],
        seeds=seeds,
        needed=needed,
        choice=choice,
        trained=trained_on(
            recordings,
            open_features(paths, corpus, needed[0], dimension).recordings,
            labels,
            dimension,
        ),
        intervals=pd.read_csv(paths.scores / "intervals.csv", dtype={"fold": str}),
        groups=pd.read_csv(paths.scores / "groups.csv"),
        enrolment=(
            pd.read_csv(paths.enrolment, dtype={"enrolled": str})
            if paths.enrolment.is_file()
            else pd.DataFrame()
        ),
        rendered=bool(json.loads(paths.rendered.read_text(encoding="utf-8"))["rendered"]),
        post_processed=chains is not None,
        calibration=calibration,
        domain=domain,
        tested=tested,
        everybody=certainty_of(read_certainty(paths), scenario, dimension),
        thresholds=thresholds or (),
        unseen=learned.get("unseen", ()),
        rare=learned.get("rare", ()),
        networks=[(entry.name, entry.included) for entry in networks],
    )
    write_folder(
        paths.recognisers / name,
        {
            "name": name,
            "versions": _versions(),
            "corpus": paths.corpus,
            "scenario": scenario.name,
            "fold": paths.fold,
            "dimension": dimension,
            "task": corpus.task,
            "classes": about["classes"],
            "system": choice.system,
            "setting": choice.setting,
            "seeds": seeds,
            "needed": needed,
            "chosen": choice.why,
            "parameters": parameters,
            "extraction": extraction,
            "chains": chains,
            "thresholds": thresholds,
            "calibration": calibration.model_dump(mode="json"),
            "domain": domain.model_dump(mode="json"),
            "label_range": label_range_of(labels, recordings, dimension) if traces else None,
            "manifest": sha256_of(paths.manifest),
            "networks": [entry.model_dump() for entry in networks],
        },
        {WEIGHTS: to_bytes(tensors, about), CARD: model_card(card).encode(), **copied},
    )


def label_range_of(
    labels: pd.DataFrame, recordings: Sequence[Recording], dimension: str
) -> tuple[float, float] | None:
    """Return the lowest and the highest label of train that may be seen; None without any.

    labels: the table of align_labels. recordings: of a fold, with its partitions.
    """
    train = [item.recording for item in recordings if item.partition == "train"]
    own = labels.loc[(labels["dimension"] == dimension) & labels["recording"].isin(train), "label"].dropna()
    return (float(own.min()), float(own.max())) if len(own) else None


def weights_for_use(
    tensors: dict[str, torch.Tensor], about: dict[str, Any], choice: Choice
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors that the chosen models need to predict, and the description that goes with them.

    tensors, about: of the model file of an experiment. Kept are the scalings of the modalities that a
    prediction takes, and of the weights what the learner says that predictions need.
    """
    system, learner = choice.system, learner_of(choice.system)
    models = [m for m in about["models"] if (m["system"], m["setting"]) == (system, choice.setting)]
    every = view_names(len(about["modalities"]))
    views = every if SYSTEMS[system].needs == "all" else every[:1]
    kept: dict[str, torch.Tensor] = {}
    said: dict[str, Any] = {}
    for model in sorted(models, key=lambda model: int(model["seed"])):
        start = f"{model['name']}/"
        own = {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
        pruned, said = learner.for_use(own, about["systems"][system])
        kept |= {start + name: tensor for name, tensor in pruned.items()}
    for view in views:
        shared, own_start = f"scaler.{view}/", f"{own_scaler(system, view)}/"
        start = own_start if any(name.startswith(own_start) for name in tensors) else shared
        kept |= {
            shared + name.removeprefix(start): tensor
            for name, tensor in tensors.items()
            if name.startswith(start)
        }
    by_view = {
        key: {view: about[key][view] for view in views if view in about[key]}
        for key in ("modalities", "features", "extraction")
    }
    rest = {key: about[key] for key in ("scenario", "dimension", "task", "hop", "delay_frames", "classes")}
    scaling = {"scaling": about["learning"]["scaling"]}
    return kept, rest | by_view | {"learning": scaling, "systems": {system: said}, "models": models}


def fitted_chains(
    paths: Paths, corpus: Corpus, name: str, choice: Choice, seeds: list[int]
) -> list[dict[str, Any]] | None:
    """Return the fitted post-processing of each seed; None where none changes anything."""
    known = read_chains(steps_path(paths.predictions / f"{name}.parquet"), corpus.grid.hop)
    own = [known[Variant(choice.system, choice.setting, seed)] for seed in seeds]
    if not any(chain.steps for chain in own):
        return None
    return [{"median": c.median, "shift": c.shift, "gain": c.gain, "offset": c.offset} for c in own]


def fitted_thresholds(paths: Paths, corpus: Corpus, name: str, choice: Choice) -> list[float] | None:
    """Return above which mean probability each class is predicted; None: an utterance has one class."""
    if not TASKS[corpus.task].several:
        return None
    rows = read_point(paths.predictions / f"{name}.parquet", Point(choice.system, choice.setting))
    return list(thresholds_of(average(rows[rows["partition"] == "dev"]), corpus.learning.threshold))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
