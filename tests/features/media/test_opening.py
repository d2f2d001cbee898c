"""What is no file is no medium, and nobody waits for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.features.media.opening import MediaError, open_media


def test_pipes_folders_and_devices_are_named_as_what_they_are(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    for path in (tmp_path / "pipe.wav", tmp_path / "folder.wav", Path(os.devnull)):
        with pytest.raises(MediaError, match="is no file but a folder, a pipe or a device"), open_media(path):
            pass
    with pytest.raises(MediaError, match="no such file"), open_media(tmp_path / "none.wav"):
        pass
