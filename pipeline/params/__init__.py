"""params.yaml -> frozen, validated models; the only reader of that file.

`group`: what groups share. `features`, `labelling`, `learning`, `scoring`, `export`: what stages
track, by room; `systems`, `emotion_words`: what is a single system's own.
`scenario`, `corpus`: a corpus and what is learned from it. `file`: the whole file and how it is read.
"""

from pipeline.params.corpus import Corpus
from pipeline.params.export import BEST_ALONE, Export
from pipeline.params.features import (
    MODALITIES,
    Audio,
    Embedding,
    Faces,
    FeatureFiles,
    Grid,
    Pooling,
    Text,
    Video,
)
from pipeline.params.file import (
    Demo,
    DemoClips,
    DemoSessions,
    Params,
    ParamsError,
    Run,
    Runtime,
    load_params,
)
from pipeline.params.group import Task, is_multiple
from pipeline.params.labelling import ABSENT, Audformat, Labels, Partitions, Source
from pipeline.params.learning import (
    CccOver,
    Learning,
    Network,
    Optimiser,
    Scaling,
    ScalingMethod,
    Subsequences,
    Triplet,
)
from pipeline.params.scenario import Scenario, modality_of, source_of, view_names
from pipeline.params.scoring import EXPORTED, Evaluation, Postprocessing, Report
from pipeline.params.systems import Classic, OwnSetting

__all__ = [
    "ABSENT",
    "BEST_ALONE",
    "EXPORTED",
    "MODALITIES",
    "Audformat",
    "Audio",
    "CccOver",
    "Classic",
    "Corpus",
    "Demo",
    "DemoClips",
    "DemoSessions",
    "Embedding",
    "Evaluation",
    "Export",
    "Faces",
    "FeatureFiles",
    "Grid",
    "Labels",
    "Learning",
    "Network",
    "Optimiser",
    "OwnSetting",
    "Params",
    "ParamsError",
    "Partitions",
    "Pooling",
    "Postprocessing",
    "Report",
    "Run",
    "Runtime",
    "Scaling",
    "ScalingMethod",
    "Scenario",
    "Source",
    "Subsequences",
    "Task",
    "Text",
    "Triplet",
    "Video",
    "is_multiple",
    "load_params",
    "modality_of",
    "source_of",
    "view_names",
]
