"""Confident learning: by the paper's definitions, beside cleanlab, and on real photos with known wrong labels."""

from pathlib import Path

import numpy as np
import pytest

from vision_cli.checks import confident, out_of_fold

# cleanlab 2.9.0 on `_synthetic`: get_confident_thresholds, compute_confident_joint(calibrate=False), find_label_issues(
# return_indices_ranked_by="normalized_margin").
CLEANLAB_THRESHOLDS = [0.620708, 0.64263, 0.602452, 0.587019]
CLEANLAB_JOINT = [[40, 3, 2, 3], [4, 44, 1, 2], [3, 2, 45, 3], [4, 2, 3, 47]]
CLEANLAB_ISSUES = [246, 190, 214, 129, 189, 150, 107, 90, 272, 256, 230, 47, 269, 200, 100, 49, 231, 297, 59, 277, 76,
                   121, 68, 243, 185, 169, 124, 219, 292, 170, 193, 132, 45, 22, 171, 78, 91, 253, 138, 261, 183, 296,
                   267, 149]  # fmt: skip


def _synthetic() -> tuple[np.ndarray, np.ndarray]:
    """300 photos of four classes, 40 labels moved; RandomState's stream never changes."""
    rng = np.random.RandomState(5)
    truth, logits = rng.randint(0, 4, 300), rng.normal(size=(300, 4))
    logits[np.arange(300), truth] += 2.5
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    given, moved = truth.copy(), rng.choice(300, 40, replace=False)
    given[moved] = (given[moved] + rng.randint(1, 4, 40)) % 4
    return probabilities.round(6), given


def test_thresholds_and_joint_follow_from_the_paper() -> None:
    # Class 0: self-confidence 0.9, 0.8, 0.1 -> 0.6; class 1: 0.7, 0.9 -> 0.8. Photo 2 is labelled 0 and reaches 1's
    # threshold alone; photo 3 is labelled 1 and reaches none.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.1, 0.9]])
    given = np.array([0, 0, 0, 1, 1])
    found = confident.doubts(probabilities, given)
    assert found.thresholds.tolist() == pytest.approx([0.6, 0.8])
    assert found.counts.tolist() == [[2, 1], [0, 1]]
    assert found.joint.tolist() == [pytest.approx([0.4, 0.2]), pytest.approx([0.0, 0.4])]
    assert found.share == pytest.approx(0.2)
    assert (found.rows.tolist(), found.suggested.tolist()) == ([2], [1])
    assert found.margins.tolist() == pytest.approx([-0.8])


def test_of_several_confident_classes_the_most_probable_counts() -> None:
    limits = np.array([0.3, 0.2, 0.9])
    table = confident.confident_joint(np.array([[0.4, 0.25, 0.35], [0.1, 0.3, 0.6]]), np.array([2, 2]), limits)
    assert table[2].tolist() == [1, 1, 1]  # the diagonal keeps at least one


def test_equals_cleanlab() -> None:
    probabilities, given = _synthetic()
    found = confident.doubts(probabilities, given)
    assert found.thresholds.tolist() == pytest.approx(CLEANLAB_THRESHOLDS, abs=1e-6)
    assert found.counts.tolist() == CLEANLAB_JOINT
    # Cells of 1.5 are rounded up or down; apart from those two the list and its order are the same.
    ours = found.rows.tolist()
    assert [row for row in CLEANLAB_ISSUES if row in ours] == ours
    assert len(CLEANLAB_ISSUES) - len(ours) <= 2


def test_a_class_without_label_and_a_perfect_model() -> None:
    probabilities = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = confident.doubts(probabilities, np.array([0, 1]))
    assert np.isinf(found.thresholds[2])
    assert found.share == 0
    assert not len(found.rows)


