"""A client of a server with made-up recognisers."""

from __future__ import annotations

from starlette.testclient import TestClient

from pipeline.serving.app import application
from pipeline.serving.limits import Limits
from tests.serving.made_up import MadeUp

BASE = "http://127.0.0.1:8010"
SOCKET = "ws://127.0.0.1:8010"


def client(served: MadeUp, limits: Limits = Limits(), names: tuple[str, ...] = ()) -> TestClient:  # noqa: B008
    return TestClient(application(served, limits, "1.2", names), base_url=BASE)
