"""What a source was, so that it can be written back as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Pixels = Literal["exclusive", "inclusive-0", "inclusive-1"]
"""What box numbers count.

- `exclusive`: edges; 0 is the photo's left edge, x + w the right edge of the last pixel (COCO, YOLO, Label Studio).
- `inclusive-0`: pixels from 0; x + w is the last pixel itself (KITTI as its development kit reads it).
- `inclusive-1`: pixels from 1; x + w is the last pixel itself (Pascal VOC).
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """The format of a source, and what of it fits no column.

    Attributes:
        format: its line in the table of formats.
        pixels: the convention of the columns x, y, w, h.
        class_ids: id that the source gives a class, by name; empty where names stand alone.
        class_records: the source's own record of a class, byte for byte, by name.
        header: further members of the source by name, byte for byte (COCO's `info` and `licenses`, YOLO's `data.yaml`).
        companions: files beside photos and labels that a same-format copy takes along, relative to the root
            (KITTI's `calib`, VOC's `ImageSets`).
    """

    format: str
    pixels: Pixels = "exclusive"
    class_ids: Mapping[str, int] = field(default_factory=dict)
    class_records: Mapping[str, bytes] = field(default_factory=dict)
    header: Mapping[str, bytes] = field(default_factory=dict)
    companions: tuple[str, ...] = ()
