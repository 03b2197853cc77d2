"""Make the table of published weights: `vision_cli/models/published/weights.csv`.

Where each figure comes from:

- torchvision: accuracy, parameters, multiply-adds and size of the file from the installed package's own metadata.
- timm: accuracy from rows of `results/results-imagenet.csv` of huggingface/pytorch-image-models at commit 7479d451
  (`bench/timm_results.csv`, of several sizes of input the one that the network takes here); parameters, multiply-adds
  and bytes of tensors counted on the network itself, without memory (device `meta`).
- Ultralytics: the tables of its documentation (parameters and FLOPs of the fused network, which it counts two a
  multiply-add); size counted at two bytes a parameter, as its files hold them.

    python bench/weights_table.py
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from vision_cli import models
from vision_cli.core.weights import UNKNOWN_LICENCE, Source
from vision_cli.exporters import EXPORTERS
from vision_cli.models import published
from vision_cli.models import timm as of_timm
from vision_cli.models import torchvision as of_torchvision
from vision_cli.models.places.published import PUBLISHED
from vision_cli.models.published import Published
from vision_cli.models.ultralytics import published as ultralytics

_RESULTS = Path(__file__).with_name("timm_results.csv")
_TIMM = (
    "https://github.com/huggingface/pytorch-image-models/blob/7479d451a6dfd8af27f941b8e82a7402461fae80/"
    "results/results-imagenet.csv"
)
_TORCHVISION = "https://docs.pytorch.org/vision/stable/models.html"
_MIB = 1 << 20
_METRICS = {
    "detect": ("box_ap", "coco", "COCO-val2017", "box_map"),
    "instance": ("mask_ap", "coco", "COCO-val2017", "mask_map"),
    "semantic": ("miou", "voc", "COCO-val2017-VOC-labels", "miou"),
}
# Millions of parameters and thousands of millions of floating-point operations at 640 px, from n to x.
_ULTRALYTICS = {
    "yolov8": ((3.2, 8.7), (11.2, 28.6), (25.9, 78.9), (43.7, 165.2), (68.2, 257.8)),
    "yolo11": ((2.6, 6.5), (9.4, 21.5), (20.1, 68.0), (25.3, 86.9), (56.9, 194.9)),
    "yolo26": ((2.4, 5.4), (9.5, 20.7), (20.4, 68.2), (24.8, 86.4), (55.7, 193.9)),
    "yolov8-seg": ((3.4, 12.6), (11.8, 42.6), (27.3, 110.2), (46.0, 220.5), (71.8, 344.1)),
    "yolo11-seg": ((2.9, 9.7), (10.1, 33.0), (22.4, 113.2), (27.6, 132.2), (62.1, 296.4)),
    "yolo26-seg": ((2.7, 9.3), (10.4, 34.5), (23.6, 121.7), (28.0, 140.1), (62.8, 314.0)),
}
# torchvision's own, for which its figures are: the shorter side, where it is 800.
_SIZES_PX = {"ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320, "fasterrcnn_mobilenet_v3_large_320_fpn": 320}
_WHEEL = "tf_efficientnet_lite0.in1k"


def main() -> None:
    """Write the table."""
    rows = [*_timm(), *_classifiers(), *_places(), *_ultralytics()]
    with published.TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Published)], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asdict(row), "exports": "|".join(row.exports)} for row in rows)
    sys.stdout.write(f"{len(rows)} rows\n")


def _timm() -> Iterator[Published]:
    for name, measured in _results().items():
        config = timm.models.get_pretrained_cfg(name)
        if config is None:
            sys.stderr.write(f"left out, unknown to timm: {name}\n")
            continue
        size = config.input_size[-1]
        if size not in measured:
            sys.stderr.write(f"left out, no figure at {size} px: {name}\n")
            continue
        params, macs, n_bytes = counted(name, size)
        source = of_timm.source(name)
        if source is None:
            sys.stderr.write(f"left out, no source: {name}\n")
            continue
        yield _row(
            "timm",
            name,
            source,
            task="classify",
            weights="imagenet",
            dataset="imagenet-1k",
            metric="top1",
            accuracy=measured[size],
            accuracy_from=_TIMM,
            params=params,
            macs=macs,
            size_px=size,
            size_bytes=n_bytes,
            size_from="counted",
        )


def _results() -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    with _RESULTS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["model"], {})[int(row["img_size"])] = float(row["top1"])
    return found


def counted(name: str, size: int) -> tuple[int, int, int]:
    """Return a timm network's parameters, multiply-adds of one photo and bytes of its tensors as a file holds them."""
    with torch.device("meta"):
        module = timm.create_model(name, pretrained=False).eval().to("meta").requires_grad_(False)
        photo = torch.empty(1, 3, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(photo)
    params = sum(each.numel() for each in module.parameters())
    n_bytes = sum(each.numel() * each.element_size() for each in module.state_dict().values())
    return params, counter.get_total_flops() // 2, n_bytes


def _classifiers() -> Iterator[Published]:
    for name in of_torchvision.names():
        weights = torchvision.models.get_model_weights(name).DEFAULT
        figures = weights.meta["_metrics"]["ImageNet-1K"]
        yield _row(
            "torchvision",
            name,
            of_torchvision.source(name),
            task="classify",
            weights="imagenet",
            dataset="imagenet-1k",
            metric="top1",
            accuracy=figures["acc@1"],
            size_px=weights.transforms().crop_size[0],
            **_of_meta(weights),
        )


def _places() -> Iterator[Published]:
    for family in models.FAMILIES:
        card = models.FAMILIES.card(family)
        for name in PUBLISHED:
            if not name.startswith(family) or not getattr(card, "reported", ()):
                continue
            task = card.tasks[0]  # type: ignore[attr-defined]
            metric, dataset, measured, key = _METRICS[task]
            weights = torchvision.models.get_model_weights(name).DEFAULT
            yield _row(
                family,
                name,
                PUBLISHED[name].coco,
                task=task,
                weights="coco",
                dataset=dataset,
                metric=metric,
                accuracy=weights.meta["_metrics"][measured][key],
                size_px=_SIZES_PX.get(name, 520 if task == "semantic" else 800),
                **_of_meta(weights),
            )


def _of_meta(weights: Any) -> dict[str, Any]:
    return {
        "accuracy_from": _TORCHVISION,
        "params": weights.meta["num_params"],
        "macs": round(weights.meta["_ops"] * 1e9),
        "size_bytes": round(weights.meta["_file_size"] * _MIB),
        "size_from": "published",
    }


def _ultralytics() -> Iterator[Published]:
    for family, task in (("yolo", "detect"), ("yolo-seg", "instance")):
        for said in ultralytics.reported(task):  # type: ignore[arg-type]
            version, _, masks = said.backbone.partition("-")
            millions, flops = _ULTRALYTICS[version[:-1] + ("-seg" if masks else "")]["nsmlx".index(version[-1])]
            metric, dataset, _, _ = _METRICS[task]
            yield _row(
                family,
                said.backbone,
                ultralytics.coco(said.backbone),
                task=task,
                weights="coco",
                dataset=dataset,
                metric=metric,
                accuracy=said.value,
                accuracy_from=said.source,
                params=round(millions * 1e6),
                macs=round(flops * 1e9 / 2),
                size_px=640,
                size_bytes=round(millions * 2e6),
                size_from="counted",
            )


def _row(family: str, backbone: str, source: Source, **figures: Any) -> Published:
    declared = getattr(models.FAMILIES.load(family), "EXPORTS", {}) if not family.startswith("yolo") else {}
    wheel = backbone == _WHEEL
    return Published(
        name=f"{family}/{backbone}",
        family=family,
        backbone=backbone,
        n_classes=published.N_CLASSES[figures["dataset"]],
        licence="Apache-2.0" if wheel and source.licence == UNKNOWN_LICENCE else source.licence,
        url=source.url,
        file_name=source.file_name,
        sha256_prefix=source.sha256_prefix,
        exports=tuple(name for name in EXPORTERS if not declared.get(name)),
        **figures,
    )


if __name__ == "__main__":
    main()
