from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from pipeline.reporting.latex import SPECIAL, document, escaped, latex
from pipeline.reporting.table import BEST, GAIN, Cell, Column, Table, mark_best, score
from pipeline.reporting.wording import counted, share, whole

TABLE = Table(
    "scores-x",
    "audio_1 → arousal & 100 %",
    [Column("system", False), Column("test")],
    [
        [Cell("a_b"), score(0.5, ".500 ± .010").marked(BEST).marked(GAIN)],
        [Cell("50 % & {x}"), score(-0.25)._replace(detail="α 0.3")],
    ],
)


def test_a_table_is_booktabs_with_names_escaped():
    assert latex(TABLE).splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{audio\_1 $\rightarrow$ arousal \& 100 \%}",
        r"\label{tab:scores-x}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"system & test \\",
        r"\midrule",
        r"a\_b & \textbf{.500 $\pm$ .010$\blacktriangle$} \\",
        r"50 \% \& \{x\} & $-$.250 $\alpha$ 0.3 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_every_command_character_is_escaped():
    assert escaped("\\ # $ % & ~ _ ^ { } < > |") == (
        r"\textbackslash{} \# \$ \% \& \textasciitilde{} \_ \textasciicircum{} \{ \} \textless{} "
        r"\textgreater{} \textbar{}"
    )


def test_the_name_of_a_corpus_stays_in_its_comment():
    assert document([TABLE], "a\n\\input{x}").splitlines()[0] == r"% a \input{x}"


def test_latex_reads_it(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here")
    text = document([TABLE], "x")
    packages = r"\documentclass{article}\usepackage{booktabs,amssymb}\begin{document}"
    (tmp_path / "x.tex").write_text(f"{packages}\n{text}\n\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_best_are_those_that_look_best():
    rows = [
        [Cell("a"), score(0.5004)],
        [Cell("b"), score(0.4996)],
        [Cell("c"), score(0.9)],
        [Cell("d"), Cell("–")],
    ]
    mark_best(rows, 1, [0, 1, 3])  # c is out of competition
    assert [row[1].best for row in rows] == [True, True, False, False]
    alone = [[Cell("a"), score(0.5)], [Cell("b"), Cell("–")]]
    mark_best(alone, 1, [0, 1])
    assert not alone[0][1].best


def test_shares_are_never_all_or_none_unless_they_are():
    found = [
        share(part, of) for part, of in ((1999, 2000), (2000, 2000), (1, 9999), (0, 9), (741, 750), (0, 0))
    ]
    assert found == ["> 99.9 %", "100.0 %", "< 0.1 %", "0.0 %", "98.8 %", "–"]
    assert whole(12008) == "12\u2009008"
    assert (counted(1, "recording"), counted(2, "recording")) == ("1 recording", "2 recordings")


def read_strictly(text: str) -> int:
    """Read LaTeX as a typesetter would that forgives nothing; return the number of tables.

    Environments and braces close, every row has as many cells as its table has columns, characters that are
    commands are escaped, and only known commands occur.
    """
    known = {"begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "textbf"}
    known |= {part[1:].rstrip("{}$") for value in SPECIAL.values() for part in re.findall(r"\\[a-z]+", value)}
    opened: list[str] = []
    columns = tables = 0
    for line in text.splitlines():
        if line.startswith("%"):
            continue
        assert set(re.findall(r"\\([a-zA-Z]+)", line)) <= known, line
        bare = re.sub(r"\\[^a-zA-Z]", "", line)  # without what is escaped
        assert bare.count("{") == bare.count("}"), line
        assert bare.count("$") % 2 == 0, line
        assert not re.findall(r"[#%~^]", bare), line
        if not line.startswith(r"\label"):
            assert "_" not in bare, line
        if begun := re.match(r"\\begin\{(\w+)\}(?:\{([lr]+)\})?$", line):
            opened.append(begun[1])
            columns = len(begun[2] or "")
            tables += begun[1] == "tabular"
        elif line.startswith(r"\end{"):
            assert line == rf"\end{{{opened.pop()}}}"
        elif opened and opened[-1] == "tabular" and line not in (r"\toprule", r"\midrule", r"\bottomrule"):
            assert line.endswith(r" \\"), line
            assert bare.count("&") == columns - 1, line
    assert not opened
    return tables


@pytest.mark.parametrize("name", [r"a&b % _#{}\~^$", 'Gefühl_1 <b> | "x"', "tab\tand\nline", "-- ≥ 1"])
def test_a_strict_reader_takes_every_name(name):
    rows = [[Cell(name), score(0.5)._replace(detail=name)], [Cell("").marked(GAIN), score(-0.1).marked(BEST)]]
    table = Table("scores-x", name, [Column(name, False), Column("test")], rows)
    assert read_strictly(document([table, TABLE], name)) == 2


@pytest.mark.parametrize(
    "broken",
    [
        "\\begin{tabular}{lr}\na & b & c \\\\\n\\end{tabular}", "\\begin{table}\n\\end{tabular}",
        "a_b", "50 %", r"\input{x}", "$x",
    ],
)  # fmt: skip
def test_the_strict_reader_refuses_what_is_broken(broken):
    with pytest.raises((AssertionError, IndexError)):
        read_strictly(broken)
