"""Sound and pictures as they come: what a session answers, what ends it, and that its place is free again."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from starlette.websockets import WebSocketDisconnect

from pipeline.features.media.opening import MediaError
from pipeline.serving.limits import Limits
from tests.serving.asking import SOCKET, client
from tests.serving.made_up import MadeUp

pytestmark = pytest.mark.usefixtures("nothing_left")


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_sound_is_predicted_as_it_comes():
    served = MadeUp()
    with client(served).websocket_connect(f"{SOCKET}/live?rate=8000") as socket:
        socket.send_bytes(np.full(4000, 2.0, "<f4").tobytes())
        assert [row["start"] for row in socket.receive_json()["predictions"][0]["rows"]] == [0.0, 0.2]
        socket.send_bytes(np.zeros(100, "<f4").tobytes())  # no row is finished: nothing is said
        socket.send_text("end")
        assert [row["start"] for row in socket.receive_json()["predictions"][0]["rows"]] == [0.4]
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1000
    (stream,) = served.streams
    until(lambda: stream.closed)
    np.testing.assert_array_equal(stream.heard[0], np.ones(4000))  # no louder than sound can be


@pytest.mark.parametrize(
    ("address", "message", "said"),
    [
        ("/live", None, "rate: expected the samples per second"),
        ("/live?rate=1", None, "rate: expected"),
        ("/live?rate=1e5", None, "rate: expected"),
        ("/live?rate=٣٢٠٠٠", None, "rate: expected"),
        (f"/live?rate={'9' * 5000}", None, "rate: expected"),
        ("/live?rate=8000", b"abc", "expected samples as float32"),
        ("/live?rate=8000", "what", "expected samples as float32"),
        ("/live?pictures=no", None, "rate: expected"),
        ("/live?pictures=yes&rate=1", None, "rate: expected"),
        ("/live?pictures=yes", np.zeros(9, "<f4").tobytes(), "found sound, expected pictures alone"),
        ("/live?pictures=yes", "what", 'expected {"picture": 1.25}, the time of a JPEG'),
        ("/live?pictures=yes", '{"picture": true}', "the time of a JPEG"),
        ("/live?pictures=yes", '{"picture": -1}', "the time of a JPEG"),
        ("/live?pictures=yes", '{"picture": NaN}', "the time of a JPEG"),
        ("/live?pictures=yes", '{"picture": 1e999}', "the time of a JPEG"),
        ("/live?pictures=yes", "[" * 100_000, "the time of a JPEG"),
        ("/live?rate=8000", np.array([np.nan], "<f4").tobytes(), "expected finite samples"),
    ],
)
def test_what_is_no_sound_ends_a_session_with_a_sentence(address, message, said):
    served = MadeUp()
    with client(served).websocket_connect(SOCKET + address) as socket:
        if isinstance(message, bytes):
            socket.send_bytes(message)
        elif message:
            socket.send_text(message)
        assert said in socket.receive_json()["error"]
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1003
    until(lambda: all(stream.closed for stream in served.streams))


def test_a_session_ends_with_its_length_with_silence_and_with_what_cannot_be_predicted():
    asked = client(MadeUp(), Limits(length=1.0, silence=0.2))
    with asked.websocket_connect(f"{SOCKET}/live?rate=8000") as socket:
        socket.send_bytes(np.zeros(8001, "<f4").tobytes())
        assert len(socket.receive_json()["predictions"][0]["rows"]) == 5
        assert socket.receive_json() == {"error": "longer than 1 s, the end of a live session"}
    with asked.websocket_connect(f"{SOCKET}/live?rate=8000") as socket:
        assert socket.receive_json() == {"error": "nothing came for 0.2 s"}
    served = MadeUp(error=MediaError("the stream: 0.10 s long, shorter than a window"))
    with client(served).websocket_connect(f"{SOCKET}/live?rate=8000") as socket:
        socket.send_bytes(np.zeros(8, "<f4").tobytes())
        assert "shorter than a window" in socket.receive_json()["error"]
    until(lambda: served.streams[0].closed)


def jpeg(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 40)) -> bytes:
    into = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(into, "JPEG", quality=95)
    return into.getvalue()


def test_pictures_are_predicted_as_they_come_and_each_is_answered():
    served = MadeUp()
    with client(served).websocket_connect(f"{SOCKET}/live?rate=8000&pictures=yes") as socket:
        for time_, size in ((0.0, (8, 4)), (0.25, (16, 4))):
            socket.send_text(json.dumps({"picture": time_}))
            socket.send_bytes(jpeg(*size))
            (said,) = socket.receive_json()["predictions"]
            assert said["rows"][0]["start"] == time_
            assert socket.receive_json() == {"seen": time_}
        socket.send_bytes(np.zeros(1600, "<f4").tobytes())  # sound goes on between them
        assert socket.receive_json()["predictions"][0]["recogniser"] == "audio+video.arousal"
    (stream,) = served.streams
    assert (stream.rate_hz, stream.pictures) == (8000, True)
    assert [(picture.shape, time_) for picture, time_ in stream.seen] == [
        ((4, 8, 3), 0.0),
        ((4, 16, 3), 0.25),
    ]
    assert np.abs(stream.seen[0][0].astype(int) - (200, 30, 40)).max() < 8
    with client(served).websocket_connect(f"{SOCKET}/live?pictures=yes") as socket:
        socket.send_text("end")
        assert socket.receive_json()["predictions"]
    assert served.streams[1].rate_hz is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "expected a JPEG"),
        (b"\xff\xd8\xff no picture", "expected a JPEG"),
        (jpeg(64, 64)[:300], "expected a JPEG"),
        (b"GIF89a" + bytes(20), "expected a JPEG"),
        (jpeg(2000, 1100), "a picture of 2000 x 1100 pixels, expected 2,073,600 at most"),
        # what its head says is what it would take
        (jpeg(8, 8).replace(b"\x08\x00\x08\x00\x08\x03", b"\x08\xff\xff\xff\xff\x03"), "pixels"),
    ],
)
def test_what_is_no_picture_ends_a_session_with_a_sentence(data, said):
    served = MadeUp()
    with client(served).websocket_connect(f"{SOCKET}/live?pictures=yes") as socket:
        socket.send_text('{"picture": 0.5}')
        socket.send_bytes(data)
        assert said in socket.receive_json()["error"]
    until(lambda: served.streams[0].closed)
    assert served.streams[0].seen == []


def test_a_picture_that_ends_the_process_that_decodes_it_is_a_sentence(monkeypatch):
    monkeypatch.setattr("pipeline.serving.pictures.decoded", _die)
    with client(MadeUp()).websocket_connect(f"{SOCKET}/live?pictures=yes") as socket:
        socket.send_text('{"picture": 0.5}')
        socket.send_bytes(b"deadly")
        assert "a picture: ended the process that read it" in socket.receive_json()["error"]


def _die(_: bytes) -> None:
    os._exit(3)


def test_more_pictures_than_there_can_be_end_a_session():
    served = MadeUp()
    picture = jpeg(4, 4)
    with client(served).websocket_connect(f"{SOCKET}/live?pictures=yes") as socket:
        for _ in range(61):
            socket.send_text('{"picture": 0.0}')
            socket.send_bytes(picture)
        said = [socket.receive_json() for _ in range(2 * 60)]
        assert said[-1] == {"seen": 0.0}
        assert socket.receive_json() == {"error": "more than 60 pictures per second"}
    assert len(served.streams[0].seen) == 60
    asked = client(MadeUp(), Limits(length=1.0))
    with asked.websocket_connect(f"{SOCKET}/live?pictures=yes") as socket:
        socket.send_text('{"picture": 1.5}')
        socket.send_bytes(picture)
        assert "longer than 1 s" in [socket.receive_json() for _ in range(3)][-1]["error"]


def test_live_sessions_have_places_and_give_them_back_however_they_end():
    served = MadeUp()
    asked = client(served, Limits(sessions=1))
    with asked:
        with asked.websocket_connect(f"{SOCKET}/live?rate=8000"):
            with asked.websocket_connect(f"{SOCKET}/live?rate=8000") as second:
                assert "try again" in second.receive_json()["error"]
                with pytest.raises(WebSocketDisconnect) as closed:
                    second.receive_json()
            assert closed.value.code == 1013
        # the first went away in the middle
        until(lambda: served.streams[0].closed)
        with asked.websocket_connect(f"{SOCKET}/live?rate=8000") as third:
            third.send_text("end")
            assert third.receive_json()["predictions"]
