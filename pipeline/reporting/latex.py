"""Tables -> LaTeX with booktabs, every name escaped."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.reporting.table import BEST, Cell, Table

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "\"": "''", "−": "$-$", "±": r"$\pm$", "→": r"$\rightarrow$",
    "–": "--", "α": r"$\alpha$", "β": r"$\beta$", "’": "'", "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$", "◆": r"$\blacklozenge$", "\u2009": r"\,", "\n": " ",
}  # fmt: skip
"""Characters that are commands in LaTeX, or that no font of pdfTeX has. The triangles are amssymb's."""


def escaped(text: str) -> str:
    """Return text as LaTeX that prints it."""
    return "".join(SPECIAL.get(character, character) for character in text)


def latex(table: Table) -> str:
    """Return a table as `table` environment; the best value of a column is bold."""
    kinds = "".join("r" if column.numbers else "l" for column in table.columns)
    head = " & ".join(escaped(column.name) for column in table.columns)
    body = [" & ".join(_cell(cell) for cell in row) + r" \\" for row in table.rows]
    # a caption by itself is a heading without a full stop, notes are sentences
    caption = ". ".join(filter(None, (table.caption, " ".join(table.notes))))
    return "\n".join(
        [
            r"\begin{table}", r"\centering", rf"\caption{{{escaped(caption)}}}",
            rf"\label{{tab:{table.key}}}", rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", head + r" \\",
            r"\midrule", *body, r"\bottomrule", r"\end{tabular}", r"\end{table}",
        ]
    )  # fmt: skip


def document(tables: Iterable[Table], title: str) -> str:
    """Return tables one below the other, for a document to input."""
    head = f"% {' '.join(title.split())}\n% \\usepackage{{booktabs,amssymb}}"
    return "\n\n".join([head, *(latex(table) for table in tables)]) + "\n"


def _cell(cell: Cell) -> str:
    text = escaped(" ".join(part for part in (cell.text, cell.detail) if part))
    text += "".join(escaped(mark) for mark in cell.marks if mark != BEST)
    return rf"\textbf{{{text}}}" if cell.best else text
