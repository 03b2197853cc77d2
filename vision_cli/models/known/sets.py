"""The public data sets whose classes are known here: what they hold, and under which terms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dataset:
    """One public data set.

    Attributes:
        name: in this table.
        title: as its makers write it.
        n_classes: that can be asked for.
        n_photos: with public labels, training and validation.
        labels: of what kind: `image`, `boxes`, `masks` of objects, `pixels`.
        licence: of the labels: SPDX identifier, or `LicenseRef-` where the makers have terms of their own.
        commercial: whether those terms allow commercial use of the labels; photos may have owners of their own.
        url: of its makers.
    """

    name: str
    title: str
    n_classes: int
    n_photos: int
    labels: tuple[str, ...]
    licence: str
    commercial: bool
    url: str


_SETS = (
    Dataset(
        "imagenet-1k",
        "ImageNet-1k (ILSVRC 2012)",
        1000,
        1_331_167,
        ("image",),
        "LicenseRef-ImageNet",
        commercial=False,
        url="https://www.image-net.org/",
    ),
    Dataset(
        "coco",
        "COCO 2017",
        80,
        123_287,
        ("boxes", "masks"),
        "CC-BY-4.0",
        commercial=True,
        url="https://cocodataset.org/",
    ),
    Dataset(
        "openimages",
        "Open Images V7, boxes",
        601,
        1_784_662,
        ("boxes", "masks"),
        "CC-BY-4.0",
        commercial=True,
        url="https://storage.googleapis.com/openimages/web/index.html",
    ),
    Dataset(
        "lvis",
        "LVIS v1",
        1203,
        119_979,
        ("boxes", "masks"),
        "CC-BY-4.0",
        commercial=True,
        url="https://www.lvisdataset.org/",
    ),
    Dataset(
        "voc",
        "Pascal VOC 2012",
        20,
        11_540,
        ("boxes", "pixels"),
        "LicenseRef-Flickr-terms",
        commercial=False,
        url="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
    ),
    Dataset(
        "kitti",
        "KITTI, objects in 2D",
        8,
        7_481,
        ("boxes",),
        "CC-BY-NC-SA-3.0",
        commercial=False,
        url="https://www.cvlibs.net/datasets/kitti/eval_object.php",
    ),
    Dataset(
        "cityscapes",
        "Cityscapes, fine labels",
        19,
        3_475,
        ("masks", "pixels"),
        "LicenseRef-Cityscapes",
        commercial=False,
        url="https://www.cityscapes-dataset.com/",
    ),
    Dataset(
        "ade20k",
        "ADE20K, scene parsing with 150 classes",
        150,
        22_210,
        ("pixels",),
        "LicenseRef-ADE20K",
        commercial=False,
        url="https://groups.csail.mit.edu/vision/datasets/ADE20K/",
    ),
)
DATASETS = {found.name: found for found in _SETS}
"""By name, those first whose classes are most often asked for."""
