"""A setting that this kind of training has no use for is said, and one that it has is not."""

import pytest

from vision_cli.core.config import ProjectConfig
from vision_cli.stages.training.fitting import unused_settings


@pytest.mark.parametrize(
    ("family", "frozen", "train", "expected"),
    [
        ("timm", True, {"augment": "strong", "layer_decay": 0.5, "epochs": 3}, ["train.augment", "train.layer_decay"]),
        ("timm", True, {"augment": "none"}, []),
        ("timm", True, {"augment": "medium", "freeze": "auto"}, []),
        ("timm", False, {"augment": "strong", "layer_decay": 0.5}, []),
        ("timm", False, {"mosaic": 0.5, "multi_scale": True}, ["train.mosaic", "train.multi_scale"]),
        ("features", True, {"epochs": 7, "freeze": "none", "batch_size": 8}, ["train.epochs", "train.freeze"]),
        ("features", True, {"augment": "medium", "device": "cpu"}, []),
    ],
)
def test_settings_without_effect_are_named(
    family: str, frozen: bool, train: dict[str, object], expected: list[str]
) -> None:
    config = ProjectConfig.model_validate({"model": {"family": family}, "train": train})
    assert unused_settings(config, frozen=frozen) == expected
