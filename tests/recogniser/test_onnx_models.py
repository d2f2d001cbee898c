"""ONNX files in onnxruntime against the models that they were made of, for every system of the table."""

import dataclasses

import numpy as np
import onnx
import onnxruntime
import pytest

from pipeline.catalogue.systems import BY_WORDS
from pipeline.catalogue.systems import SYSTEMS as EVERY
from pipeline.learning import temperature
from pipeline.learning.model_file import read_models
from pipeline.learning.onnx_graph import NotPortableError
from pipeline.onnx_graph import Graph
from pipeline.params import Grid
from pipeline.recogniser.choice import Choice
from pipeline.recogniser.export import weights_for_use
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.recogniser.onnx_models import IR, OPSET, write_models
from pipeline.recogniser.onnx_outputs import calibrated
from pipeline.scoring.chain import Chain
from tests.learning.synthetic import clips, learning, sessions
from tests.learning.systems.test_torch_systems import with_second
from tests.learning.test_experiment import run

SIZES = ((4, 1, 1),)
SYSTEMS = [name for name in EVERY if name not in BY_WORDS]
"""Those that learn every task; the others are tested by themselves."""
KINDS = {
    "sessions": (sessions, {}),
    "clips": (clips, {"seeds": [1]}),
    "deep, rank_gauss": (
        sessions,
        {
            "seeds": [3],
            "network": {"encoder_layers": 2, "shared_layers": 2},
            "scaling": {"method": "rank_gauss", "clip": 0.9},
        },
    ),
    "bidirectional": (sessions, {"seeds": [2], "network": {"bidirectional": True}, "scaling": {"clip": 0.7}}),
}
READS_SEQUENCES = ("matched", "matched_apart", "matched_all")
"""Systems that read traces through Transformers, which are not written; their utterances are."""
CHAINS = (Chain(median=5, gain=1.7, offset=0.03, shift=2), Chain(shift=1), Chain(gain=0.5), Chain(median=3))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function from a kind to the corpus and the model file of all systems, trained once."""
    made = {}

    def of(kind):
        if kind not in made:
            make, groups = KINDS[kind]
            folder = tmp_path_factory.mktemp("models")
            corpus = with_second(make(*SIZES), "valence" if make is sessions else "arousal")
            # one recording has no labels, for what learns from such
            corpus = dataclasses.replace(
                corpus, labels=corpus.labels[corpus.labels["recording"] != "train_3"]
            )
            settings = learning(
                f"demo_{make.__name__}",
                systems=list(SYSTEMS),
                optimiser={"epochs": 1, "average_epochs": 1},
                random_forest={"trees": 20, "depth": [5]},
                support_vectors={"C": [0.1]},
                late_fusion={"weight": [0.3]},
                multi_task={"weight": [0.5]},
                taught={"weight": [0.5]},
                matched={"alpha": [0.5], "hidden": 8, "latent": 4},
                **groups,
            )
            regression = make is sessions
            run(corpus, folder, settings, dimension="arousal" if regression else "emotion",
                task="regression" if regression else "classification",
                grid=Grid(window=0.4, hop=0.2) if regression else Grid(window=None, hop=None),
                delay_frames=3 if regression else 0)  # fmt: skip
            made[kind] = (corpus, folder / "models.safetensors")
        return made[kind]

    return of


def loaded(path, system):
    setting = {"classic": None, "joint": "alpha=0.3", "triplet": "beta=0.1"}.get(system)
    if system in ("emobed", "placebo", "same_modality"):
        setting = "alpha=0.3 beta=0.1"
    return ModelsOfSetting.load(path, system, setting)


def session_of(content):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options)


def features(models, frames, corpus):
    """Return made-up features of some frames by modality: missing values, and a row that is not valid."""
    random = np.random.default_rng(frames)
    given, valid = {}, {}
    for modality in models.needed:
        known = np.concatenate([rows.values for rows in getattr(corpus, modality).rows.values()])
        picked = known[random.integers(len(known), size=frames)]
        given[modality] = picked + random.normal(size=picked.shape).astype(np.float32)
        valid[modality] = np.ones(frames, bool)
        if frames > 3:
            given[modality][1, 0] = np.nan
            given[modality][2, 1] = -np.inf
            given[modality][3], valid[modality][3] = 0, False
    return given, valid


def expected(models, given, valid, chains=None):
    one = len(models.needed) == 1
    raw = models.predict(*(own[models.needed[0]] if one else own for own in (given, valid))).astype(float)
    if chains:
        raw = np.stack([chain.apply(own) for chain, own in zip(chains, raw, strict=False)])
    return raw.mean(0)


def feeds(given, valid):
    return given | {f"valid.{modality}": mask for modality, mask in valid.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_file_predicts_as_the_models_of_all_seeds_do(trained, system, kind):
    corpus, path = trained(kind)
    models = loaded(path, system)
    if system in READS_SEQUENCES and kind != "clips":
        with pytest.raises(NotPortableError, match=r"sequences of 20 frames \(learning.matched.span\)"):
            write_models(models, None, {}, step=False)
        return
    content = write_models(models, None, {"a": "1"}, step=False)
    assert content == write_models(models, None, {"a": "1"}, step=False)
    session = session_of(content)
    assert session.get_modelmeta().custom_metadata_map == {"a": "1"}
    found = onnx.load_model_from_string(content)
    assert {own.domain: own.version for own in found.opset_import}.items() <= OPSET.items()
    for frames in (1, 2, 3, 4, 57, 400):
        given, valid = features(models, frames, corpus)
        (output,) = session.run(None, feeds(given, valid))
        assert output.dtype == np.float32
        np.testing.assert_allclose(output, expected(models, given, valid), atol=1e-5, rtol=0)


@pytest.mark.parametrize("system", SYSTEMS)
def test_utterances_of_one_call_know_nothing_of_each_other(trained, system):
    corpus, path = trained("clips")
    models = loaded(path, system)
    session = session_of(write_models(models, None, {}, step=False, utterances=True))
    for utterances in (1, 2, 57):
        given, valid = features(models, utterances, corpus)
        (found,) = session.run(None, feeds(given, valid))
        alone = [
            expected(
                models,
                *({name: own[row : row + 1] for name, own in each.items()} for each in (given, valid)),
            )
            for row in range(utterances)
        ]
        np.testing.assert_allclose(found, np.concatenate(alone), atol=1e-5)
    with pytest.raises(NotPortableError, match=r"each utterance by itself.*without --step"):
        write_models(models, None, {}, step=True, utterances=True)


@pytest.mark.parametrize("system", [name for name in SYSTEMS if EVERY[name].needs == "target"])
def test_what_is_exported_of_a_system_is_enough_for_its_file(trained, system):
    """A recogniser's folder holds less than the models of training: the same file comes of it."""
    _, path = trained("clips")
    models = loaded(path, system)
    setting = models.variants[0].setting
    tensors, about = weights_for_use(*read_models(path), Choice(system, setting, ""))
    kept = ModelsOfSetting.of(path, tensors, about, system, setting)
    assert len(kept.needed) == 1
    assert write_models(kept, None, {}, step=False) == write_models(models, None, {}, step=False)


