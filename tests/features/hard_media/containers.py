"""Sound in many containers, codecs, bit depths, rates and numbers of channels; nothing is wrong with any."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import soundfile

from tests.features.hard_media.case import RMS, Case, Heard, Refused
from tests.features.hard_media.signals import laid, tones
from tests.features.hard_media.writing import Sound, write

PARTS = ((300, 1.0), (700, 1.0))
LOSSY = Heard(2.0, laid(*PARTS), within=0.08)
WHOLE = Heard(2.0, laid(*PARTS), within=0.002)
COARSE = Heard(2.0, laid(*PARTS, within=0.3), within=0.08)
PADDED = Heard(2.0, laid(*PARTS), within=0.13, margin=0.1)
"""Without an edit list the silence before and after the sound stays."""
WITHOUT_BASS = Heard(2.0, laid(*PARTS, rms=RMS * 5.5 / 6.5, within=0.12), within=0.08)
"""Of six or eight channels the one of the bass lets through no tone above 120 Hz."""


def _libsndfile(name: str, container: str, subtype: str, rate: int = 16000, channels: int = 1) -> Case:
    def make(path: Path) -> None:
        soundfile.write(path, tones(*PARTS, rate=rate, channels=channels).T, rate, subtype, format=container)

    # ADPCM ends with a whole block
    # newer FFmpegs take the silence at the end of ALAC off twice
    if subtype == "ALAC_16":
        return Case(name, make, Heard(2.0, laid(*PARTS), within=0.05))
    coarse = subtype in ("ALAW", "ULAW", "IMA_ADPCM", "MS_ADPCM")
    level, length = (0.1, 0.05) if coarse else (0.02, 0.002)
    return Case(name, make, Heard(2.0, laid(*PARTS, within=level), within=length))


def _pyav(
    name: str,
    codec: str,
    rate: int,
    channels: int = 1,
    heard: Heard = LOSSY,
    container=None,
    options=None,
    **more,
) -> Case:
    def make(path: Path) -> None:
        sound = Sound(tones(*PARTS, rate=rate, channels=channels), rate, codec, **more)
        write(path, sound, container_format=container, options=options)

    return Case(name, make, heard)


def _one_channel_of(count: int) -> Case:
    """A tone in the last channel only: the mean of the channels has it at a count-th of its level."""

    def make(path: Path) -> None:
        signal = np.zeros((count, 32000))
        signal[-1] = 0.9 * tones((500, 2.0))[0] / 0.3
        soundfile.write(path, signal.T, 16000, "PCM_16", format="WAVEX")

    return Case(
        f"one_of_{count}.wav", make, Heard(2.0, laid((500, 2.0), rms=0.9 / count / 2**0.5), within=0.002)
    )


def _odd_chunks(path: Path) -> None:
    """A wav with chunks of odd length before the format, one after the sound, and an unknown one between."""
    pcm = (tones(*PARTS)[0] * 32767).astype("<i2").tobytes()
    chunks = [
        (b"JUNK", b"\1" * 27), (b"fmt ", struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)),
        (b"bext", b"\2" * 603), (b"data", pcm), (b"LIST", b"INFOINAM\x05\0\0\0name\0\0"),
    ]  # fmt: skip
    body = b"".join(k + struct.pack("<I", len(v)) + v + b"\0" * (len(v) % 2) for k, v in chunks)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body)


def _eight_bits(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 11025, 0, "NONE", ""))
        file.writeframes(np.round(tones(*PARTS, rate=11025)[0] * 127 + 128).astype(np.uint8).tobytes())


def _lasting(seconds: float, rate: int = 16000) -> Case:
    """A very short wav; openSMILE's frames are 20 to 60 ms long."""

    def make(path: Path) -> None:
        soundfile.write(path, tones((440, seconds), rate=rate).T, rate)

    return Case(f"{seconds * 1000:g}_ms.wav", make, Refused("too short|no sound|holds no"))


def _samples(count: int) -> Case:
    def make(path: Path) -> None:
        soundfile.write(path, np.full(count, 0.5), 16000)

    return Case(f"{count}_samples.wav", make, Refused("too short|no sound|holds no|empty"))


LONG = ((0.0, 13.0), (400, 1.0), (0.0, 14.0), (800, 2.0))


def _long(name: str, codec: str, rate: int, bit_rate: int) -> Case:
    def make(path: Path) -> None:
        write(path, Sound(tones(*LONG, rate=rate), rate, codec, bit_rate=bit_rate))

    return Case(name, make, Heard(30.0, laid(*LONG), within=0.08))


