"""A made-up MELD: tables and folders named as in MELD.Raw, words of nobody."""

from __future__ import annotations

from pathlib import Path

HEADER = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
)
TIMES = '"00:16:16,059","00:16:21,731"'
ROWS = {
    "train": [
        ('"It\u0092s late, isn\u0092t it?"', "Anna", "neutral", 0, 0),
        ("So?", "Ben", "surprise", 0, 1),
        ('"""Late,"" she says, late!"', "Ben", "joy", 1, 0),
    ],
    "dev": [("No \u2014 never.", "Anna", "sadness", 0, 0)],
    "test": [("Ugh.", "Dr. Carl", "disgust", 0, 0), ("Who\u2019s there?", "All", "fear", 0, 1)],
}
FOLDERS = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}


def write_meld(root: Path, rows: dict[str, list[tuple]] = ROWS, within: str = "") -> Path:
    """Write tables and clips; within: a folder for those of each partition, such as `{}`."""
    for partition, lines in rows.items():
        own = root / within.format(partition)
        own.mkdir(parents=True, exist_ok=True)
        text = [HEADER]
        for number, (words, speaker, emotion, dialogue, utterance) in enumerate(lines, 1):
            text.append(f"{number},{words},{speaker},{emotion},neutral,{dialogue},{utterance},8,21,{TIMES}")
            clip = own / FOLDERS[partition] / f"dia{dialogue}_utt{utterance}.mp4"
            clip.parent.mkdir(exist_ok=True)
            clip.write_bytes(f"{partition} {clip.name}".encode())
        (own / f"{partition}_sent_emo.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    return root
