"""The one table of systems: what they are called, how they look, and what they need when they are used.

A new system is an entry here and a file in `pipeline/learning/systems`. Parameters, scores, statistics,
figures and the page take systems from this table, in its order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pipeline.catalogue.tasks import TASKS

Needs = Literal["target", "all"]
"""What a system needs to predict: the target modality alone, or all modalities of the scenario."""
Encoders = Literal["together", "apart", "none"]
"""How encoders into one space came to be: in one model, in trainings of their own, or there are none."""


@dataclass(frozen=True)
class SystemEntry:
    """One system.

    module: below `pipeline.learning.systems`; its `LEARNER` trains the system. label: as shown. colour: of
    Okabe and Ito's, told apart with every common colour blindness. grid: systems with the same word are
    regions of one grid of settings and share its map of scores. needs: at use. most: modalities that a
    scenario may have; None: any number. several: learns a second dimension besides what it predicts.
    network: one or several networks, trained in epochs. control_of: the system of which this one is a
    control; a gain that it has too is not what that system is about. differs: with what a control is that
    system, for the methods paragraph. beside: a system in its own right, and no control, of which this one is
    another form: their difference is reported. teacher: the system that teaches this one. own: values of
    settings that are none of the grid. tasks: which it can learn. What is on the map of scores:
    `pipeline.reporting.settings_shown.on_map`.
    """

    name: str
    module: str
    label: str
    colour: str
    grid: str
    needs: Needs = "target"
    encoders: Encoders = "none"
    most: int | None = None
    several: bool = False
    network: bool = True
    control_of: str | None = None
    differs: str = ""
    beside: str | None = None
    teacher: str | None = None
    own: tuple[str, ...] = ()
    tasks: tuple[str, ...] = tuple(TASKS)


EMOBED = "emobed.learner"
WEIGHTS = "loss weights"
ONE_LABEL = ("regression", "classification")
"""Tasks in which a frame has one label."""
OF_CLASSES = tuple(entry.name for entry in TASKS.values() if entry.classes)
WORDS = "emotion_words.learner"
RECONSTRUCTION = "weights of reconstruction and matching"
SYSTEMS = {
    entry.name: entry
    for entry in (
        SystemEntry(
            "classic", EMOBED, "classic", "#595959", WEIGHTS, encoders="apart", own=("lr", "weight_decay")
        ),
        SystemEntry("joint", EMOBED, "joint", "#E69F00", WEIGHTS, encoders="together", most=2),
        SystemEntry("triplet", EMOBED, "triplet", "#009E73", WEIGHTS, encoders="together", most=2),
        SystemEntry("emobed", EMOBED, "EmoBed", "#0072B2", WEIGHTS, encoders="together", most=2),
        SystemEntry(
            "placebo",
            EMOBED,
            "placebo",
            "#999933",
            WEIGHTS,
            encoders="together",
            most=2,
            control_of="emobed",
            differs="labels of the auxiliary modality permuted over its train recordings, anew for each seed",
        ),
        SystemEntry(
            "same_modality",
            "emobed.same_modality",
            "same modality",
            "#882255",
            WEIGHTS,
            encoders="apart",
            most=2,
            control_of="emobed",
            differs="the target modality as its own auxiliary, read by a second encoder",
        ),
        SystemEntry(
            "graded_triplet",
            EMOBED,
            "graded triplet",
            "#6699CC",
            "weight of the graded triplets",
            encoders="together",
            most=2,
            beside="triplet",
            tasks=ONE_LABEL,
        ),
        SystemEntry("random_forest", "random_forest", "random forest", "#CC79A7", "depth", network=False),
        SystemEntry("support_vectors", "support_vectors", "SVM", "#56B4E9", "complexity", network=False),
        SystemEntry(
            "multi_task", "multi_task", "multi-task", "#D55E00", grid="weight of the other", several=True
        ),
        SystemEntry(
            "taught",
            "taught.learner",
            "taught",
            "#332288",
            "weight of the teacher",
            teacher="teacher",
            tasks=ONE_LABEL,
        ),
        SystemEntry(
            "taught_same",
            "taught.same",
            "taught by the same",
            "#44AA99",
            "weight of the teacher",
            control_of="taught",
            differs="a teacher that reads the target modality alone",
            tasks=ONE_LABEL,
        ),
        SystemEntry(
            "teacher", "taught.alone", "teacher", "#AA4499", grid="teacher", needs="all", tasks=ONE_LABEL
        ),
        SystemEntry("emotion_words", WORDS, "emotion words", "#117733", "emotion words", tasks=OF_CLASSES),
        SystemEntry(
            "emotion_words_random",
            "emotion_words.random_words",
            "random words",
            "#88CCEE",
            "emotion words",
            control_of="emotion_words",
            differs="vectors of the class names drawn at random",
            tasks=OF_CLASSES,
        ),
        SystemEntry(
            "emotion_words_all",
            WORDS,
            "words, all",
            "#117733",
            "emotion words",
            needs="all",
            tasks=OF_CLASSES,
        ),
        SystemEntry("matched", "matched.learner", "matched", "#661100", RECONSTRUCTION),
        SystemEntry(
            "matched_apart",
            "matched.learner",
            "not matched",
            "#DDCC77",
            RECONSTRUCTION,
            control_of="matched",
            differs="latents that are not matched (β = 0)",
        ),
        SystemEntry(
            "matched_all", "matched.learner", "matched fusion", "#661100", RECONSTRUCTION, needs="all"
        ),
        SystemEntry(
            "early_fusion", "early_fusion", "early fusion", "#0072B2", grid="early fusion", needs="all"
        ),
        SystemEntry(
            "late_fusion", "late_fusion", "late fusion", "#009E73", grid="weight of the target", needs="all"
        ),
        SystemEntry(
            "model_fusion", "model_fusion", "model fusion", "#E69F00", grid="model fusion", needs="all"
        ),
    )
}
DEFAULT = ("classic", "joint", "triplet", "emobed", "placebo", "same_modality")
"""The systems that are trained where `learning.systems` says nothing."""
REFERENCE = "classic"
"""The system that all others are compared with: one modality, learned from by itself."""
BY_WORDS = tuple(name for name in SYSTEMS if name.startswith("emotion_words"))
"""Systems that score word vectors of the class names, and learn nothing but classes."""
METHOD = "emobed"
"""The system that the report is about; its traces and embeddings are drawn beside those of the reference."""
CONTROLLED = tuple(name for name in SYSTEMS if any(entry.control_of == name for entry in SYSTEMS.values()))
"""Systems with controls."""
BY_MODALITY = tuple(name for name in CONTROLLED if name not in BY_WORDS)
"""Those of them whose gain beyond all of their controls comes from another modality's emotion."""
CROSSMODAL = tuple(
    entry.name
    for entry in SYSTEMS.values()
    if entry.control_of is None and (entry.encoders == "together" or entry.name in CONTROLLED)
)
"""Systems whose training another modality's emotion takes part in, and that need the target alone at use."""
SYMBOLS = {"alpha": "α", "beta": "β", "lr": "learning rate", "weight_decay": "weight decay"}
"""How values of a setting are written on the page, where a letter is usual."""
AXES = {"alpha": "α (auxiliary)", "beta": "β (triplet)", "weight_decay": "weight decay"}
"""What axes of values of a setting are called, where more can be said than their names."""


