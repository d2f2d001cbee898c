"""What stands on the command line is told apart, listed, and counted."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline.corpora.text_table import TableError
from pipeline.features.media.opening import MediaError, open_media
from pipeline.predicting.inputs import apart, listed
from pipeline.predicting.medium import Failure, InputError, Medium, Part


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(inputs):
    return [medium.name for medium in inputs.media]


def test_recognisers_are_folders_with_a_description(tmp_path):
    touch(tmp_path / "r/recogniser.json", tmp_path / "clips/a.wav", tmp_path / "b.wav")
    words = [f"{tmp_path}/clips", f"{tmp_path}/r", f"{tmp_path}/b.wav", f"{tmp_path}/r/recogniser.json"]
    assert apart(words) == ([tmp_path / "r", tmp_path / "r"], [tmp_path / "clips", tmp_path / "b.wav"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["r"], "nothing to predict: expected files, folders or a table"),
        (["a.wav"], "no recogniser among a.wav: expected a folder with a recogniser.json"),
        ([], "no recogniser among nothing"),
        (["r", "gone.wav"], "^gone.wav: no such file or folder"),
        (["r", "n" * 300 + ".csv"], "n.csv: no such file or folder"),
    ],
)
def test_what_is_missing_is_said(tmp_path, monkeypatch, words, said):
    touch(tmp_path / "r/recogniser.json", tmp_path / "a.wav")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        apart(words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["data/recognisers/clips", "a.wav"],
            "a recogniser.json, such as data/recognisers/clips/audio.emotion",
        ),
        (["data/recognisers", "a.wav"], "a recogniser.json, such as data/recognisers/clips/audio.emotion"),
        (
            ["data/recognisers/clips/audio.emotoin", "a.wav"],
            "audio.emotoin: no such file or folder; did you mean data/recognisers/clips/audio.emotion?",
        ),
    ],
)
def test_the_recogniser_that_may_be_meant_is_named(tmp_path, monkeypatch, words, said):
    own = tmp_path / "data/recognisers/clips"
    touch(own / "audio.emotion/recogniser.json", own / "video.emotion/recogniser.json", tmp_path / "a.wav")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(said) + "$"):
        apart(words)


def test_a_folder_gives_its_media_sorted_without_hidden_ones_and_counts_the_others(tmp_path):
    media = ["b/z.WAV", "b/a.mp4", "a.flac", "c.avi"]
    touch(
        *(tmp_path / name for name in [*media, ".hidden/x.wav", "b/.y.wav", "notes.txt", "b/list.pdf", "x"])
    )
    touch(tmp_path / "model/recogniser.json", tmp_path / "model/weights.wav")
    found = listed([tmp_path])
    assert names(found) == [str(tmp_path / name) for name in ("a.flac", "c.avi", "b/a.mp4", "b/z.WAV")]
    (note,) = found.notes
    assert note == f"{tmp_path}: 3 other files are passed over (1 .txt, 1 without ending, 1 .pdf)"
    assert all(medium.parts == (Part(),) for medium in found.media)


def test_what_phones_and_messengers_write_is_taken_from_a_folder(tmp_path):
    files = [tmp_path / name for name in ("a.OPUS", "b.aac", "c.m4v", "d.3gp", "e.aiff", "f.mka", "g.mts")]
    touch(*files)
    assert names(listed([tmp_path])) == [str(path) for path in files]


def test_the_same_file_is_predicted_once_under_its_first_name(tmp_path, monkeypatch):
    touch(tmp_path / "a.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    monkeypatch.chdir(tmp_path)
    found = listed([tmp_path / "a.wav", tmp_path])
    assert names(found) == [str(tmp_path / "a.wav")]
    assert found.notes == ("files named again (2 times) are predicted once",)


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path):
    touch(tmp_path / "a.3gp")
    assert names(listed([tmp_path / "a.3gp"])) == [str(tmp_path / "a.3gp")]


def test_an_empty_folder_is_said(tmp_path):
    touch(tmp_path / "a.pdf")
    said = re.escape(f"no recording in {tmp_path} ({tmp_path}: 1 other file is passed over (1 .pdf))")
    with pytest.raises(InputError, match=said):
        listed([tmp_path])


def test_transcripts_are_inputs_of_text_alone_unless_they_belong_to_a_medium(tmp_path):
    touch(*(tmp_path / name for name in ("a.wav", "a.txt", "b.txt")))
    assert names(listed([tmp_path], text=True)) == [str(tmp_path / "a.wav"), str(tmp_path / "b.txt")]
    assert names(listed([tmp_path])) == [str(tmp_path / "a.wav")]


def table(tmp_path, text, name="list.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def test_a_table_keeps_its_other_columns(tmp_path):
    touch(tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "sub/ä.wav")
    path = table(tmp_path, "id;file;mood\n1;a.wav;good\n2;sub\\ä.wav;\n", encoding="utf-8-sig")
    found = listed([path, tmp_path / "b.wav"])
    assert found.columns == ("id", "mood")
    assert found.media == (
        Medium("a.wav", tmp_path / "a.wav", (Part(given=("1", "good")),)),
        Medium("sub\\ä.wav", tmp_path / "sub/ä.wav", (Part(given=("2", "")),)),
        Medium(str(tmp_path / "b.wav"), tmp_path / "b.wav", (Part(given=("", "")),)),
    )


def test_columns_of_two_tables_are_brought_together(tmp_path):
    touch(tmp_path / "a.wav", tmp_path / "b.wav")
    one, two = table(tmp_path, "file,x\na.wav,1\n"), table(tmp_path, "y,file,x\n2,b.wav,3\n", "two.csv")
    found = listed([one, two])
    assert found.columns == ("x", "y")
    assert [part.given for medium in found.media for part in medium.parts] == [("1", ""), ("3", "2")]


def test_parts_of_a_file_are_read_in_seconds_and_as_durations(tmp_path):
    touch(tmp_path / "a.wav", tmp_path / "b.wav")
    rows = "file,start,end\na.wav,0.5,2\na.wav,0 days 00:00:02,NaT\nb.wav,,\na.wav,0.5,2\n"
    found = listed([table(tmp_path, rows)])
    assert [medium.parts for medium in found.media] == [(Part(0.5, 2.0), Part(2.0)), (Part(),)]
    assert found.notes == ("files named again (once) are predicted once",)


def test_two_raters_of_one_part_are_two_rows_and_the_same_row_again_is_one(tmp_path):
    touch(tmp_path / "a.wav")
    rows = "file,start,end,rater\na.wav,0,1,ann\na.wav,1,2,ann\na.wav,0,1,bob\na.wav,0,1,ann\n"
    found = listed([table(tmp_path, rows)])
    assert [(part.start, part.given) for part in found.media[0].parts] == [
        (0.0, ("ann",)), (1.0, ("ann",)), (0.0, ("bob",)),
    ]  # fmt: skip
    assert found.notes == ("files named again (once) are predicted once",)
    two = listed([table(tmp_path, "file,transcript\na.wav,so\na.wav,so what\n")], text=True)
    assert [part.words for part in two.media[0].parts] == ["so", "so what"]


@pytest.mark.parametrize("order", [("list.csv", "a.wav"), ("a.wav", "list.csv")])
def test_a_row_of_a_table_says_more_than_the_name_of_its_file(tmp_path, order):
    touch(tmp_path / "a.wav")
    table(tmp_path, "file,rater\na.wav,ann\na.wav,bob\n")
    found = listed([tmp_path / name for name in order])
    assert [part.given for part in found.media[0].parts] == [("ann",), ("bob",)]
    assert found.notes == ("files named again (once) are predicted once",)


def test_times_that_are_none_are_named_with_their_lines(tmp_path):
    path = table(tmp_path, "file,start,end\na.wav,soon,2\na.wav,3,2\n,1,2\n")
    with pytest.raises(ValueError, match="found 'soon' in the column start, expected seconds") as error:
        listed([path])
    lines = str(error.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{path}:{number}" for number in (2, 3, 4)]
    assert "start '3' and end '2', expected 0 <= start < end" in lines[1]


def test_a_name_that_leads_out_of_the_folder_is_a_failure(tmp_path):
    touch(tmp_path / "in/a.wav", tmp_path / "b.wav")
    found = listed([table(tmp_path / "in", "file\n../b.wav\n..\\b.wav\ns3://x/a.wav\na.wav\n")])
    assert names(found) == ["a.wav"]
    reasons = {failure.file: failure.reason for failure in found.failures}
    assert "leads out of its folder by '..'" in reasons["../b.wav"]
    assert "leads out of its folder by '..'" in reasons["..\\b.wav"]
    assert "is a URL" in reasons["s3://x/a.wav"]


def test_files_of_a_table_lie_below_another_folder_if_that_is_said(tmp_path):
    touch(tmp_path / "media/a.wav")
    path = table(tmp_path, "file\na.wav\n")
    assert listed([path], root=tmp_path / "media").media[0].path == tmp_path / "media/a.wav"
    assert listed([path]).media[0].path == tmp_path / "a.wav"


def test_a_table_without_files_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"missing column file in 'name'.*the column `file` names the media"):
        listed([table(tmp_path, "name\na.wav\n")])
    with pytest.raises(ValueError, match="UTF-16"):
        listed([table(tmp_path, "file\na.wav\n", encoding="utf-16")])


@pytest.fixture(params=["csv", "parquet"])
def database(request, tmp_path):
    import audformat

    touch(tmp_path / "db/wav/a.wav", tmp_path / "db/wav/b.wav")
    own = audformat.Database("db")
    files, starts, ends = ["wav/a.wav", "wav/a.wav", "wav/b.wav"], ["0s", "1.5s", "0s"], ["1.5s", "2s", None]
    own["parts"] = audformat.Table(audformat.segmented_index(files, starts, ends))
    own["parts"]["rater"] = audformat.Column()
    own["parts"]["rater"].set(["1", "2", "3"])
    own["facts"] = audformat.MiscTable(pd.Index(["x"], name="speaker"))
    own["facts"]["age"] = audformat.Column()
    own["facts"]["age"].set([30])
    own.save(str(tmp_path / "db"), storage_format=request.param)
    return tmp_path / "db", request.param


def test_a_table_of_an_audformat_database_is_read_and_found(database):
    folder, kind = database
    expected = [
        Medium(
            "wav/a.wav", folder / "wav/a.wav", (Part(0.0, 1.5, None, ("1",)), Part(1.5, 2.0, None, ("2",)))
        ),
        Medium("wav/b.wav", folder / "wav/b.wav", (Part(0.0, None, None, ("3",)),)),
    ]
    for path in (folder, folder / f"db.parts.{kind}"):
        found = listed([path])
        assert list(found.media) == expected
        assert found.columns == ("rater",)


def test_a_database_with_several_tables_wants_one_to_be_named(database):
    folder, kind = database
    (folder / f"db.more.{kind}").write_bytes((folder / f"db.parts.{kind}").read_bytes())
    with pytest.raises(InputError, match=r"with 2 tables of files as csv or Parquet, expected one; name it"):
        listed([folder])


def test_a_database_without_a_table_of_files_is_said(database):
    folder, kind = database
    (folder / f"db.parts.{kind}").unlink()
    with pytest.raises(InputError, match=r"an audformat database without a table of files \(db\.<name>\.csv"):
        listed([folder])


def test_a_table_without_rows_is_said(tmp_path):
    empty = table(tmp_path, "file,start,end\n")
    with pytest.raises(InputError, match=re.escape(f"({empty}: the table has no rows)")):
        listed([empty])
    touch(tmp_path / "a.wav")
    found = listed([empty, tmp_path / "a.wav"])
    assert (len(found.media), found.notes) == (1, (f"{empty}: the table has no rows",))


def test_words_of_a_table_go_with_their_file(tmp_path):
    touch(tmp_path / "a.wav")
    found = listed([table(tmp_path, "file,transcript\na.wav,how nice\n")], text=True)
    assert found.media[0].parts == (Part(words="how nice", given=("how nice",)),)


def test_a_name_that_is_no_utf8_is_a_failure(tmp_path):
    folder = os.fsencode(tmp_path)
    with open(folder + b"/a\xff.wav", "wb") as file:  # noqa: PTH123  (a name that pathlib would hide)
        file.write(b"x")
    touch(tmp_path / "b.wav")
    found = listed([tmp_path])
    assert names(found) == [str(tmp_path / "b.wav")]
    refused = (Failure(f"{tmp_path}/a\\xff.wav", "its name is not UTF-8, rename it"),)
    assert found.failures == refused
    (tmp_path / "c").mkdir()
    (tmp_path / "c/up").symlink_to(tmp_path)
    again = listed([tmp_path, tmp_path / "c", tmp_path])
    assert (again.failures, len(again.media)) == (refused, 1)


def test_a_name_that_no_file_can_have_harms_no_other_row(tmp_path):
    touch(tmp_path / "a.wav")
    rows = ["a.wav", "b\0.wav", "n" * 300 + ".wav", "ü" * 300 + ".wav", "d/" * 3000 + "e.wav"]
    (tmp_path / "t.csv").write_text("file\n" + "\n".join(rows) + "\n")
    found = listed([tmp_path / "t.csv"])
    assert found.failures == (Failure("b\\0.wav", "found a NUL in its name, which no file has"),)
    assert [medium.name for medium in found.media] == [rows[0], *rows[2:]]
    for medium in found.media[1:]:
        with (
            pytest.raises(MediaError, match=r"cannot be opened \(File name too long\)"),
            open_media(medium.path),
        ):
            pass


@pytest.mark.parametrize(
    ("cell", "point"), [("2,5", " with a decimal point"), ("12,500", " with a decimal point"), ("1_000", "")]
)
def test_numbers_with_commas_are_no_nanoseconds(tmp_path, cell, point):
    touch(tmp_path / "a.wav")
    (tmp_path / "t.csv").write_text(f"file;start;end\na.wav;0;{cell}\n")
    with pytest.raises(
        TableError, match=f"2: found '{cell}' in the column end, expected seconds{point} or a "
    ):
        listed([tmp_path / "t.csv"])


def test_linked_folders_are_entered_once_and_links_in_a_circle_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "clips/ann/a.wav", tmp_path / "elsewhere/bob/b.wav", tmp_path / "elsewhere/bob/.c.wav")
    (tmp_path / "clips/bob").symlink_to("../elsewhere/bob")
    (tmp_path / "clips/zoe").symlink_to("../elsewhere")  # has bob, who was met already
    (tmp_path / "elsewhere/back").symlink_to("../clips")
    (tmp_path / "clips/here").symlink_to(".")
    (tmp_path / "clips/nowhere").symlink_to("gone")
    assert names(listed([Path("clips")])) == ["clips/ann/a.wav", "clips/bob/b.wav"]
    (tmp_path / "clips/bob/recogniser.json").write_text("{}")
    assert names(listed([Path("clips")])) == ["clips/ann/a.wav"]
