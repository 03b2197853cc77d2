"""What others have made already, and what is none of this toolkit's trade."""

from __future__ import annotations

import re

from vision_cli.scoping.outcomes import NOT_VISION, TEXT
from vision_cli.scoping.wording import Worded

_MADE = (
    (
        r"\bfaces?\b",
        "faces: detectors for them are published with their weights, such as YuNet (MIT) in OpenCV's model zoo",
    ),
    (
        r"\bposes?\b|\bskeletons?\b|\bjoints?\b|\bkeypoints?\b",
        "poses: published networks find the joints of people, such as MoveNet or torchvision's Keypoint R-CNN",
    ),
    (
        r"\b(?:number|licen[cs]e|registration) plates?\b",
        "number plates: published systems find and read them; mind the law where you are",
    ),
    (r"\bdepth\b", "depth: published networks estimate it from one photo, such as MiDaS and Depth Anything"),
    (
        r"\bbackground removal\b|\bremove (?:the )?background|\bportraits?\b.{0,20}\bbackground",
        "people before a background: published matting networks cut them out, such as MODNet",
    ),
)
_INSTEAD = (
    ("future", "forecasting: begin with statsmodels or a gradient-boosted tree on lagged values"),
    ("sound", "sound: speech recognition and audio tagging have published models; a spectrogram is no photo"),
    ("prose", "text: language models and text classifiers answer it"),
    ("table", "tables: gradient-boosted trees are the first thing to try"),
)
_READERS = "text recognition: Tesseract (Apache-2.0) for pages, PaddleOCR or docTR (Apache-2.0) for photos of scenes"


def made(said: Worded) -> tuple[str, ...]:
    """Return what a published model does already, beside the classes of the public sets."""
    return tuple(sentence for pattern, sentence in _MADE if re.search(pattern, said.text))


def instead(task: str, said: Worded) -> tuple[str, ...]:
    """Return what to take where this toolkit is not the tool."""
    if task == TEXT:
        found = (
            _READERS,
            "what the text stands on may have to be found first: that is `detect`, which this toolkit trains",
        )
        return (*found, *made(said))
    if task == NOT_VISION:
        named = tuple(sentence for concept, sentence in _INSTEAD if concept in said.concepts)
        return named or (_INSTEAD[-1][1],)
    return ()