@pytest.mark.parametrize("system", ["classic", "random_forest", "support_vectors"])
def test_post_processing_of_each_seed_is_in_the_file(trained, system):
    corpus, path = trained("sessions")
    models = loaded(path, system)
    for chains in (CHAINS[:2], CHAINS[2:]):
        session = session_of(write_models(models, chains, {}, step=False))
        for frames in (1, 2, 5, 90):
            given, valid = features(models, frames, corpus)
            (output,) = session.run(None, feeds(given, valid))
            np.testing.assert_allclose(output, expected(models, given, valid, chains), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("system", "kind"),
    [
        (system, kind)
        for system in SYSTEMS
        for kind in ("sessions", "clips", "deep, rank_gauss")
        if kind == "clips" or system not in READS_SEQUENCES
    ],
)
def test_steps_of_any_length_give_what_the_whole_gives(trained, system, kind):
    corpus, path = trained(kind)
    models = loaded(path, system)
    # what looks ahead is left out of steps
    chains = [dataclasses.replace(own, median=1) for own in CHAINS[:2]] if kind == "sessions" else None
    whole = session_of(write_models(models, chains, {}, step=False))
    step = session_of(write_models(models, CHAINS[:2] if chains else None, {}, step=True))
    given, valid = features(models, 60, corpus)
    for lengths in ((1,) * 60, (1, 2, 3, 4, 50), (60,)):
        (shape,) = (own.shape for own in step.get_inputs() if own.name == "state")
        state, outputs, at = np.zeros(shape, np.float32), [], 0
        for length in lengths:
            part = {name: own[at : at + length] for name, own in feeds(given, valid).items()}
            output, state = step.run(None, part | {"state": state})
            outputs.append(output)
            at += length
        (expected_,) = whole.run(None, feeds(given, valid))
        np.testing.assert_allclose(np.concatenate(outputs), expected_, atol=1e-5, rtol=0)


def test_a_network_that_also_reads_backwards_has_no_steps(trained):
    _, path = trained("bidirectional")
    with pytest.raises(NotPortableError, match=r"bidirectional.*backwards from its end.*without --step"):
        write_models(loaded(path, "classic"), None, {}, step=True)


def test_a_system_that_cannot_be_written_is_one_sentence(trained):
    class Unknown:
        def predict(self, views): ...

    models = dataclasses.replace(loaded(trained("sessions")[1], "classic"), predictor=Unknown())
    with pytest.raises(NotPortableError, match=r"classic cannot be written as ONNX.*no `to_onnx`"):
        write_models(models, None, {}, step=False)


def test_probabilities_are_calibrated_as_by_the_pipeline():
    graph = Graph()
    given = graph.input("p", onnx.TensorProto.FLOAT, ["frames", 4])
    graph.output("calibrated", calibrated(graph, given, 2.5), ["frames", 4])
    session = session_of(graph.model(OPSET, IR, {}, "calibration"))
    known = np.random.default_rng(0).dirichlet(np.full(4, 0.3), size=50).astype(np.float32)
    known[0] = [0, 0, 1, 0]  # as a forest may say
    (found,) = session.run(None, {"p": known})
    np.testing.assert_allclose(found, temperature.calibrated(known, 2.5), atol=1e-6)
    assert np.abs(found - known).max() > 0.1
