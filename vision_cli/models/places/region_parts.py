"""Parts of a two-stage network over a timm trunk: half as wide as torchvision's over ResNet-50."""

from __future__ import annotations

from typing import Any

from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from vision_cli.models.network import Trunk
from vision_cli.models.places.fpn import CHANNELS, REGION_STRIDES, FpnBackbone, square_anchors

_ANCHOR_STRIDES = 4
_HIDDEN = 512
_BOX_CELLS = 7
_REGIONS = 500
_LEARNED_REGIONS = 128


def region_parts(trunk: Trunk, n_outputs: int) -> dict[str, Any]:
    """Return arguments of torchvision's `FasterRCNN` and `MaskRCNN`, for classes and the background.

    A quarter of the regions is learned and half as many are proposed, so that it learns and runs on a CPU; anchors are
    half as large, as photos are about half as large as the 800 px that torchvision's are meant for.
    """
    sizes = tuple((_ANCHOR_STRIDES * stride,) for stride in (*REGION_STRIDES, 2 * REGION_STRIDES[-1]))
    return {
        "backbone": FpnBackbone(trunk, REGION_STRIDES, LastLevelMaxPool()),
        "rpn_anchor_generator": square_anchors(sizes),
        "rpn_post_nms_top_n_train": _REGIONS,
        "rpn_post_nms_top_n_test": _REGIONS,
        "box_head": TwoMLPHead(CHANNELS * _BOX_CELLS**2, _HIDDEN),
        "box_predictor": FastRCNNPredictor(_HIDDEN, n_outputs),
        "box_batch_size_per_image": _LEARNED_REGIONS,
    }
