"""A corpus behind a URL: registered and extracted as the same corpus in a folder."""

from __future__ import annotations

import csv
import hashlib
import http.server
import io
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from pipeline.corpora.feature_files import read_feature_files
from pipeline.corpora.hashes import file_stat
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.features.audio.functionals import extract
from pipeline.features.audio.sound import read_sound
from pipeline.features.imported.table_columns import Choice
from pipeline.features.imported.table_rows import open_table
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.opening import MediaError
from pipeline.location import Location, RemoteError, RemotePath, _listing, as_location
from pipeline.params import Audio, Corpus, FeatureFiles, Grid, load_params
from pipeline.paths import Paths
from pipeline.store.digest import sha256_of
from tests import parameters
from tests.conftest import ROOT
from tests.media_fixtures import *  # noqa: F403  (write_video)
from tests.s3 import s3_server

AUDIO = Audio(feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=16000, max_failed_share=0.0)
UTTERANCE = Grid(window=None, hop=None)
NAMES = ("anna", "ben", "cem")


@pytest.fixture(scope="module")
def bucket():
    """Return the URL of a corpus of layout table with three sounds, in a bucket."""
    import boto3

    with s3_server("corpora"):
        client = boto3.client("s3")
        for index, name in enumerate(NAMES):
            client.put_object(Bucket="corpora", Key=f"own/{name}.wav", Body=wav(index))
        client.put_object(Bucket="corpora", Key="own/empty.wav", Body=b"")
        client.put_object(Bucket="corpora", Key="own/recordings.csv", Body=listing().encode())
        client.put_object(Bucket="corpora", Key="own/traces.csv", Body=TRACES.encode())
        yield "s3://corpora/own"


TRACES = "recording,dimension,rater,time,value\nanna,arousal,r1,0.0,0.5\nanna,arousal,r1,1.0,0.25\n"


def wav(seed: int) -> bytes:
    rng, file = np.random.default_rng(seed), io.BytesIO()
    time = np.arange(16000) / 16000
    signal = np.sin(2 * np.pi * 150 * (1 + seed / 5) * time) + 0.1 * rng.normal(size=16000)
    wavfile.write(file, 16000, np.round(signal * 8000).astype(np.int16))
    return file.getvalue()


def listing(*more: str) -> str:
    rows = [f"{name},train,{name},{name}.wav,,happy" for name in NAMES]
    return "\n".join(["recording,partition,speaker,audio,video,emotion", *rows, *more]) + "\n"


def told(root: Location, **changes) -> Corpus:
    """Return the parameters of an own corpus that lies at `root`."""
    own = load_params(parameters.PATH).corpora["own"]
    return own.model_copy(update={"root": root, **changes})


def test_joining_is_as_with_paths():
    root = as_location("s3://bucket/corpus/")
    assert isinstance(root, RemotePath)
    assert str(root / Path("a/b.wav")) == str(root / "a/b.wav") == "s3://bucket/corpus/a/b.wav"
    assert root / Path("/mnt/b.wav") == Path("/mnt/b.wav")
    assert root / "gs://other/b.wav" == RemotePath("gs://other/b.wav")
    assert Path("/checkout") / root == root
    assert Path("data/raw") / as_location("s3://bucket/x.wav") == RemotePath("s3://bucket/x.wav")
    assert as_location("data/raw/x") == Path("data/raw/x")
    assert root.absolute() == root
    assert RemotePath("s3://bucket/x.wav").name == "x.wav"


def test_only_the_layout_table_takes_a_url(params):
    given = params.corpora["demo_clips"].model_dump()
    given |= {"scenarios": ["audio+video"], "root": "s3://bucket/corpus"}
    with pytest.raises(ValueError, match=r"root: s3://bucket/corpus is a URL.* layout omg needs a folder"):
        Corpus.model_validate(given)
    corpus = Corpus.model_validate(given | {"layout": "table"})
    assert corpus.root == RemotePath("s3://bucket/corpus")
    assert params.corpora["demo_clips"].root == Path("data/raw/demo_clips")


