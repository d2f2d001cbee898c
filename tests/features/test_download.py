import hashlib
import http.server
import threading
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.tools.vgg_weights.download import DownloadError, Source, _Redirects, download
from stages.commands.weights import weights_app

CONTENT = np.random.default_rng(0).integers(0, 255, 300_000, np.uint8).tobytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextmanager
def serving(content=CONTENT, breaks=(), ranges=True, tag='"v1"', status=None, length=True, to=None):
    """Serve one file; the n-th answer breaks off after breaks[n] bytes. Gives address and requests.

    to: where a status 302 sends.
    """
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            number = len(requests)
            asked = self.headers.get("Range")
            requests.append(asked)
            if status is not None and number < len(status) and status[number] != 200:
                if to is not None:
                    self.send_response(status[number])
                    self.send_header("Location", to)
                    self.end_headers()
                else:
                    self.send_error(status[number])
                return
            start = 0
            if asked and ranges and self.headers.get("If-Range") in (None, tag):
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            body = content[start:]
            if length:
                self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", tag)
            self.end_headers()
            self.wfile.write(body[: breaks[number]] if number < len(breaks) else body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/vgg_face.h5", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(url, target, attempts=5, **expected):
    return download(Source(url, **expected), target, attempts, sleep=lambda seconds: None)


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_connection_that_breaks_off_is_continued(tmp_path):
    with serving(breaks=(100_000, 50_000)) as (url, requests):
        assert fetch(url, tmp_path / "f", sha256=SHA256.upper(), length=len(CONTENT)) == SHA256
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert requests == [None, "bytes=100000-", "bytes=150000-"]
    assert left(tmp_path) == ["f"]


def test_a_later_call_goes_on_where_the_last_one_gave_up(tmp_path):
    with serving(breaks=(1000, 0, 0)) as (url, requests):
        with pytest.raises(DownloadError, match=r"broke off; 1,000 bytes are kept in .*\.f\.part"):
            fetch(url, tmp_path / "f", attempts=2)
        assert not (tmp_path / "f").exists()
        assert fetch(url, tmp_path / "f") == SHA256
    assert requests[-1] == "bytes=1000-"


def test_a_server_that_ignores_ranges_sends_all_again(tmp_path):
    with serving(breaks=(100_000,), ranges=False) as (url, requests):
        assert fetch(url, tmp_path / "f") == SHA256
    assert requests == [None, "bytes=100000-"]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_part_of_another_version_is_not_continued(tmp_path):
    with serving(content=b"old" * 100_000, breaks=(1000, 0), tag='"v0"') as (url, _):
        with pytest.raises(DownloadError):
            fetch(url, tmp_path / "f", attempts=1)
        port = url
    notes = tmp_path / ".f.part.json"
    with serving() as (url, _):
        notes.write_text(notes.read_text().replace(port, url))  # as if the same server had a new version
        assert fetch(url, tmp_path / "f") == SHA256
    (tmp_path / ".g.part").write_bytes(b"of nobody knows what")
    with serving() as (url, requests):
        assert fetch(url, tmp_path / "g") == SHA256
    assert requests == [None]


def test_a_server_without_lengths_is_checked_by_the_length_given(tmp_path):
    with serving(breaks=(5000,), length=False) as (url, _):
        assert fetch(url, tmp_path / "f", length=len(CONTENT)) == SHA256


def test_a_wrong_hash_or_length_leaves_no_file(tmp_path):
    with serving() as (url, requests):
        with pytest.raises(
            DownloadError, match=rf"its sha256 is {SHA256}, expected {'0' * 64}; the part is del"
        ):
            fetch(url, tmp_path / "f", sha256="0" * 64)
        with pytest.raises(DownloadError, match="300,000 bytes long, expected 299,999"):
            fetch(url, tmp_path / "f", length=299_999)
    assert left(tmp_path) == []
    assert len(requests) == 2


def test_a_file_that_is_there_is_kept_if_it_fits(tmp_path):
    (tmp_path / "f").write_bytes(CONTENT)
    with serving() as (url, requests):
        assert fetch(url, tmp_path / "f", sha256=SHA256) == SHA256
        with pytest.raises(DownloadError, match="delete or rename it"):
            fetch(url, tmp_path / "f", sha256="0" * 64)
    assert requests == []
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_refusals(tmp_path):
    with serving(status=[404]) as (url, requests):
        with pytest.raises(DownloadError, match="the server answered 404 Not Found"):
            fetch(url, tmp_path / "f")
        assert requests == [None]
    with serving(status=[503, 503]) as (url, requests):
        assert fetch(url, tmp_path / "f") == SHA256  # a busy server is asked again
        assert len(requests) == 3
    with pytest.raises(DownloadError, match="expected an address that starts with https"):
        fetch("file:///etc/hostname", tmp_path / "g")
    with pytest.raises(DownloadError, match="Connection refused"):
        fetch("http://127.0.0.1:9/f", tmp_path / "g", attempts=2)


def test_the_command_names_the_file_after_the_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serving() as (url, _):
        result = CliRunner().invoke(weights_app, ["fetch", "--url", url])
        assert result.exit_code == 0, result.output
        assert f"data/weights/vgg_face.h5: 300,000 bytes, sha256 {SHA256}" in result.output
        assert "was not checked" in result.output
        wrong = CliRunner().invoke(
            weights_app, ["fetch", "--url", url, "--sha256", "ab", "--bytes", "300000"]
        )
    assert wrong.exit_code == 1
    assert "expected ab" in wrong.output


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.org/x", "http://169.254.169.254/meta"]
)
def test_a_server_cannot_send_on_to_what_only_this_machine_reaches(target, monkeypatch):
    """As if the first server were a public one."""
    request = urllib.request.Request("https://example.org/vgg_face.h5")
    known = {"169.254.169.254": ("169.254.169.254",)}
    monkeypatch.setattr("pipeline.location._addresses", lambda host: known.get(host, ("93.184.215.14",)))
    with pytest.raises(DownloadError, match=rf"https://example\.org/vgg_face\.h5 sends on to {target}"):
        _Redirects().redirect_request(request, None, 302, "Found", {}, target)
    onward = _Redirects().redirect_request(request, None, 302, "Found", {}, "https://example.net/file")
    assert onward.full_url == "https://example.net/file"


def test_a_server_of_this_network_may_send_on_within_it(tmp_path):
    with serving() as (address, _), serving(content=b"", status=[302], to=address) as (first, _):
        assert download(Source(first), tmp_path / "file") == SHA256
