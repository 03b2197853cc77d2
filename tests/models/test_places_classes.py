"""What a network knows of some classes, carried over to others by name."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models._meta import _COCO_CATEGORIES
from torchvision.models.detection.retinanet import RetinaNetClassificationHead
from torchvision.models.detection.ssd import SSDClassificationHead

from vision_cli.models.places.class_names import matches
from vision_cli.models.places.class_rows import ClassRows, carry

VOC = [
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
]


@pytest.mark.parametrize(
    ("name", "coco"),
    [
        ("Person", "person"),
        ("pedestrian", "person"),
        ("traffic_light", "traffic light"),
        ("Traffic-Lights", "traffic light"),
        ("cellPhone", "cell phone"),
        ("mobile phone", "cell phone"),
        ("motorbike", "motorcycle"),
        ("DOGS", "dog"),
        ("bus", "bus"),
        ("buses", "bus"),
        ("scissors", "scissors"),
        ("skis", "skis"),
        ("knives", "knife"),
        ("tvmonitor", "tv"),
        ("wineglass", "wine glass"),
    ],
)
def test_a_class_goes_by_many_names(name: str, coco: str) -> None:
    assert matches([name], _COCO_CATEGORIES) == {0: _COCO_CATEGORIES.index(coco)}


@pytest.mark.parametrize("name", ["zebra finch", "platelet", "N/A", "__background__", "", "carp", "s", "doga", "catss"])
def test_other_classes_have_no_match(name: str) -> None:
    assert matches([name], _COCO_CATEGORIES) == {}


def test_every_class_of_coco_is_itself_and_all_of_voc_is_known() -> None:
    real = [(i, name) for i, name in enumerate(_COCO_CATEGORIES) if name not in ("__background__", "N/A")]
    assert matches([name for _, name in real], _COCO_CATEGORIES) == {i: index for i, (index, _) in enumerate(real)}
    assert len(matches(VOC, _COCO_CATEGORIES)) == 20


def test_synonyms_hold_in_both_directions() -> None:
    assert matches(["airplane", "tv"], VOC) == {0: VOC.index("aeroplane"), 1: VOC.index("tvmonitor")}


def test_known_classes_give_the_same_logits_as_before() -> None:
    torch.manual_seed(0)
    old = RetinaNetClassificationHead(8, 3, 5, norm_layer=nn.Identity)
    new = RetinaNetClassificationHead(8, 3, 2, norm_layer=nn.Identity)
    rows = [ClassRows(r"cls_logits\.(weight|bias)")]
    carried = carry(old.state_dict(), new.state_dict(), rows, ([3, -1], 5))
    before = [item.clone() for item in new.cls_logits.parameters()]
    new.load_state_dict(carried.state)
    photo = [torch.randn(1, 8, 4, 4)]
    assert torch.equal(new(photo)[..., 0], old(photo)[..., 3])
    unknown = torch.arange(6).reshape(3, 2)[:, 1]
    for item, was in zip(new.cls_logits.parameters(), before, strict=True):
        assert torch.equal(item[unknown], was[unknown])
    assert carried.other == ()


def test_a_background_stays_the_background() -> None:
    torch.manual_seed(0)
    old, new = SSDClassificationHead([8], [4], 6), SSDClassificationHead([8], [4], 3)
    rows = [ClassRows(r"module_list\.\d+\.(weight|bias)", background=1)]
    new.load_state_dict(carry(old.state_dict(), new.state_dict(), rows, ([4, 0], 5)).state)
    photo = [torch.randn(1, 8, 4, 4)]
    assert torch.equal(new(photo), old(photo)[..., [0, 5, 1]])


def test_boxes_of_a_class_go_with_it() -> None:
    old, new = nn.Linear(7, 4 * 4), nn.Linear(7, 3 * 4)
    rows = [ClassRows("weight|bias", background=1, values=4)]
    new.load_state_dict(carry(old.state_dict(), new.state_dict(), rows, ([2, 1], 3)).state)
    vector = torch.randn(7)
    assert torch.equal(new(vector).reshape(3, 4), old(vector).reshape(4, 4)[[0, 3, 2]])


def test_other_anchors_carry_nothing() -> None:
    old, new = nn.Conv2d(4, 3 * 5, 1), nn.Conv2d(4, 2 * 5, 1)
    carried = carry(old.state_dict(), new.state_dict(), [ClassRows("weight|bias")], ([0, 1, 2, 3, 4], 5))
    assert carried.taken == ()
    assert torch.equal(carried.state["weight"], new.weight)
    assert carried.other == ("weight", "bias")
