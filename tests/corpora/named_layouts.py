"""Made-up corpora whose labels are in the names, with files and folders as the distributors name them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

RAVDESS_EMOTIONS = ("01", "02", "03", "04", "05", "06", "07", "08")


def write_ravdess(
    root: Path, actors: tuple[int, ...] = (1, 2, 18, 24), emotions: tuple[str, ...] = ("01", "05", "08")
) -> Path:
    """Write the first repetition of the first statement in all three modalities."""
    for actor, emotion in product(actors, emotions):
        folder = root / f"Actor_{actor:02}"
        folder.mkdir(parents=True, exist_ok=True)
        for modality, suffix in (("01", "mp4"), ("02", "mp4"), ("03", "wav")):
            name = f"{modality}-01-{emotion}-01-01-01-{actor:02}.{suffix}"
            (folder / name).write_bytes(name.encode())
    return root


CREMA_D_NAMES = (
    "1001_DFA_ANG_XX",
    "1001_IEO_HAP_HI",
    "1002_TIE_SAD_LO",
    "1040_ITH_SAD_X",
    "1070_IEO_FEA_MD",
    "1091_WSI_NEU_XX",
)
DEMOGRAPHICS = """ActorID,Age,Sex,Race,Ethnicity
1001,51,Male,Caucasian,Not Hispanic
1002,21,Female,Caucasian,Not Hispanic
1040,29,Female,African American,Not Hispanic
1070,42,Male,Asian,Hispanic
"""


def write_crema_d(root: Path, names: tuple[str, ...] = CREMA_D_NAMES) -> Path:
    """Write clips and the table of actors, which lacks the last one."""
    for folder, suffix in (("AudioWAV", "wav"), ("AudioMP3", "mp3"), ("VideoFlash", "flv")):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (root / folder / f"{name}.{suffix}").write_bytes(f"{folder} {name}".encode())
    (root / "VideoDemographics.csv").write_text(DEMOGRAPHICS)
    return root


VOTES = """"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote","meanEmoResp"
"100001",0,0,0,1,10,0,"1001_IEO_HAP_HI",11,0.909090909090909,"N",71.7272727272727
"200001",9,0,0,0,0,0,"1001_IEO_HAP_HI",9,1,"A",50
"300001",0,0,1,2,1,0,"1001_IEO_HAP_HI",4,0.5,"H",57.6
"300002",3,0,0,0,3,0,"1040_ITH_SAD_X",6,0.5,"A:N",NA
"300003",0,1,0,0,0,0,"1012_DFA_DIS_XX",1,1,"D",12
"100004",0,0,0,0,9,0,"1001_DFA_ANG_XX",9,1,"N",88
"""
"""As R wrote it: the first column has no name; clips by how they were shown (100000, 200000, 300000)."""


def write_votes(root: Path, text: str = VOTES) -> None:
    """Write the table of what raters named."""
    (root / "processedResults").mkdir(exist_ok=True)
    (root / "processedResults/tabulatedVotes.csv").write_text(text)
