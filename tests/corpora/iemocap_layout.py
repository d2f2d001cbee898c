"""A made-up IEMOCAP: folders, names and lines as they are distributed."""

from __future__ import annotations

from pathlib import Path

HEAD = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
CODES = ("ang", "hap", "exc", "neu", "sad", "fru", "xxx", "sur")


def lines(dialog: str, codes: tuple[str, ...] = CODES) -> str:
    """Return a file of EmoEvaluation: the two speak by turns, with valence 1.5 and up, activation 4."""
    text = HEAD
    for number, code in enumerate(codes):
        who = f"{dialog}_{'FM'[number % 2]}{number:03}"
        ratings = f"[{1.5 + number / 4:.4f}, 4.0000, 2.5000]"
        text += f"[{number}.2901 - {number + 1}.1357]\t{who}\t{code}\t{ratings}\n"
        text += "C-E2:\tNeutral;\t()\nC-F1:\tAnger;\t(curious)\nA-E3:\tval 3; act 2; dom  2;\t()\n\n"
    return text


def write_iemocap(root: Path, sessions: tuple[int, ...] = (1, 2, 3, 4, 5)) -> Path:
    """Write one improvised and one scripted dialog of each session, and sound of each utterance."""
    for number in sessions:
        session = root / f"Session{number}"
        evaluations = session / "dialog/EmoEvaluation"
        for rater in ("Attribute", "Categorical", "Self-evaluation"):
            (evaluations / rater).mkdir(parents=True)
            (evaluations / rater / f"Ses0{number}F_impro01_e1_cat.txt").write_text("F000 :Neutral; ()\n")
        for dialog in (f"Ses0{number}F_impro01", f"Ses0{number}M_script01_1b"):
            (evaluations / f"{dialog}.txt").write_text(lines(dialog))
            for turn in range(len(CODES)):
                wav = session / f"sentences/wav/{dialog}/{dialog}_{'FM'[turn % 2]}{turn:03}.wav"
                wav.parent.mkdir(parents=True, exist_ok=True)
                wav.write_bytes(wav.name.encode())
    return root
