"""`vision synth tune`: what it draws, resumes, ends early, confirms and proposes; and that it opens no test photo."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from vision_cli.core import project
from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.core.synth_config import ClassifyConfig, LogosConfig, PasteConfig
from vision_cli.stages.searching import proposal
from vision_cli.stages.searching.axis import Axis
from vision_cli.stages.searching.trial import BASE, DONE, FAILED, LABELS, PRUNED, Trial, best_of
from vision_cli.stages.searching.verdict import verdict
from vision_cli.stages.synth.asking.commands import COMMANDS
from vision_cli.stages.synth.run import SynthRequest, make_photos
from vision_cli.stages.synth.tuning import journal, real, space, telling
from vision_cli.stages.synth.tuning.journal import Journal
from vision_cli.stages.synth.tuning.request import TuneRequest
from vision_cli.stages.synth.tuning.trying import Trying
from vision_cli.stages.synth.tuning.tune import tune

pytest.importorskip("optuna")

SETTINGS = ("synth.logos.image_size=96", "synth.logos.size_share=[0.3,0.6]")
FILE = """\
name: fruit
task: detect
synth:
  logos:   # flat things
    logos: logos
    backgrounds: photos
    rotation_deg: 20  # by hand
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    """A project with two logos and three backgrounds, and a labelled set with a split in `judge`."""
    root = tmp_path_factory.mktemp("tune")
    (root / "logos").mkdir()
    (root / "photos").mkdir()
    for name, colour in (("kiwi", (20, 160, 40, 255)), ("plum", (120, 10, 90, 255))):
        logo = Image.new("RGBA", (80, 80))
        ImageDraw.Draw(logo).ellipse((4, 4, 75, 75), fill=colour)
        logo.save(root / "logos" / f"{name}.png")
    rng = np.random.default_rng(5)
    for number in range(3):
        photo = rng.normal(90 + 40 * number, 4, (72, 96, 3))
        Image.fromarray(photo.clip(0, 255).astype(np.uint8)).save(root / "photos" / f"{number}.png")
    (root / "vision.yaml").write_text(FILE)
    loaded = project.load(root / "vision.yaml", (*SETTINGS, "synth.logos.seed=9", "synth.logos.per_photo=2"))
    more = {"count": 12, "out": root / "judge", "format": "yolo", "workers": 1}
    make_photos(SynthRequest(replace(loaded), "logos", **more))
    return root


@pytest.fixture
def root(inputs, tmp_path) -> Path:
    """A copy of the project of this test's own."""
    shutil.copytree(inputs, tmp_path / "project", dirs_exist_ok=True)
    return tmp_path / "project"


def request_of(root: Path, *, more=(), **given) -> TuneRequest:
    loaded = project.load(root / "vision.yaml", (*SETTINGS, *more))
    return TuneRequest(loaded, "logos", str(root / "judge" / "yolo"), workers=1, **{"trials": 6, "confirm": 0, **given})


@pytest.fixture
def scored(monkeypatch):
    """Replace making and training by a formula of the settings; return the calls."""
    calls = []

    def score(self, settings, again, watch, progress):
        calls.append((dict(settings), again))
        value = 1 - abs(settings["rotation_deg"] - 120) / 180 + 0.001 * again
        for epoch in range(self.epochs):
            watch(value * (epoch + 1) / self.epochs)
        return value

    monkeypatch.setattr(Trying, "score", score)
    return calls


@pytest.fixture(autouse=True)
def undrawn(request, monkeypatch):
    """Draw photos into pages only where the test is about that."""
    if "drawn_pages" not in request.fixturenames:
        monkeypatch.setattr(telling, "_sheet", lambda asked: b"jpeg")


@pytest.fixture
def drawn_pages() -> None:
    """Ask for photos in pages."""


def test_the_first_trial_is_the_project_file_and_the_second_what_the_labels_tell(root, scored):
    found = tune(request_of(root, trials=2))
    first, second = found.trials
    assert (first.origin, second.origin) == (BASE, LABELS)
    assert first.settings["rotation_deg"] == 20
    texts = [path.read_text() for path in (root / "judge/yolo").rglob("val/*.txt")]
    boxes = [line.split() for text in texts for line in text.splitlines()]
    assert boxes
    # the longer side of each box over the longer side of its photo, which is 96 x 72, in the words of the YOLO files
    longer = [max(float(w) * 96, float(h) * 72) / 96 for _, _, _, w, h in boxes]
    assert second.settings["size_share"] == pytest.approx(np.percentile(longer, [5, 95]), abs=0.002)
    assert second.settings["rotation_deg"] == 20


