"""Runs record the version of the data they saw; evaluating or resuming on other data says so, with counts."""

import json
import shutil

import pytest
import stage_projects as small


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project that was committed, then trained."""
    root = small.write_project(tmp_path_factory.mktemp("versions") / "p", "photos", train="{epochs: 1, workers: 0}")
    small.class_folders(root / "photos", 12, ("winter", "summer"))
    small.done(root, "data", "commit", "-m", "first")
    small.done(root, "train", "--json")
    return root


@pytest.fixture
def root(trained, copy):
    return copy(trained)


def version(root):
    return json.loads((root / ".vision" / "versions" / "log.jsonl").read_text().splitlines()[-1])["id"]


def manifest(root, stage):
    return json.loads((root / "runs" / stage / "latest" / "run.json").read_text())


def evaluated(root):
    called = small.call(root, "eval", "--json")
    assert called.code == 0, called.err
    return called.document


def test_a_run_records_the_version_it_saw(trained):
    seen = manifest(trained, "train")
    assert seen["data_version"] == version(trained)
    assert seen["data_digest"]
    assert seen["data_sources"] == {}


def test_eval_on_the_same_data_warns_of_nothing_and_records_it(root):
    found = evaluated(root)
    assert found["data"]["version"] == version(root) == manifest(root, "eval")["data_version"]
    assert not any("changed" in line for line in found["warnings"])


@pytest.mark.parametrize(("words", "stage"), [(("--overfit", "4"), "overfit"), (("--fraction", "0.5"), "trial")])
def test_a_trial_on_a_part_saw_the_whole_view_and_eval_says_what_it_is(root, words, stage):
    small.call(root, "train", *words, "--epochs", "1", "--json")
    assert manifest(root, stage)["data_version"] == version(root)
    found = small.call(root, "eval", "--model", f"runs/{stage}/latest", "--json").document
    assert not any("changed" in line for line in found["warnings"])
    (told,) = [line for line in found["warnings"] if "trial" in line]
    photos = manifest(root, stage)["learned_of"]
    assert f"saw {photos} photos" in told
    assert photos == 4 or stage == "trial"


def test_eval_on_other_labels_says_what_changed(root):
    (root / "photos" / "winter" / "00.jpg").rename(root / "photos" / "summer" / "moved.jpg")
    small.draw(root / "photos" / "summer" / "new.jpg", (1, 2, 3), small.np.random.default_rng(9))
    found = evaluated(root)
    told = [line for line in found["warnings"] if line.startswith("the data changed since this model was trained")]
    assert f"since version {version(root)[:12]}: 1 photos added, 1 photos renamed" in told[0]
    assert "1 annotations added, 1 annotations changed" in told[0]
    assert found["data"]["version"] is None
    assert manifest(root, "eval")["data_version"] is None


def test_eval_on_other_bytes_says_so_where_the_version_is_known(root):
    small.draw(root / "photos" / "winter" / "00.jpg", small.COLOURS["winter"], small.np.random.default_rng(9))
    told = [line for line in evaluated(root)["warnings"] if line.startswith("photos changed since")]
    assert told == [
        f"photos changed since this model was trained, and no label did (since version {version(root)[:12]}: "
        "1 photos with other bytes)."
    ]


def test_eval_without_the_version_still_says_that_the_data_changed(root):
    (root / "photos" / "winter" / "00.jpg").unlink()
    shutil.rmtree(root / ".vision" / "versions")
    told = [line for line in evaluated(root)["warnings"] if line.startswith("the data changed")]
    assert told == ["the data changed since this model was trained: test photos may have been training photos then."]


def test_a_damaged_store_stops_no_evaluation(root):
    (root / ".vision" / "versions" / "log.jsonl").write_text("{\n")
    called = small.call(root, "eval", "--json")
    assert called.code == 0
    assert "the version of the data is not known" in called.err
    assert called.document["data"]["version"] is None


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda photos: (photos / "winter" / "00.jpg").unlink(), "1 photos removed"),
        (
            lambda photos: small.draw(photos / "winter" / "00.jpg", (9, 9, 9), small.np.random.default_rng(9)),
            "1 photos with other bytes",
        ),
    ],
)
def test_resuming_on_other_data_is_refused_with_what_changed(root, change, counts):
    shutil.rmtree((root / "runs" / "train" / "latest").resolve() / "model")
    change(root / "photos")
    called = small.call(root, "train", "--resume", "--json")
    assert called.code == 3
    (line,) = called.document["error"]["details"]
    assert line.startswith(f"since version {version(root)[:12]}: {counts}")