MARK = "◆"
"""Behind the names of systems that need all modalities to predict, wherever they are shown."""
MARKED = f"{MARK} needs all modalities when it is used: a bound, no rival"


def label(system: str) -> str:
    """Return what a system is called where it is shown, with `MARK` if it needs all modalities."""
    entry = SYSTEMS[system]
    return f"{entry.label} {MARK}" if entry.needs == "all" else entry.label


def any_marked(systems: Iterable[str]) -> bool:
    """Say whether one of the systems needs all modalities, so that `MARKED` should be said."""
    return any(SYSTEMS[name].needs == "all" for name in systems)


def learning_several(systems: Iterable[str]) -> list[str]:
    """Return the systems that learn a second dimension besides what they predict."""
    return [name for name in in_order(systems) if SYSTEMS[name].several]


def rank(system: str) -> int:
    """Return the place of a system in the order of the table."""
    return list(SYSTEMS).index(system)


def not_learning(systems: Iterable[str], task: str) -> list[str]:
    """Return the systems that cannot learn a task."""
    return [name for name in in_order(systems) if task not in SYSTEMS[name].tasks]


def too_many(systems: Iterable[str], modalities: int) -> list[str]:
    """Return the systems that cannot learn from so many modalities."""
    entries = [SYSTEMS[name] for name in in_order(systems)]
    return [entry.name for entry in entries if entry.most is not None and modalities > entry.most]


def controls(system: str) -> list[str]:
    """Return the controls of a system, in the order of the table."""
    return [entry.name for entry in SYSTEMS.values() if entry.control_of == system]


def compared_with(system: str) -> list[str]:
    """Return what a system is compared with besides the reference: its controls, or another form of it."""
    beside = SYSTEMS[system].beside
    return controls(system) + ([] if beside is None else [beside])


def leading(systems: Iterable[str]) -> str | None:
    """Return the system that is shown beside the reference: the method, failing that one with controls."""
    return next((name for name in (METHOD, *CONTROLLED) if name in set(systems)), None)


COMPANIONS = {
    entry.name: (*controls(entry.name), entry.teacher) for entry in SYSTEMS.values() if entry.teacher
} | {"matched": (*controls("matched"), "matched_all")}
"""Systems that say nothing alone: what has to be trained beside each of them."""


def alone(systems: Iterable[str]) -> dict[str, list[str]]:
    """Return the systems that lack some of their `COMPANIONS`, and these."""
    asked = set(systems)
    lacking = {
        name: [other for other in COMPANIONS[name] if other not in asked]
        for name in COMPANIONS
        if name in asked
    }
    return {name: others for name, others in lacking.items() if others}


def in_order(systems: Iterable[str]) -> list[str]:
    """Return the systems among `systems`, each once, in the order of the table."""
    found = set(systems)
    return [name for name in SYSTEMS if name in found]