def test_a_search_that_stops_draws_what_one_draws_that_does_not(root, scored):
    whole = tune(request_of(root, trials=14, out=root / "whole"))
    for trials in (3, 3, 9, 14):
        parts = tune(request_of(root, trials=trials, out=root / "parts"))
    assert [dict(each.settings) for each in parts.trials] == [dict(each.settings) for each in whole.trials]
    assert len(scored) == 2 * 14


def test_a_search_finds_what_scores_high(root, scored):
    found = tune(request_of(root, trials=30, search=("rotation_deg", "loose")))
    assert found.found is not None
    assert found.found.best is not None
    assert abs(found.found.best.settings["rotation_deg"] - 120) < 15
    assert set(found.settings) == {"rotation_deg", "loose"}


def test_hopeless_trials_end_early_and_are_no_best(root, scored):
    found = tune(request_of(root, trials=16, epochs=4))
    early = [each for each in found.trials if each.state == PRUNED]
    assert early
    for each in early:
        assert each.score is None
        assert 1 <= len(each.scores) < 4
    # a median of whole trials is what they were below, by an own count
    for each in early:
        before = [t for t in found.trials if t.number < each.number and t.state == DONE]
        step = len(each.scores) - 1
        assert max(each.scores) < np.median([t.scores[step] for t in before])


def test_best_and_file_are_tried_again_with_other_seeds(root, scored):
    found = tune(request_of(root, trials=12, confirm=3))
    again = [each for each in found.trials if each.again]
    assert found.found.better is True
    assert {(each.number, each.again) for each in again} == {
        (number, seed) for number in (1, found.found.best.number) for seed in (1, 2, 3)
    }
    assert "rotation_deg" in found.settings
    once_more = tune(request_of(root, trials=12, confirm=3))
    assert len(once_more.trials) == len(found.trials)


def test_luck_is_no_gain(root, monkeypatch):
    rng = np.random.default_rng(3)

    def score(self, settings, again, watch, progress):
        return 0.5 + 0.1 * rng.random() if not again else 0.5 + 0.1 * (again % 2 == (settings["rotation_deg"] == 20))

    monkeypatch.setattr(Trying, "score", score)
    found = tune(request_of(root, trials=8, confirm=3))
    assert found.found.better is False
    assert not found.settings
    assert not found.diff
    assert not (found.folder / journal.DIFF).exists()
    assert "does not hold" in found.found.said


def test_a_trial_that_fails_is_written_down_and_the_search_goes_on(root, monkeypatch):
    def score(self, settings, again, watch, progress):
        if settings["loose"] > 0.5:
            raise DataError("nothing was learned.")
        return settings["loose"]

    monkeypatch.setattr(Trying, "score", score)
    found = tune(request_of(root, trials=10))
    failed = [each for each in found.trials if each.state == FAILED]
    assert failed
    assert {each.said for each in failed} == {"nothing was learned."}
    assert len(found.trials) == 10
    assert best_of(list(found.trials)).settings["loose"] <= 0.5


def test_the_first_trial_must_not_fail(root, monkeypatch):
    def score(self, settings, again, watch, progress):
        raise DataError("no weights.")

    monkeypatch.setattr(Trying, "score", score)
    with pytest.raises(DataError, match="no weights"):
        tune(request_of(root))


def test_time_ends_a_search_before_its_trials(root, monkeypatch):
    clock = [0.0]

    def score(self, settings, again, watch, progress):
        clock[0] += 60
        return 1 - abs(settings["rotation_deg"] - 120) / 180

    monkeypatch.setattr(Trying, "score", score)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    found = tune(request_of(root, trials=None, minutes=20, confirm=2))
    assert clock[0] <= 20 * 60
    assert sum(not each.again for each in found.trials) == 16
    assert sum(each.again > 0 for each in found.trials) == 4


def test_other_settings_and_other_photos_are_refused_by_name(root, scored):
    tune(request_of(root, trials=1))
    with pytest.raises(UsageError, match="other settings") as refused:
        tune(request_of(root, trials=2, epochs=9))
    assert any(line.startswith("epochs: 4 there, 9 now") for line in refused.value.details)
    label = next((root / "judge/yolo").rglob("val/*.txt"))
    label.write_text(label.read_text().splitlines()[0] + "\n")
    with pytest.raises(UsageError) as refused:
        tune(request_of(root, trials=2))
    assert [line.split(":")[0] for line in refused.value.details] == ["real"]


def test_two_searches_do_not_write_into_one_folder(root, scored):
    first = tune(request_of(root, trials=1))
    with Journal(first.folder).held({}), pytest.raises(ResourceError, match="another run"):
        tune(request_of(root, trials=2))