CASES = [
    _libsndfile("plain.wav", "WAV", "PCM_16"),
    _libsndfile("24_bits.wav", "WAV", "PCM_24", 44100, 2),
    _libsndfile("32_bits.wav", "WAV", "PCM_32", 48000),
    _libsndfile("float.wav", "WAV", "FLOAT", 22050),
    _libsndfile("double.wav", "WAV", "DOUBLE", 96000),
    _libsndfile("extensible.wav", "WAVEX", "PCM_24", 48000, 8),
    _libsndfile("alaw.wav", "WAV", "ALAW", 8000),
    _libsndfile("mulaw.wav", "WAV", "ULAW", 8000, 2),
    _libsndfile("ima.wav", "WAV", "IMA_ADPCM", 22050),
    _libsndfile("ms_adpcm.wav", "WAV", "MS_ADPCM", 37800),
    _libsndfile("riff64.wav", "RF64", "PCM_16", 192000),
    _libsndfile("wave64.w64", "W64", "PCM_24", 44100, 2),
    _libsndfile("big_endian.aiff", "AIFF", "PCM_16", 44100),
    _libsndfile("aiff_float.aifc", "AIFF", "FLOAT", 32000),
    _libsndfile("sun.au", "AU", "PCM_16", 16000),
    _libsndfile("sun_mulaw.au", "AU", "ULAW", 8000),
    _libsndfile("core.caf", "CAF", "PCM_24", 48000, 2),
    _libsndfile("core_alac.caf", "CAF", "ALAC_16", 44100),
    _libsndfile("creative.voc", "VOC", "PCM_16", 11025),
    _libsndfile("sphere.nist.wav", "NIST", "PCM_16", 16000),
    _libsndfile("ircam.sf", "IRCAM", "PCM_16", 16000),
    _libsndfile("16_bits.flac", "FLAC", "PCM_16", 44100, 6),
    _libsndfile("24_bits.flac", "FLAC", "PCM_24", 96000, 2),
    _libsndfile("vorbis.ogg", "OGG", "VORBIS", 44100, 2),
    _libsndfile("opus_sndfile.ogg", "OGG", "OPUS", 48000),
    Case("odd_chunks.wav", _odd_chunks, WHOLE),
    Case("8_bits.wav", _eight_bits, Heard(2.0, laid(*PARTS, within=0.02), within=0.002)),
    _pyav("id3.mp3", "libmp3lame", 44100, 2, options={"id3v2_version": "3"}),
    _pyav("no_xing.mp3", "libmp3lame", 22050, options={"write_xing": "0", "id3v2_version": "0"}),
    _pyav("mpeg2_layer3.mp3", "libmp3lame", 24000, bit_rate=24000),
    _pyav("mp3_inside.wav", "libmp3lame", 44100, 2),
    _pyav("layer2.mp2", "mp2", 48000, 2),
    _pyav("adts.aac", "aac", 44100, 2),
    _pyav("aac_8k.m4a", "aac", 8000, container="ipod"),
    _pyav("alac.m4a", "alac", 44100, container="ipod", heard=WHOLE),
    _pyav("dolby.ac3", "ac3", 48000, 6, heard=COARSE),
    _pyav("enhanced.eac3", "eac3", 48000, 2),
    _pyav("opus.opus", "libopus", 48000, 2),
    _pyav("opus_24k.webm", "libopus", 24000),
    _pyav("flac.mkv", "flac", 44100, 2, heard=WHOLE),
    _pyav("flac.ogg", "flac", 48000, heard=WHOLE),
    _pyav("pcm_f64.mkv", "pcm_f64le", 12000, heard=WHOLE),
    _pyav("pcm_big_endian.mov", "pcm_s24be", 48000, 2, heard=WHOLE),
    _pyav("adpcm_qt.mov", "adpcm_ima_qt", 22050, heard=COARSE),
    _pyav("phone.amr", "libopencore_amrnb", 8000, bit_rate=12200, heard=COARSE),
    _pyav("phone.3gp", "libopencore_amrnb", 8000, bit_rate=12200, heard=COARSE),
    _pyav("media_audio.wma", "wmav2", 44100, 2, bit_rate=64000, heard=PADDED),
    _pyav("nut.nut", "pcm_s16le", 32000, 2, heard=WHOLE),
    _pyav("wavpack.wv", "wavpack", 44100, heard=WHOLE),
    _pyav("true_audio.tta", "tta", 32000, 2, heard=WHOLE),
    _pyav("surround_8.m4a", "aac", 48000, 8, container="ipod", bit_rate=384000, heard=WITHOUT_BASS),
    _pyav("transport.ts", "aac", 48000, 2),
    _pyav("fragmented.mp4", "aac", 16000, heard=PADDED, options={"movflags": "empty_moov+default_base_moof"}),
    _pyav("live.webm", "libopus", 48000, options={"live": "1"}),
    _pyav("g722.wav", "g722", 16000, heard=Heard(2.0, laid(*PARTS, within=0.1), within=0.01)),
    _one_channel_of(2),
    _one_channel_of(6),
    *map(_one_channel_of, (3, 5, 7, 8, 9, 16, 32)),
    _samples(0),
    _samples(1),
    _lasting(0.005),
    _lasting(0.05),
    Case(
        "150_ms.wav",
        lambda path: soundfile.write(path, tones((440, 0.15)).T, 16000),
        Heard(0.15, within=0.002),
    ),
    _long("half_a_minute.mp3", "libmp3lame", 44100, 48000),
    _long("half_a_minute.opus", "libopus", 48000, 24000),
    _long("half_a_minute.m4a", "aac", 32000, 32000),
]