def test_local_corpora_never_import_fsspec():
    modules = "pipeline.features.media.opening, pipeline.corpora.register"
    code = f"import sys, {modules}; sys.exit('fsspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_feature_tables_behind_a_url_are_those_of_a_folder(bucket, tmp_path):
    import boto3

    text = "recording,f,g\nanna,1,2.5\nben,,3\n"
    client = boto3.client("s3")
    for key in ("text.csv", "tables/a.csv"):
        client.put_object(Bucket="corpora", Key=f"own/{key}", Body=text.encode())
    _listing.cache_clear()
    features = {
        name: FeatureFiles(path=path, statistics=(), max_failed_share=0.0)
        for name, path in (("text", "text.csv"), ("more", "tables"))
    }
    paths = Paths("own", tmp_path)
    register(told(as_location(bucket), features=features), paths, tmp_path / "hashes.json")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    assert read_feature_files(paths.feature_files) == [
        ("more", "", "", "tables/a.csv", sha256),
        ("text", "", "", "text.csv", sha256),
    ]
    found = {name: rows() for name, rows in open_table(as_location(bucket) / "tables/a.csv").recordings()}
    np.testing.assert_array_equal(found["anna"].values, [[1, 2.5]])
    np.testing.assert_array_equal(found["ben"].values, [[np.nan, 3]])
    with pytest.raises(RemoteError, match="a folder behind http cannot be listed; name a file"):
        RemotePath("https://x.org/tables").iterdir()
    assert RemotePath(f"{bucket}/nowhere").iterdir() == []


def test_register_hashes_remote_media_once(bucket, tmp_path):
    import boto3

    def run():
        _listing.cache_clear()
        return register(told(as_location(bucket)), Paths("own", tmp_path), tmp_path / "hashes.json")

    local = tmp_path / "folder"
    local.mkdir()
    for index, name in enumerate(NAMES):
        (local / f"{name}.wav").write_bytes(wav(index))
    (local / "recordings.csv").write_text(listing())
    (local / "traces.csv").write_text(TRACES)
    register(told(local), Paths("folder", tmp_path), tmp_path / "other.json")

    first = run()
    assert (first.recordings, first.added, first.hashed, first.problems) == (3, 3, 3, 0)
    layouts = [Paths(name, tmp_path) for name in ("own", "folder")]
    assert layouts[0].manifest.read_bytes() == layouts[1].manifest.read_bytes()
    for name in ("traces.parquet", "classes.json"):
        assert (layouts[0].traces / name).read_bytes() == (layouts[1].traces / name).read_bytes()
    again = run()
    assert (again.hashed, again.changed, again.manifest_written, again.traces_written) == (0, 0, False, False)
    client = boto3.client("s3")
    client.put_object(Bucket="corpora", Key="own/ben.wav", Body=wav(7))
    changed = run()
    assert (changed.hashed, changed.changed) == (1, 1)
    client.put_object(Bucket="corpora", Key="own/ben.wav", Body=wav(1))


def test_a_cell_may_be_a_url_of_its_own(bucket, tmp_path):
    local = tmp_path / "corpus"
    local.mkdir()
    (local / "recordings.csv").write_text(listing(f"far,dev,dora,{bucket}/anna.wav,,sad"))
    for index, name in enumerate(NAMES):
        (local / f"{name}.wav").write_bytes(wav(index))
    paths = Paths("c", tmp_path)
    register(told(local), paths, tmp_path / "hashes.json")
    with paths.manifest.open(newline="") as file:
        rows = {row["recording"]: row for row in csv.DictReader(file)}
    assert rows["far"]["audio"] == f"{bucket}/anna.wav"
    assert rows["far"]["audio_sha256"] == rows["anna"]["audio_sha256"] != ""
    read = {item.recording: item.medium("audio") for item in read_manifest(paths.manifest)}
    assert read["far"] == RemotePath(f"{bucket}/anna.wav")
    assert read["anna"] == Path("anna.wav")


