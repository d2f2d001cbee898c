import hashlib
import http.server
import threading
from contextlib import contextmanager

import numpy as np
import pytest
import requests
from typer.testing import CliRunner

from pipeline.tools.vgg_weights.download import ATTEMPTS, DownloadError, download, look_at
from stages.commands.weights import weights_app

CONTENT = np.random.default_rng(0).integers(0, 255, 300_000, np.uint8).tobytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextmanager
def serving(content=CONTENT, breaks=(), status=(), to=None):
    """Serve one file; the n-th answer breaks off after breaks[n] bytes. Gives address and requests.

    status: of the first answers, 200 later. to: where a status 302 sends.
    """
    requested = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            number = len(requested)
            requested.append(self.path)
            if number < len(status) and to is not None:
                self.send_response(status[number])
                self.send_header("Location", to)
                self.end_headers()
                return
            if number < len(status):
                self.send_error(status[number])
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: breaks[number]] if number < len(breaks) else content)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/vgg_face.h5", requested
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(url, target, sha256=None):
    return download(url, target, sha256, pause=lambda seconds: None)


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_connection_that_breaks_off_is_tried_again(tmp_path):
    with serving(breaks=(100_000, 50_000)) as (url, requested):
        assert fetch(url, tmp_path / "f", SHA256.upper()) == SHA256
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert len(requested) == 3
    assert left(tmp_path) == ["f"]


def test_a_server_that_breaks_off_again_and_again_leaves_no_file(tmp_path):
    with serving(breaks=(1000,) * 9) as (url, requested), pytest.raises(DownloadError, match=url):
        fetch(url, tmp_path / "f")
    assert len(requested) == ATTEMPTS
    assert left(tmp_path) == []


def test_a_wrong_hash_leaves_no_file(tmp_path):
    with (
        serving() as (url, requested),
        pytest.raises(DownloadError, match=rf"expected sha256:{'0' * 64} but got {SHA256}"),
    ):
        fetch(url, tmp_path / "f", "0" * 64)
    assert left(tmp_path) == []
    assert len(requested) == 1


def test_a_file_that_is_there_is_kept_if_it_fits(tmp_path):
    (tmp_path / "f").write_bytes(CONTENT)
    with serving() as (url, requested):
        assert fetch(url, tmp_path / "f", SHA256) == SHA256
        with pytest.raises(DownloadError, match="delete or rename it"):
            fetch(url, tmp_path / "f", "0" * 64)
    assert requested == []
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_refusals(tmp_path):
    with serving(status=[404]) as (url, requested):
        with pytest.raises(DownloadError, match="the server answered 404 Not Found"):
            fetch(url, tmp_path / "f")
        assert len(requested) == 1
    with serving(status=[503, 503]) as (url, requested):
        assert fetch(url, tmp_path / "f") == SHA256  # a busy server is asked again
        assert len(requested) == 3
    with pytest.raises(DownloadError, match="expected an address that starts with https"):
        fetch("file:///etc/hostname", tmp_path / "g")
    with pytest.raises(DownloadError, match="Connection refused"):
        fetch("http://127.0.0.1:9/f", tmp_path / "g")
    with pytest.raises(DownloadError, match=r"http://: "):
        fetch("http://", tmp_path / "g")


def test_the_command_names_the_file_after_the_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serving() as (url, _):
        result = CliRunner().invoke(weights_app, ["fetch", "--url", url])
        assert result.exit_code == 0, result.output
        assert f"data/weights/vgg_face.h5: 300,000 bytes, sha256 {SHA256}" in result.output
        assert "was not checked" in result.output
        wrong = CliRunner().invoke(weights_app, ["fetch", "--url", url, "--sha256", "ab"])
    assert wrong.exit_code == 1
    assert "expected ab" in wrong.output


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.org/x", "http://169.254.169.254/meta"]
)
def test_a_server_cannot_send_on_to_what_only_this_machine_reaches(target, monkeypatch):
    """As if the first server were a public one."""
    known = {"169.254.169.254": ("169.254.169.254",)}
    monkeypatch.setattr("pipeline.location._addresses", lambda host: known.get(host, ("93.184.215.14",)))
    answer = requests.Response()
    answer.status_code, answer.url = 302, "https://example.org/vgg_face.h5"
    answer.headers["Location"] = "https://example.net/file"
    look_at(answer)
    answer.headers["Location"] = target
    with pytest.raises(DownloadError, match=rf"https://example\.org/vgg_face\.h5 sends on to {target}"):
        look_at(answer)


def test_a_server_of_this_network_may_send_on_within_it(tmp_path):
    with serving() as (address, _), serving(content=b"", status=[302], to=address) as (first, _):
        assert download(first, tmp_path / "file") == SHA256


def test_every_server_on_the_way_is_looked_at(tmp_path):
    with (
        serving(status=[302], to="file:///etc/passwd") as (second, _),
        serving(status=[302], to=second) as (first, _),
        pytest.raises(DownloadError, match=rf"{second} sends on to file:///etc/passwd: the protocol 'file'"),
    ):
        fetch(first, tmp_path / "file")
    assert left(tmp_path) == []
