"""What the server takes and says, what it refuses, and that nothing is left of what was sent."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pipeline.serving.app import application
from pipeline.serving.limits import Limits
from pipeline.serving.predictions import PredictionError
from tests.serving.asking import BASE, SOCKET, client
from tests.serving.made_up import MadeUp

pytestmark = pytest.mark.usefixtures("nothing_left")


def send(asked: TestClient, content: bytes = b"sound", name: str = "a.wav", **options) -> httpx.Response:
    return asked.post("/predict", files={"file": (name, content)}, **options)


def test_a_file_is_predicted_and_gone():
    served = MadeUp()
    answer = send(client(served), b"RIFF....", "über mich.WAV")
    assert answer.status_code == 200
    said = answer.json()
    assert said["file"] == "über mich.WAV"
    assert "Article 50(3)" in said["notice"]
    arousal, emotion = said["predictions"]
    assert (len(arousal["rows"]), arousal["error"], arousal["out_of_domain"]) == (31, None, 0.034)
    assert arousal["rows"][1].keys() == {"start", "end", "arousal", "arousal.low", "arousal.high", "valid"}
    assert emotion["rows"][0]["emotion"] == "joy"
    ((path, content),) = served.seen
    assert (path.name, content) == ("recording.wav", b"RIFF....")
    assert not path.exists()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.mp4", ".mp4"),
        ("../../etc/passwd", ""),
        ("a.wav/../../x", ""),
        ("a.py", ""),
        ("..", ""),
        ("a\r\nX-B: c.flac", ".flac"),
    ],
)
def test_names_lead_nowhere(name, ending):
    served = MadeUp()
    assert send(client(served), name=name).status_code == 200
    assert served.seen[0][0].name == f"recording{ending}"


@pytest.mark.parametrize("error", [PredictionError("took longer than 1 s"), RuntimeError("a fault of ours")])
def test_nothing_is_left_after_an_error(error):
    served = MadeUp(error=error)
    asked = TestClient(application(served, Limits(), "1.2"), base_url=BASE, raise_server_exceptions=False)
    answer = send(asked)
    if isinstance(error, PredictionError):
        assert (answer.status_code, answer.json()) == (422, {"detail": "a.wav: took longer than 1 s"})
    else:
        assert answer.status_code == 500
        assert "fault" not in answer.text
    assert not served.seen[0][0].parent.exists()
    served.error = None
    assert send(asked).status_code == 200  # its place is free again


def test_a_file_that_no_recogniser_can_predict_is_said_once():
    answer = send(client(MadeUp(fails=("not media",))))
    assert (answer.status_code, answer.json()) == (422, {"detail": "a.wav: not media"})


def test_what_is_too_large_is_refused_whether_its_size_is_stated_or_not():
    served = MadeUp()
    asked = client(served, Limits(size=20_000))
    assert send(asked, bytes(20_000)).status_code == 200
    stated = send(asked, bytes(40_000))
    assert (stated.status_code, stated.json()["detail"]) == (
        413,
        "more than 0.02 MB, which this server takes at most",
    )
    body = form(bytes(40_000))
    pieces = (body[i : i + 1000] for i in range(0, len(body), 1000))
    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert asked.post("/predict", content=pieces, headers=kind).status_code == 413
    assert len(served.seen) == 1


def form(content: bytes, field: str = "file") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a.wav"\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


def test_a_form_is_one_however_its_kind_is_written():
    served = MadeUp()
    kind = {"content-type": "Multipart/Form-Data; boundary=x"}
    assert client(served).post("/predict", content=form(b"a"), headers=kind).status_code == 200
    assert len(served.seen) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("audio/wav", b"RIFF"),
        ("multipart/form-data", form(b"")),
        ("multipart/form-data; boundary=x", b"no form"),
        ("multipart/form-data; boundary=x", form(b"", "other")),
        ("multipart/form-data; boundary=x", form(b"a")[:-9] + b"\r\n" + form(b"b")),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--x--',
        ),
        ("application/json", b"{}"),
    ],
)
def test_what_is_no_form_with_one_file_is_refused(kind, body):
    served = MadeUp()
    answer = client(served).post("/predict", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert "form" in answer.json()["detail"] or "Too many" in answer.json()["detail"]
    assert served.seen == []


def test_an_upload_that_does_not_arrive_gives_its_place_back():
    asked = application(MadeUp(), Limits(time=0.2, sessions=1), "1.2")

    async def slowly():
        yield form(b"x" * 100)[:80]
        await asyncio.sleep(2)

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(asked)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as one:
            kind = {"content-type": "multipart/form-data; boundary=x"}
            slow = await one.post("/predict", content=slowly(), headers=kind)
            quick = await one.post("/predict", content=form(b"x"), headers=kind)
            return [slow.status_code, quick.status_code]

    assert asyncio.run(ask()) == [408, 200]


def test_who_comes_while_all_places_are_taken_is_told_so():
    served = MadeUp(wait=threading.Event())
    asked = client(served, Limits(sessions=1))
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(send(asked)))
    with asked:
        thread.start()
        deadline = time.monotonic() + 20
        while not served.seen and time.monotonic() < deadline:
            time.sleep(0.01)
        second = send(asked)
        served.wait.set()
        thread.join()
        assert (second.status_code, second.headers["retry-after"]) == (503, "5")
        assert answers[0].status_code == 200
        assert send(asked).status_code == 200


@pytest.mark.parametrize(
    ("host", "origin", "code"),
    [
        ("127.0.0.1:8010", None, 200),
        ("localhost:8010", "http://localhost:8010", 200),
        ("LOCALHOST.:8010", "http://localhost:8010", 200),
        ("[::1]:8010", "http://[::1]:8010", 200),
        ("emotions.example.org", "https://emotions.example.org", 200),
        ("emotions.example.org:443", "https://emotions.example.org", 200),
        ("rebound.example.com:8010", None, 403),
        ("rebound.example.com:8010", "http://rebound.example.com:8010", 403),
        ("localhost.example.com", None, 403),
        ("127.0.0.1.example.com", None, 403),
        ("localhost@example.com", None, 403),
        ("localhost:x", None, 403),
        ("", None, 403),
        ("127.0.0.1:8010", "http://example.com", 403),
        ("127.0.0.1:8010", "http://127.0.0.1:9000", 403),
        ("127.0.0.1:8010", "http://localhost:8010", 403),
        ("127.0.0.1:8010", "null", 403),
        ("127.0.0.1:8010", "file://", 403),
        ("127.0.0.1:8010", "http://127.0.0.1:8010.example.com", 403),
        ("127.0.0.1:8010", "http://127.0.0.1:99999", 403),
    ],
)
def test_other_names_and_other_sites_pages_are_refused(host, origin, code):
    served = MadeUp()
    asked = client(served, names=("emotions.example.org",))
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    assert send(asked, headers=headers).status_code == code
    assert asked.get("/", headers=headers).status_code == code
    assert len(served.seen) == (code == 200)
    if code == 403:
        with (
            pytest.raises(WebSocketDisconnect),
            asked.websocket_connect(f"{SOCKET}/live?rate=8000", headers=headers),
        ):
            pass
        assert served.streams == []


def test_every_answer_forbids_to_load_frame_or_keep_anything():
    asked = client(MadeUp())
    answers = [asked.get("/"), asked.get("/none"), asked.get("/about"), send(asked), asked.get("/predict")]
    answers.append(asked.get("/", headers={"host": "example.com"}))
    assert [answer.status_code for answer in answers] == [200, 404, 200, 200, 405, 403]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_it_says_what_it_is_and_loads_no_description_from_elsewhere():
    asked = client(MadeUp(), Limits(size=5))
    about = asked.get("/about").json()
    assert [one["name"] for one in about["recognisers"]] == ["audio+video.arousal", "video+audio.emotion"]
    assert (about["version"], about["max_bytes"]) == ("1.2", 5)
    described = asked.get("/openapi.json").json()
    assert set(described["paths"]) == {"/about", "/predict"}
    predict = described["paths"]["/predict"]["post"]
    assert "multipart/form-data" in predict["requestBody"]["content"]
    assert {"200", "400", "403", "408", "413", "422", "503"} <= set(predict["responses"])
    assert [asked.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]


def test_the_page_and_all_that_it_loads_is_here():
    asked = client(MadeUp())
    texts = {"": asked.get("/").text}
    for name in ("style.css", "page.js", "curves.js", "sound.js", "capture.js", "icon.svg"):
        answer = asked.get(f"/{name}")
        assert answer.status_code == 200
        texts[name] = answer.text
    for name, text in texts.items():
        addresses = [word for word in text.split() if "://" in word or "src=//" in word]
        assert not [word for word in addresses if "www.w3.org" not in word], name
    assert "style=" not in texts[""]  # the policy would not let it
    assert "onclick" not in texts[""]


def test_what_is_logged_names_nobody(caplog):
    caplog.set_level("INFO")
    send(client(MadeUp()), b"12345", "Anna Schmidt.wav")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "pipeline.serving.app"]
    assert line.startswith("file: 5 bytes, ")
    assert "Anna" not in caplog.text


def test_no_file_is_kept_where_sending_breaks_off(tmp_path):
    """The folder of temporary files, see above, is empty after a client that goes away."""
    asked = application(MadeUp(), Limits(), "1.2")

    async def broken():
        yield form(bytes(3_000_000))[:2_000_000]  # beyond what is kept in memory
        raise OSError("gone")

    async def ask() -> None:
        transport = httpx.ASGITransport(asked)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as one:
            kind = {"content-type": "multipart/form-data; boundary=x"}
            with pytest.raises(OSError, match="gone"):
                await one.post("/predict", content=broken(), headers=kind)

    asyncio.run(ask())
    assert Path(tempfile.gettempdir()) == tmp_path / "temporary"


def test_a_sender_that_goes_away_is_no_error_of_the_server(caplog):
    """Without an answer that nobody takes the server would log where it was in its own code."""

    async def ask() -> list[str]:
        body = [{"type": "http.request", "body": form(b"x" * 100)[:80], "more_body": True}]
        sent: list[str] = []

        async def receive() -> dict[str, Any]:
            return body.pop() if body else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        headers = [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=x")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/predict",
            "query_string": b"",
            "headers": headers,
        }
        await application(MadeUp(), Limits(), "1.2")(scope, receive, send)
        return sent

    assert asyncio.run(ask())[0] == "http.response.start"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_who_sends_next_to_nothing_does_not_keep_a_place():
    asked = client(MadeUp(), Limits(length=0.3, silence=0.5))
    with asked.websocket_connect(f"{SOCKET}/live?rate=8000") as socket:
        begun = time.monotonic()
        while time.monotonic() - begun < 1.0:
            socket.send_bytes(b"")
            time.sleep(0.02)
        assert socket.receive_json() == {"error": "longer than 0.3 s, the end of a live session"}