def test_functionals_of_a_remote_sound_are_those_of_the_file(bucket, tmp_path):
    (tmp_path / "anna.wav").write_bytes(wav(0))
    near = extract(tmp_path / "anna.wav", AUDIO, UTTERANCE)
    far = extract(as_location(bucket) / "anna.wav", AUDIO, UTTERANCE)
    assert far.values.shape == (1, 88)
    assert far.sha256() == near.sha256()
    assert sha256_of(as_location(f"{bucket}/anna.wav")) == sha256_of(tmp_path / "anna.wav")


def test_pictures_of_a_remote_video_are_those_of_the_file(bucket, write_video):
    import boto3

    path = write_video([10, 90, 200, 30], [0.0, 0.5, 1.0, 1.5])
    boto3.client("s3").put_object(Bucket="corpora", Key="films/video.mp4", Body=path.read_bytes())
    _listing.cache_clear()
    far = list(FramesOnGrid(RemotePath("s3://corpora/films/video.mp4"), 2.0))
    near = list(FramesOnGrid(path, 2.0))
    assert [f.ticks for f in far] == [f.ticks for f in near]
    assert all((a.image == b.image).all() for a, b in zip(far, near, strict=True))


def test_remote_media_that_are_missing_empty_or_no_media_are_data(bucket):
    for name, reason in (
        ("nobody.wav", "no such file"),
        ("empty.wav", "is empty"),
        ("traces.csv", "decoded"),
    ):
        with pytest.raises(MediaError, match=rf"s3://corpora/own/{name}: .*{reason}"):
            read_sound(RemotePath(f"{bucket}/{name}"), 16000)
    assert file_stat(RemotePath(f"{bucket}/nobody.wav")) is None


def test_what_cannot_be_asked_is_an_error_not_a_missing_file():
    with pytest.raises(
        RemoteError,
        match=r"nowhere://bucket/own.*: the protocol 'nowhere' is not read, expected one of s3",
    ):
        RemotePath("nowhere://bucket/own/anna.wav").is_file()


class Redirecting(http.server.BaseHTTPRequestHandler):
    """Sends /there/<address> on to that address, and answers /x.csv."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path.startswith("/there/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/there/"))
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"abc")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    """Return the address of a server on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_addresses_of_this_machine_are_read_where_the_environment_names_them(server, monkeypatch):
    url = RemotePath(f"http://{server}/x.csv")
    for ask in (url.open, url.info, url.is_file, url.stamp):
        with pytest.raises(RemoteError, match=r"address of this machine or its network.* EMOBED_URL_HOSTS="):
            ask()
    for allowed in (server, "localhost, 127.0.0.1"):
        monkeypatch.setenv("EMOBED_URL_HOSTS", allowed)
        with url.open("rb") as file:
            assert file.read() == b"abc"
        assert url.is_file()


def test_where_a_server_sends_on_to_is_looked_at_too(server, monkeypatch):
    monkeypatch.setenv("EMOBED_URL_HOSTS", server)
    with RemotePath(f"http://{server}/there/http://{server}/x.csv").open("rb") as file:
        assert file.read() == b"abc"
    for target in ("http://169.254.169.254/latest", f"http://127.0.0.2:{server[10:]}/x.csv"):
        url = RemotePath(f"http://{server}/there/{target}")
        for ask in (lambda url=url: url.open("rb").read(), url.is_file):
            with pytest.raises(RemoteError, match="an address of this machine or its network"):
                ask()


@pytest.mark.parametrize("root", ["file:///etc", "http://169.254.169.254/x", "ftp://x.org/y"])
def test_a_root_that_is_not_read_is_one_sentence(root, tmp_path):
    with pytest.raises(RemoteError, match=r"is not read|an address of this machine"):
        register(told(as_location(root)), Paths("own", tmp_path), tmp_path / "hashes.json")


def test_features_that_are_here_need_no_server():
    files = FeatureFiles(path="text.csv", exclude=("a",))
    corpus = told(as_location("http://127.0.0.1/own"), features={"text": files})
    assert Choice.of(corpus, "text", corpus.root) == (("a",), (), (), "features.text")
    with pytest.raises(RemoteError):
        Choice.of(corpus, "text", corpus.root, asked=True)
