"""The classes of public sets: against the libraries that publish them, and found by the words that people use."""

from __future__ import annotations

import pytest

from vision_cli.models import known
from vision_cli.models.known import DATASETS, WAYS
from vision_cli.models.known.words import plain, singular, stem


def found(word: str, dataset: str) -> list[tuple[str, str]]:
    return [(each.label, each.how) for each in known.known([word]) if each.dataset == dataset]


def test_every_set_has_as_many_classes_as_it_is_known_for() -> None:
    sizes = {name: len(known.labels(name)) for name in DATASETS}
    assert sizes == {name: each.n_classes for name, each in DATASETS.items()}
    assert (sizes["imagenet-1k"], sizes["coco"], sizes["lvis"], sizes["voc"]) == (1000, 80, 1203, 20)
    assert (sizes["kitti"], sizes["cityscapes"], sizes["ade20k"]) == (8, 19, 150)
    assert sizes["openimages"] in (600, 601)  # the makers speak of 600, their list of boxable classes has 601 lines


def test_imagenet_is_in_the_order_in_which_torchvision_answers() -> None:
    from torchvision.models import ResNet18_Weights

    assert list(known.labels("imagenet-1k")) == ResNet18_Weights.DEFAULT.meta["categories"]


def test_imagenet_is_in_the_order_in_which_timm_answers() -> None:
    """timm's lemmas of class i name what our class i is called, or our synonyms do."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    for index in range(1000):
        lemmas = {plain(name) for name in info.index_to_description(index).split(",")}
        assert any(each.index == index for name in lemmas for each in known.known([name])), index


def test_cocos_ids_are_those_of_torchvisions_ninety_one() -> None:
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    names = FasterRCNN_ResNet50_FPN_Weights.DEFAULT.meta["categories"]
    by_id = {each.id: each for label in known.labels("coco") for each in known.known([label]) if each.dataset == "coco"}
    assert {number: each.label for number, each in by_id.items()} == {
        number: name for number, name in enumerate(names) if name not in ("N/A", "__background__")
    }
    assert [by_id[number].index for number in sorted(by_id)] == list(range(80))


def test_vocs_classes_are_those_of_torchvisions_segmenters() -> None:
    from torchvision.models.segmentation import LRASPP_MobileNet_V3_Large_Weights

    assert list(known.labels("voc")) == LRASPP_MobileNet_V3_Large_Weights.DEFAULT.meta["categories"][1:]


def test_a_hot_dog_is_in_coco_and_in_imagenet_however_it_is_written() -> None:
    for word in ("hot dog", "hot dogs", "hotdogs", "Hot-Dog", "HOT_DOGS"):
        assert [label for label, _ in found(word, "coco")] == ["hot dog"], word
        assert [label for label, _ in found(word, "imagenet-1k")] == ["hotdog"], word
        assert [label for label, _ in found(word, "openimages")] == ["Hot dog"], word
    assert found("dog", "coco") == [("dog", "name")]
    assert "hot dog" not in [each.label for each in known.known(["dog"])]


@pytest.mark.parametrize(
    ("word", "dataset", "label", "how"),
    [
        ("sofa", "coco", "couch", "synonym"),
        ("aeroplane", "coco", "airplane", "synonym"),
        ("people", "coco", "person", "plural"),
        ("buses", "coco", "bus", "plural"),
        ("mice", "coco", "mouse", "plural"),
        ("knives", "coco", "knife", "plural"),
        ("benches", "coco", "bench", "plural"),
        ("sandwiches", "coco", "sandwich", "plural"),
        ("aubergine", "lvis", "eggplant", "synonym"),
        ("tyre", "openimages", "Tire", "stem"),
        ("trafficlight", "cityscapes", "traffic light", "stem"),
        ("lorry", "kitti", "Truck", "synonym"),
        ("number plate", "openimages", "Vehicle registration plate", "synonym"),
        ("trash can", "ade20k", "ashcan", "synonym"),
        ("lavatory seat", "imagenet-1k", "toilet seat", ""),
    ],
)
def test_other_words_for_it(word: str, dataset: str, label: str, how: str) -> None:
    assert ((label, how) in found(word, dataset)) == bool(how)


def test_kinds_are_counted_as_imagenet_is_known_to_hold_them() -> None:
    """118 breeds of dogs, 59 birds, 17 snakes and 398 animals: Deng et al. 2009 and what is written of it since."""
    for word, count in (("dogs", 118), ("bird", 59), ("snake", 17), ("animal", 398)):
        assert [how for _, how in found(word, "imagenet-1k")] == ["kind"] * count, word
    assert {label for label, _ in found("sharks", "imagenet-1k")} >= {"great white shark", "tiger shark"}
    assert [label for label, _ in found("vehicle", "coco")] == [
        "bicycle",
        "car",
        "motorcycle",
        "airplane",
        "bus",
        "train",
        "truck",
        "boat",
    ]


def test_a_kind_is_only_told_where_the_set_has_no_class_of_that_name() -> None:
    assert found("bird", "lvis") == [("bird", "name")]
    assert all(how != "kind" for _, how in found("truck", "lvis"))


def test_the_most_frequent_sense_of_a_word_is_meant() -> None:
    """`toy` is a plaything and no toy poodle; `pointer` and `boxer` are no dogs here, `game` no bird."""
    for word in ("toy", "pointer", "game", "racer"):
        assert not any(
            "poodle" in label or "hound" in label or "grouse" in label for label, _ in found(word, "imagenet-1k")
        )


def test_the_surest_way_comes_first() -> None:
    rows = known.known(["cars"])
    order = list(DATASETS)
    keys = [(WAYS.index(each.how), order.index(each.dataset), each.index) for each in rows]
    assert keys == sorted(keys)
    assert all(each.word == "cars" for each in rows)
    assert known.known(["cars", "dogs"]) == [*rows, *known.known(["dogs"])]


@pytest.mark.parametrize("word", ["", " ", "scratch", "weld seam", "our logo", "qwertyuiop", "?!", "1", "()"])
def test_what_no_set_has_is_not_found(word: str) -> None:
    assert known.known([word]) == []


def test_a_description_names_its_things() -> None:
    rows = known.known_in("I want to find hot dogs and coffee mugs on our customers' dining tables")
    assert {each.word for each in rows} == {"hot dogs", "coffee mugs", "dining tables"}
    assert {each.label for each in rows if each.dataset == "coco"} >= {"hot dog", "dining table"}
    assert known.known_in("Find scratches in the photos of each customer") == []
    assert known.known_in("") == []


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("cars", "car"),
        ("boxes", "box"),
        ("cherries", "cherry"),
        ("glasses", "glass"),
        ("glass", "glass"),
        ("potatoes", "potato"),
        ("shoes", "shoe"),
        ("firemen", "fireman"),
        ("women", "woman"),
        ("bus", "bus"),
        ("lens", "lens"),
        ("octopus", "octopus"),
        ("tennis", "tennis"),
        ("houses", "house"),
        ("vases", "vase"),
        ("axes", "axe"),
        ("horses", "horse"),
        ("traffic lights", "traffic light"),
        ("gas stations", "gas station"),
        ("bees", "bee"),
        ("cats", "cat"),
        ("cups", "cup"),
        ("pies", "pie"),
    ],
)
def test_singulars(many: str, one: str) -> None:
    assert singular(many) == one


def test_spellings_meet() -> None:
    assert stem("coloured tyres") == stem("colored tire".replace("tire", "tires"))
    assert stem("grey Yoghurt".casefold()) == stem("gray yogurt")
    assert plain("Bat_(animal)") == "bat"
    assert plain("  Jack-o'-Lantern ") == "jack o lantern"


def test_nothing_heavy_is_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from vision_cli.models import known, published; known.known(['dogs']); published.rows();"
        "print(sorted({'torch', 'torchvision', 'timm', 'sklearn', 'cv2', 'PIL', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