def test_the_interval_holds_the_share_and_does_not_end_at_nothing() -> None:
    probabilities, given = _synthetic()
    groups = np.arange(300)
    wide = confident.share_interval(probabilities, given, groups // 10, np.random.default_rng(0))
    narrow = confident.share_interval(probabilities, given, groups, np.random.default_rng(0))
    assert narrow.low < confident.doubts(probabilities, given).share < narrow.high
    assert wide.high - wide.low > 1.2 * (narrow.high - narrow.low)
    sure = confident.share_interval(
        np.eye(2)[[0, 1] * 20], np.array([0, 1] * 20), np.arange(40), np.random.default_rng(0)
    )
    assert (sure.value, sure.low) == (0, 0)
    assert sure.high == pytest.approx(0.0881, abs=1e-3)  # Wilson: z^2 / (n + z^2)


def test_same_seed_same_answer_and_groups_stay_together() -> None:
    rng = np.random.default_rng(1)
    classes, groups = np.repeat([0, 1, 2], 40), np.arange(120) // 3
    fold = out_of_fold.folds_of(classes, groups, rng)
    assert all(len(set(fold[groups == each])) == 1 for each in range(40))
    assert np.bincount(fold, minlength=5).min() >= 21
    rows = out_of_fold.scaled((np.eye(3)[classes] + rng.normal(size=(120, 3))).astype(np.float32))
    first, second = (out_of_fold.out_of_fold(rows, classes, groups, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.sum(axis=1) == pytest.approx(np.ones(120))


def test_held_out_photos_are_not_learned_from() -> None:
    """Labels by chance cannot be predicted; a classifier that had seen them would know them all."""
    rng = np.random.default_rng(2)
    rows = out_of_fold.scaled(rng.normal(size=(200, 300)).astype(np.float32))
    classes = rng.integers(0, 2, 200)
    probabilities = out_of_fold.out_of_fold(rows, classes, np.arange(200), rng)
    assert 0.38 < (probabilities.argmax(axis=1) == classes).mean() < 0.62


def test_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(4000, 3)) * 2
    truth = np.array([rng.choice(3, p=row) for row in out_of_fold.softmax(logits)])
    assert out_of_fold.temperature(logits * 3, truth) == pytest.approx(3, rel=0.08)


def test_turning_the_space_changes_no_answer() -> None:
    rng = np.random.default_rng(6)
    classes = rng.integers(0, 3, 60)
    wide = (rng.normal(size=(60, 200)) + 3 * np.eye(3)[classes] @ rng.normal(size=(3, 200))).astype(np.float32)
    turned = out_of_fold.scaled(wide)
    plain = (wide - wide.mean(axis=0)) / np.sqrt(np.square(wide - wide.mean(axis=0)).mean())
    assert turned.shape == (60, 60)
    ours = out_of_fold.softmax(out_of_fold.fit(turned, classes, 3).logits(turned))
    theirs = out_of_fold.softmax(out_of_fold.fit(plain, classes, 3).logits(plain))
    assert ours == pytest.approx(theirs, abs=0.01)


@pytest.mark.slow
def test_finds_flipped_labels_of_real_photos(shared_data: Path, vision, tmp_path: Path) -> None:
    """A tenth of the labels is wrong: cleanlab finds 86 to 91 % of them at a precision of about a half."""
    photos = sorted((shared_data / "clothing_small").glob("*/*/*.jpg"))
    names = sorted({path.parent.name for path in photos})
    rng = np.random.default_rng(0)
    moved = set(rng.choice(len(photos), len(photos) // 10, replace=False).tolist())
    wrong = set()
    for row, path in enumerate(photos):
        label = path.parent.name
        if row in moved:
            label = names[(names.index(label) + int(rng.integers(1, 10))) % 10]
            wrong.add(f"{label}/{path.name}")
        (tmp_path / "set" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / label / path.name).write_bytes(path.read_bytes())
    called = vision("data", "check", "set", "--only", "label-doubtful", "--json")
    assert called.code == 0, called.err
    (finding,) = called.document["findings"]
    listed = [place["file"] for place in finding["places"]]
    hits = sum(name in wrong for name in listed)
    assert hits / len(wrong) >= 0.75
    assert hits / len(listed) >= 0.4
    assert sum(name in wrong for name in listed[:30]) >= 18
    assert {"suggestion", "class", "value"} <= set(finding["places"][0])