def test_photos_to_learn_from_and_to_judge_on_in_the_end_are_not_opened(root, scored):
    for photo in [*(root / "judge/yolo").rglob("train/*.jpg"), *(root / "judge/yolo").rglob("test/*.jpg")]:
        content = bytearray(photo.read_bytes())
        content[len(content) // 2 :] = b""  # its header is there, its pixels are not
        photo.write_bytes(content)
    found = tune(request_of(root, trials=1))
    kept = [path.name for path in (found.folder / "real").rglob("*.jpg")]
    assert sorted(kept) == sorted(path.name for path in (root / "judge/yolo").rglob("val/*.jpg"))
    assert found.photos == len(kept) > 0


def test_a_set_without_a_side_for_choosing_is_refused(root, scored):
    data = yaml.safe_load((root / "judge/yolo/data.yaml").read_text())
    shutil.rmtree(root / "judge/yolo/images/val")
    (root / "judge/yolo/data.yaml").write_text(yaml.safe_dump({k: v for k, v in data.items() if k != "val"}))
    with pytest.raises(DataError, match="no photo on its side 'val'"):
        tune(request_of(root))


def test_backgrounds_among_the_photos_to_judge_on_are_refused(root, scored):
    photos = next((root / "judge/yolo").rglob("val/*.jpg")).parent
    shutil.copytree(photos, root / "copies")
    for folder in (photos, root / "copies"):
        with pytest.raises(UsageError, match="are backgrounds as well"):
            tune(request_of(root, backgrounds=str(folder)))


def test_photos_without_an_object_of_these_classes_are_refused(root, scored):
    (root / "logos" / "kiwi.png").rename(root / "logos" / "pear.png")
    (root / "logos" / "plum.png").rename(root / "logos" / "fig.png")
    with pytest.raises(DataError, match="shows one of the objects"):
        tune(request_of(root))


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (("synth.tune.search={rotatoin_deg: null}",), "Did you mean 'rotation_deg'"),
        (("synth.tune.search={rotation_deg: [0, 400]}",), "less than or equal to 180"),
        (("synth.tune.search={rotation_deg: [9, 9]}",), "is no range"),
        (("synth.tune.search={looks: [0, 1]}",), "has no range"),
        (("task=semantic",), "learn detect or instance"),
        (("task=classify",), "--of classify"),
        (("synth.logos.side=val",), "judged on photos of that side"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(root, scored, more, match):
    with pytest.raises(UsageError) as refused:
        tune(request_of(root, more=more))
    assert match in f"{refused.value.message} {refused.value.hint}"
    assert not scored
    assert not (root / "synth").exists()


def test_a_dry_run_writes_nothing(root, scored):
    before = sorted(path.name for path in root.rglob("*"))
    found = tune(request_of(root, dry_run=True))
    assert found.dry_run
    assert sorted(path.name for path in root.rglob("*")) == before
    assert not scored


@pytest.mark.parametrize("name", ["logos", "paste", "classify"])
@pytest.mark.parametrize("names", [(), space.NAMES])
def test_every_point_of_the_space_is_a_valid_section(name, names):
    section = {"logos": LogosConfig, "paste": PasteConfig, "classify": ClassifyConfig}[name]()
    names = tuple(each for each in names if each != "size_share" and (name != "classify" or each != "per_photo"))
    knobs = space.space(name, section, dict.fromkeys(names), COMMANDS[name].looks)
    rng = np.random.default_rng(7)
    for _ in range(20):
        place = {axis.name: drawn(axis, rng) for axis in space.axes_of(knobs)}
        settings = space.settings_at(knobs, place)
        checked = space.with_settings(section, settings, "here")
        for key, value in settings.items():
            assert json.dumps(getattr(checked, key)) == json.dumps(value)
        back = space.place_of(knobs, checked)
        assert space.settings_at(knobs, back).keys() == settings.keys()
        for key, value in space.settings_at(knobs, back).items():
            assert close(value, settings[key]), (key, value, settings[key])


def drawn(axis: Axis, rng: np.random.Generator):
    if axis.words:
        return str(rng.choice(axis.words))
    ends = (axis.low, axis.high)
    value = np.exp(rng.uniform(*np.log(ends))) if axis.log else rng.uniform(*ends)
    return round(value) if axis.whole else float(value)


def close(one, other) -> bool:
    if isinstance(one, dict):  # weights count against each other
        total = sum(one.values()), sum(other.values())
        return all(abs(one.get(k, 0) / total[0] - other.get(k, 0) / total[1]) < 0.02 for k in {*one, *other})
    if isinstance(one, list | tuple) and not any(isinstance(each, str) for each in one):
        return np.allclose(one, other, rtol=0.02)
    return one == other if isinstance(one, list) else abs(one - other) <= 0.02 * abs(other) + 1e-9


CHANGE = {"size_share": (0.04, 0.2), "rotation_deg": 45.0, "looks": {"plain": 1.0, "glass": 0.25}, "blends": ["alpha"]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: x\n",
        "name: x",
        "# a word\nname: x\n\nsynth:\n  logos:\n    logos: a   # here\n    size_share: [0.1, 0.2]  # keep\n    # end\n"
        "\ntrain:\n  epochs: 3\n",
        "synth: {logos: {logos: a, size_share: [1, 2]}}\n",
        "synth: {}\n",
        "synth:\n  logos:   # nothing yet\ntrain: {epochs: 3}\n",
        "synth:\n",
        "synth:\n  paste: {count: 3}\ntrain: {}",
        "synth:\n  logos:\n    size_share:\n      - 0.1\n      - 0.2   # high\n    count: 5\n",
        "synth:\n    logos:\n        looks:\n            plain: 1\n            neon: 2\n        count: 5\n",
        "synth:\r\n  logos:\r\n    count: 5\r\ntrain: {epochs: 3}\r\n",
        "train: {}\nsynth:\n  logos:\n    count: 5",
    ],
)
def test_a_diff_changes_the_settings_and_nothing_else(text, tmp_path):
    file = tmp_path / "vision.yaml"
    file.write_bytes(text.encode())
    diff = proposal.diff(file, ("synth", "logos"), CHANGE)
    assert diff is not None
    wanted = yaml.safe_load(text) or {}
    section = ((wanted.get("synth") or {}).get("logos")) or {}
    plain = json.loads(json.dumps(CHANGE))
    wanted["synth"] = {**(wanted.get("synth") or {}), "logos": {**section, **plain}}
    (tmp_path / "change.diff").write_bytes(diff.encode())
    if shutil.which("patch") is None:
        pytest.skip("no patch")
    subprocess.run(["patch", "-p1", "--binary", "-s", "-i", "change.diff"], cwd=tmp_path, check=True)
    after = file.read_bytes().decode()
    assert yaml.safe_load(after) == wanted
    for line in text.splitlines():
        if "#" in line and "high" not in line:
            assert line[line.index("#") :] in after


@pytest.mark.parametrize(
    "text", ["x: &a {count: 1}\nsynth:\n  logos: *a\n", "synth:\n  logos: &b\n    <<: {count: 2}\n"]
)
def test_a_file_that_cannot_be_edited_is_left_to_the_user(text, tmp_path):
    file = tmp_path / "vision.yaml"
    file.write_text(text)
    found = proposal.diff(file, ("synth", "logos"), CHANGE)
    if found is not None:  # only where what is read afterwards is what was wanted
        assert yaml.safe_load(proposal.edited(text, ("synth", "logos"), CHANGE))["synth"]["logos"]["rotation_deg"] == 45


def test_the_project_file_with_the_diff_has_the_best_settings(root, scored, drawn_pages):
    found = tune(request_of(root, trials=12, confirm=2))
    subprocess.run(["patch", "-p1", "-s", "-i", str(found.diff_file)], cwd=root, check=True)
    after = project.load(root / "vision.yaml", SETTINGS[:1]).config.synth.logos
    for name, value in found.found.best.settings.items():
        assert json.dumps(getattr(after, name)) == json.dumps(value)
    assert "# flat things" in (root / "vision.yaml").read_text()
    page = (found.folder / journal.PAGE).read_text()
    assert "rotation_deg" in page
    assert "better" in page


def test_a_verdict_without_fresh_seeds_says_so():
    place = {"x": 0.0}
    trials = [Trial(1, BASE, 0, {}, place, (), 0.3), Trial(2, "search", 0, {}, place, (), 0.5)]
    found = verdict(trials, "ap50", 3)
    assert found.better is None
    assert "luck" in found.said


def test_few_photos_are_told(root, scored):
    found = tune(request_of(root, trials=1))
    assert found.photos < real.FEW
    assert any("few" in note for note in found.notes)


def test_a_first_trial_that_learned_nothing_is_told(root, monkeypatch):
    monkeypatch.setattr(Trying, "score", lambda self, settings, again, watch, progress: 0.001)
    found = tune(request_of(root, trials=1))
    assert any("next to nothing" in note for note in found.notes)


@pytest.mark.slow
def test_photos_are_made_and_learned_from(root):
    pytest.importorskip("torch")
    given = {"trials": 3, "photos": 12, "epochs": 1, "confirm": 1, "offline": True}
    more = ("model.input.size=64", "train.workers=0", "model.weights=none")
    found = tune(request_of(root, more=more, **given))
    assert len([each for each in found.trials if not each.again]) == 3
    assert all(each.score is not None and 0 <= each.score <= 1 for each in found.trials)
    assert found.page is not None
    assert not (found.folder / "trial").exists()
    assert not (root / "runs").exists()
    assert not (root / "splits.json").exists()
