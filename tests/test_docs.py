"""The pages beside the code: their links lead somewhere, and the index of docs/ names them all."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from stages.commands.app import app
from tests.conftest import ROOT

OURS = ("emobed", "pipeline", "stages")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").glob("*.md")])


BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_of_the_repository(page):
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_the_index_names_every_page():
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= set(links(ROOT / "docs/README.md"))


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for own, text in found if own == language]


def calls(page: Path) -> list[str]:
    """Return the calls of `emobed` that a page shows, of a pipe its end, without comments."""
    lines = [line for text in blocks(page, "sh") for line in text.splitlines()]
    return [line.split(" | ")[-1] for line in lines if re.search(r"(^|\| )emobed ", line)]


def require_a_call(call: str) -> None:
    """Refuse a call of a command or an option that there is not, or without an option that it must have."""
    command, words = get_command(app), shlex.split(call, comments=True)[1:]
    while hasattr(command, "commands"):
        assert words[0] in command.commands, call
        command = command.commands[words.pop(0)]
    named = {word for word in words if word.startswith("--")}
    options = [own for own in command.params if own.param_type_name == "option"]
    assert named <= {word for own in options for word in own.opts}, call
    assert all(named & set(own.opts) for own in options if own.required), call
    needed = sum(own.required for own in command.params)
    assert len(words) - len(named) >= needed - sum(own.required for own in options), call


@pytest.mark.parametrize("page", [page for page in PAGES if calls(page)], ids=lambda page: page.name)
def test_calls_of_the_pages_are_calls_of_the_command_line(page):
    for call in calls(page):
        require_a_call(call)


@pytest.mark.parametrize(
    "call",
    ["emobed predict R a.wav --hops 1", "emobed enrol ann a.wav", "emobed predicts R", "emobed export onnx"],
)
def test_what_is_no_call_is_found(call):
    with pytest.raises(AssertionError):
        require_a_call(call)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name
)
def test_programs_of_the_pages_can_be_read_and_their_imports_from_here_exist(page):
    for text in blocks(page, "python"):
        for node in ast.walk(ast.parse(text)):
            ours = isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS
            if ours:
                module = importlib.import_module(node.module)
                assert [own.name for own in node.names if not hasattr(module, own.name)] == []


def test_what_is_said_of_the_law_and_of_licences_stands_where_recognisers_are_used():
    for name in ("README.md", "docs/use.md", "docs/serve.md", "docs/onnx.md"):
        text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
        assert "be told" in text or "Tell whoever" in text, name
        assert "research and private use" in text, name


def test_the_program_of_the_readme_predicts(tiny_recognisers, monkeypatch, tmp_path):
    (text,) = blocks(ROOT / "README.md", "python")
    folder, file = re.findall(r'"(data/[^"]+)"', text)
    for place, own in (
        (folder, tiny_recognisers / Path(folder).name),
        (file, tiny_recognisers.parent / "speech.wav"),
    ):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).symlink_to(own)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(text, names)
    assert list(names["table"].index.names) == ["file", "start", "end"]
    assert (len(names["table"]), len(repr(names["arousal"])) < 100) == (31, True)
