"""The pages of help: words of the field, nothing cut off, and examples that are calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from stages.commands.app import EXAMPLES, app
from tests.test_docs import require_a_call

NARROW = {"COLUMNS": "80", "TERMINAL_WIDTH": "80"}


def pages(command: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words before `--help` of every command and every group of commands."""
    yield words
    for name, below in getattr(command or get_command(app), "commands", {}).items():
        yield from pages(below, (*words, name))


ALL = [pytest.param(words, id=" ".join(words) or "emobed") for words in pages()]


@cache
def page(words: tuple[str, ...]) -> str:
    done = CliRunner().invoke(app, [*words, "--help"], env=NARROW, prog_name="emobed")
    assert done.exit_code == 0
    return done.output


def test_there_are_pages_of_groups_and_of_commands():
    assert {(), ("predict",), ("store", "prune"), ("weights",)} <= set(pages())


@pytest.mark.parametrize("words", ALL)
def test_values_are_named_by_words_not_by_types_of_python(words):
    text = page(words)
    usage = text.partition("\n\n")[0]
    assert not re.search(r"[{}]", usage)
    named = re.findall(r"^  (--?\w.*?) {2}", text, re.MULTILINE)  # options and what they take
    assert "--help" in named
    assert [name for name in named if re.search(r"<[^|>]*>", name)] == []


@pytest.mark.parametrize("words", ALL)
def test_no_sentence_of_a_list_of_commands_is_cut_off(words):
    listed = page(words).partition("\nCommands:\n")[2].partition("\n\n")[0]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


def test_usage_is_written_as_the_pages_of_docs_write_it():
    assert page(("predict",)).startswith("Usage: emobed predict [OPTIONS] RECOGNISER... INPUT...\n")
    assert page(("enrol",)).startswith("Usage: emobed enrol [OPTIONS] NAME FILE...\n")
    assert page(("check",)).startswith("Usage: emobed check [OPTIONS] [CORPUS]\n")


def test_what_can_be_chosen_is_listed():
    assert "--partition <all|train|dev|test>" in page(("evaluate",))


@pytest.mark.parametrize("command", EXAMPLES)
def test_examples_are_calls_and_stand_on_a_line_each(command):
    lines = page((command,)).partition("\n  Examples:\n")[2].splitlines()
    assert [line.strip() for line in lines] == list(EXAMPLES[command])
    for line in lines:
        require_a_call(line.split(" | ")[-1].strip())
