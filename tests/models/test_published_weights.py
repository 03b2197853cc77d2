"""The shipped table of published weights against the packages that publish them, and against what training fetches."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from vision_cli import models
from vision_cli.core.errors import UsageError
from vision_cli.exporters import EXPORTERS
from vision_cli.models import known, published
from vision_cli.models.published import Published
from vision_cli.models.ultralytics import published as ultralytics

RESULTS = Path(__file__).parents[2] / "bench" / "timm_results.csv"
ROWS = published.rows()
OF_TORCHVISION = [row for row in ROWS if "pytorch.org" in row.url and row.family != "timm"]
OF_TIMM = [row for row in ROWS if row.family == "timm"]


def test_names_are_unique_and_every_figure_is_there() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) > 300
    for row in ROWS:
        assert row.name == f"{row.family}/{row.backbone}"
        assert row.family in models.FAMILIES
        assert row.task in models.FAMILIES.card(row.family).tasks  # type: ignore[attr-defined]
        assert 10 < row.accuracy < 95, row.name
        assert min(row.params, row.macs, row.size_bytes, row.size_px) > 0, row.name
        assert row.n_classes == known.DATASETS[row.dataset].n_classes
        assert row.metric in published.METRICS
        assert row.accuracy_from.startswith("https://")
        assert row.url.startswith("https://")
        assert set(row.exports) <= set(EXPORTERS)


def test_torchvisions_figures_are_those_of_its_own_metadata() -> None:
    import torchvision

    keys = {"top1": ("ImageNet-1K", "acc@1"), "box_ap": ("COCO-val2017", "box_map")}
    keys |= {"mask_ap": ("COCO-val2017", "mask_map"), "miou": ("COCO-val2017-VOC-labels", "miou")}
    for row in OF_TORCHVISION:
        weights = torchvision.models.get_model_weights(row.backbone).DEFAULT
        measured, key = keys[row.metric]
        assert row.accuracy == weights.meta["_metrics"][measured][key], row.name
        assert row.params == weights.meta["num_params"], row.name
        assert row.macs == pytest.approx(weights.meta["_ops"] * 1e9, abs=1e5), row.name
        assert row.size_bytes == pytest.approx(weights.meta["_file_size"] * 2**20, abs=1000), row.name
        assert row.url == weights.url


def test_every_network_of_torchvision_is_there() -> None:
    import torchvision

    from vision_cli.models.places.published import PUBLISHED

    classifiers = set(torchvision.models.list_models(module=torchvision.models))
    assert {row.backbone for row in ROWS if row.family == "torchvision"} == classifiers
    assert {row.backbone for row in OF_TORCHVISION if row.task != "classify"} == set(PUBLISHED)


def test_timms_rows_are_rows_of_its_results_at_the_size_that_the_network_takes() -> None:
    with RESULTS.open(encoding="utf-8", newline="") as file:
        results = {(row["model"], int(row["img_size"])): row for row in csv.DictReader(file)}
    for row in OF_TIMM:
        said = results[row.backbone, row.size_px]
        assert row.accuracy == float(said["top1"]), row.name
        # A column of theirs that is counted here: a row that slipped would not agree.
        assert row.params / 1e6 == pytest.approx(float(said["param_count"]), abs=0.0101), row.name


def test_timm_knows_its_weights_with_this_size_and_these_classes() -> None:
    import timm

    for row in OF_TIMM:
        config = timm.models.get_pretrained_cfg(row.backbone)
        assert config is not None, row.name
        assert config.input_size[-1] == row.size_px, row.name
        assert config.num_classes == row.n_classes == 1000, row.name
        assert config.hf_hub_id is None or f"/{config.hf_hub_id}/" in row.url, row.name


@pytest.mark.parametrize(
    ("of_timm", "of_torchvision"),
    [
        ("resnet50.a1_in1k", "resnet50"),
        ("resnet18.tv_in1k", "resnet18"),
        ("vgg16.tv_in1k", "vgg16"),
        ("densenet121.ra_in1k", "densenet121"),
        ("mobilenetv3_large_100.ra_in1k", "mobilenet_v3_large"),
        ("mobilenetv2_100.ra_in1k", "mobilenet_v2"),
        ("convnext_tiny.fb_in1k", "convnext_tiny"),
        ("regnety_016.tv2_in1k", "regnet_y_1_6gf"),
    ],
)
def test_multiply_adds_counted_here_are_those_that_torchvision_reports(of_timm: str, of_torchvision: str) -> None:
    counted, reported = published.find(f"timm/{of_timm}"), published.find(f"torchvision/{of_torchvision}")
    assert counted.size_px == reported.size_px
    assert counted.params == pytest.approx(reported.params, rel=0.001)
    assert counted.macs == pytest.approx(reported.macs, rel=0.05)


def test_sizes_counted_from_tensors_are_those_of_files() -> None:
    for of_timm, of_torchvision in (("resnet18.tv_in1k", "resnet18"), ("densenet121.ra_in1k", "densenet121")):
        counted, reported = published.find(f"timm/{of_timm}"), published.find(f"torchvision/{of_torchvision}")
        assert (counted.size_from, reported.size_from) == ("counted", "published")
        assert counted.size_bytes == pytest.approx(reported.size_bytes, rel=0.02)


def test_what_training_fetches_is_what_the_table_says() -> None:
    from vision_cli.models import timm, torchvision
    from vision_cli.models.places.published import PUBLISHED

    def fetched(row: Published) -> object:
        if row.family == "timm":
            return timm.source(row.backbone)
        if row.family == "torchvision":
            return torchvision.source(row.backbone)
        return ultralytics.coco(row.backbone) if row.family.startswith("yolo") else PUBLISHED[row.backbone].coco

    for row in ROWS:
        source = fetched(row)
        assert source is not None
        have = (source.url, source.file_name, source.sha256_prefix)  # type: ignore[attr-defined]
        assert (row.source.url, row.source.file_name, row.source.sha256_prefix) == have, row.name


def test_the_families_say_the_same_of_their_weights() -> None:
    said = {
        (family, each.backbone): (each.value, each.licence)
        for family, card in models.FAMILIES.cards().items()
        for each in getattr(card, "reported", ())
    }
    table = {(row.family, row.backbone): (row.accuracy, row.licence) for row in ROWS if row.task != "classify"}
    assert table == said


def test_permissive_is_what_may_be_used_with_a_mention() -> None:
    licences = {row.licence: row.permissive for row in ROWS}
    assert not any(free for name, free in licences.items() if "NC" in name or "GPL" in name or name == "NOASSERTION")
    assert licences["Apache-2.0"]
    assert licences["BSD-3-Clause"]
    assert published.find("torchvision/vit_h_14").licence == "CC-BY-NC-4.0"
    assert published.find("yolo11n").licence == "AGPL-3.0"


def test_names_as_people_type_them() -> None:
    assert published.find("yolo11n").name == "yolo/yolo11n"
    assert published.find("torchvision/resnet50").family == "torchvision"
    assert published.find("resnet50").name == "torchvision/resnet50"
    assert published.find("timm/tf_efficientnet_lite0").name == "timm/tf_efficientnet_lite0.in1k"
    with pytest.raises(UsageError, match="several") as several:
        published.find("timm/resnet50")
    assert "timm/resnet50.a1_in1k" in (several.value.hint or "")
    with pytest.raises(UsageError, match="no published weights 'yolo11q'") as unknown:
        published.find("yolo11q")
    assert "yolo11" in (unknown.value.hint or "")


def test_a_mirror_of_hugging_face_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    row = published.find("timm/resnet18.a1_in1k")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert row.source.url == row.url.replace("https://huggingface.co", "https://mirror.example")
    assert published.find("yolo11n").source.url == published.find("yolo11n").url


def test_weights_that_know_a_class() -> None:
    tasks = {row.task for row in published.knowing(known.known(["hot dogs"]))}
    assert tasks == {"classify", "detect", "instance"}
    sofa = {row.task for row in published.knowing(known.known(["sofa"]))}
    assert sofa == {"detect", "instance", "semantic"}  # ImageNet has studio couches only
    assert published.knowing(known.known(["lavatory brush"])) == ()
