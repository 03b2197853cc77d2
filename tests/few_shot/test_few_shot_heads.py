"""The heads without scikit-learn give what scikit-learn gives; likeness and left-out answers what a slow way gives."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from vision_cli.core.errors import UsageError
from vision_cli.few_shot import heads, left_out, likeness, logistic, shots, svm

SIZES = [(30, 20, 3), (12, 40, 2), (100, 60, 10), (9, 200, 3)]


def clouds(number: int, length: int, size: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    classes = np.arange(number) % size
    middles = rng.normal(size=(size, length))
    return (middles[classes] + rng.normal(size=(number, length)) + 1).astype(np.float32), classes


def spread_of(rows):
    unit = normalize(rows.astype(np.float64))
    centred = unit - unit.mean(axis=0)
    return centred / np.sqrt((centred**2).sum(axis=1).mean())


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("number", "length", "size"), SIZES)
def test_logistic_regression_is_that_of_scikit_learn(number, length, size):
    rows, classes = clouds(number, length, size)
    model = LogisticRegression(C=heads.LOGISTIC_C, tol=1e-10, max_iter=100_000).fit(spread_of(rows), classes)
    found = heads.fit("logistic", rows, classes, size)
    expected = model.predict_proba(spread_of(rows))
    np.testing.assert_allclose(softmax(found.logits(rows)), expected, atol=1e-6)


@pytest.mark.parametrize(("number", "length", "size"), SIZES)
def test_the_svm_is_that_of_scikit_learn(number, length, size):
    rows, classes = clouds(number, length, size)
    model = LinearSVC(C=heads.SVM_C, tol=1e-9, max_iter=10_000_000).fit(spread_of(rows), classes)
    said = heads.fit("svm", rows, classes, size).logits(rows)
    expected = model.decision_function(spread_of(rows))
    np.testing.assert_allclose(said if size > 2 else said[:, 1], expected, atol=1e-6)
    if size == 2:
        np.testing.assert_allclose(said[:, 0], -said[:, 1], atol=1e-8)


def test_the_solvers_take_weak_and_strong_penalties():
    rows, classes = clouds(40, 15, 4)
    for strength in (1e-3, 1e3):
        hot, space = np.eye(4)[classes], spread_of(rows)
        weight, bias = logistic.fit(space, hot, strength)
        model = LogisticRegression(C=strength, tol=1e-12, max_iter=100_000).fit(space, classes)
        np.testing.assert_allclose(softmax(space @ weight.T + bias), model.predict_proba(space), atol=1e-5)
        weight, bias = svm.fit(space, hot, strength)
        assert np.isfinite(weight).all()
        assert np.isfinite(bias).all()


def test_nearest_mean_names_the_nearest_mean():
    rows, classes = clouds(60, 30, 5)
    others, _ = clouds(40, 30, 5, seed=1)
    means = np.array([normalize(rows)[classes == at].mean(axis=0) for at in range(5)])
    distances = np.linalg.norm(normalize(others)[:, None] - means[None], axis=2)
    said = heads.fit("nearest-mean", rows, classes, 5).logits(others)
    np.testing.assert_array_equal(said.argmax(axis=1), distances.argmin(axis=1))
    # and logits differ as squared distances do, in units of the variance of all rows
    centred = normalize(rows) - normalize(rows).mean(axis=0)
    unit = 4 / (centred**2).sum(axis=1).mean()
    np.testing.assert_allclose(said[:, 0] - said[:, 1], unit * (distances[:, 1] ** 2 - distances[:, 0] ** 2), atol=1e-4)


@pytest.mark.parametrize("head", heads.HEADS)
def test_one_class_alone_and_equal_photos_are_no_trouble(head):
    rows, _ = clouds(4, 10, 1)
    assert heads.fit(head, rows, np.zeros(4, np.int64), 1).logits(rows).tolist() == [[0.0]] * 4
    same = np.repeat(rows[:1], 4, axis=0)
    assert np.isfinite(heads.fit(head, same, np.array([0, 1, 0, 1]), 2).logits(same)).all()


def test_an_unknown_head_is_guessed():
    with pytest.raises(UsageError, match="unknown head 'logistc'") as caught:
        heads.card("logistc")
    assert "logistic" in (caught.value.hint or "")


def test_left_out_logits_are_those_of_heads_that_never_saw_the_photo():
    rows, classes = clouds(12, 20, 3)
    found = left_out.logits("logistic", rows, classes, 3)
    for at in range(12):
        others = np.arange(12) != at
        expected = heads.fit("logistic", rows[others], classes[others], 3).logits(rows[at : at + 1])
        np.testing.assert_allclose(found[at], expected[0], atol=1e-6)


def test_a_class_of_one_photo_is_unseen_when_that_is_left_out():
    rows, classes = clouds(7, 20, 2)
    classes = np.append(classes, 2)
    rows = np.vstack([rows, rows[:1] + 3])
    found = left_out.logits("logistic", rows, classes, 3)
    assert found[7, 2] == left_out.UNSEEN
    assert left_out.judged(classes).tolist() == [True] * 7 + [False]


def test_many_photos_are_left_out_a_tenth_at_a_time():
    classes = np.repeat(np.arange(5), 30)
    fold = left_out.folds(classes)
    assert np.unique(fold).tolist() == list(range(10))
    counts = np.array([np.bincount(fold[classes == at], minlength=10) for at in range(5)])
    assert counts.tolist() == [[3] * 10] * 5
    assert left_out.folds(classes[:20]).tolist() == list(range(20))


@pytest.mark.parametrize("size", [1, 3])
def test_left_out_likeness_is_that_of_examples_without_the_photo(size):
    rows, classes = clouds(12, 25, size)
    found = likeness.left_out(rows, classes, size)
    for at in range(12):
        others = np.arange(12) != at
        expected = likeness.fit(rows[others], classes[others], size).of(rows[at : at + 1])
        assert found[at] == pytest.approx(expected[0], abs=1e-7)


def test_the_threshold_lets_95_of_100_left_out_examples_pass_and_all_of_a_few():
    values = np.linspace(0, 1, 100)
    limit = likeness.threshold(values)
    assert (values >= limit).sum() == 95
    assert likeness.threshold(values[40:50]) == values[40]
    assert likeness.threshold(np.array([np.nan, np.nan])) is None


def test_new_photos_of_the_classes_pass_as_often_as_the_threshold_says():
    passed = []
    for seed in range(30):
        rows, classes = clouds(460, 40, 4, seed)
        limit = likeness.threshold(likeness.left_out(rows[:60], classes[:60], 4))
        passed.append((likeness.fit(rows[:60], classes[:60], 4).of(rows[60:]) >= limit).mean())
    assert 0.92 < np.mean(passed) < 0.97


def test_a_draw_of_ten_holds_that_of_five():
    _, classes = clouds(60, 4, 3)
    first, again = (shots.draw(classes, 3, 0, 2) for _ in range(2))
    assert [each.tolist() for each in first] == [each.tolist() for each in again]
    assert all((classes[each] == at).all() and len(set(each.tolist())) == 20 for at, each in enumerate(first))
    assert [each.tolist() for each in shots.draw(classes, 3, 0, 3)] != [each.tolist() for each in first]


def test_a_trial_counts_what_a_loop_counts():
    rows, classes = clouds(90, 20, 3)
    learn, judge = (rows[:45], classes[:45]), (rows[45:], classes[45:])
    trial = shots.trial("logistic", learn, judge, 4, (0, 3))
    assert trial.right.shape == (3, 45)
    for number in range(3):
        some = np.concatenate([each[:4] for each in shots.draw(classes[:45], 3, 0, number)])
        model = LogisticRegression(C=heads.LOGISTIC_C, tol=1e-10, max_iter=100_000)
        unit = normalize(learn[0][some].astype(np.float64))
        mean = unit.mean(axis=0)
        scale = np.sqrt(((unit - mean) ** 2).sum(axis=1).mean())
        said = model.fit((unit - mean) / scale, classes[:45][some]).predict((normalize(judge[0]) - mean) / scale)
        assert trial.accuracies[number] == pytest.approx((said == judge[1]).mean())
        assert trial.recall[number].mean() == pytest.approx(trial.accuracies[number])  # as many of each class


def test_more_photos_are_expected_to_follow_the_curve():
    shot = (1, 5, 10, 20)
    curve = [1 - (0.5 * k**-0.5 + 0.1) for k in shot]
    assert shots.expected(shot, curve, 40) == pytest.approx(1 - (0.5 * 40**-0.5 + 0.1), abs=2e-3)
    assert shots.expected((5, 10), curve[:2], 40) is None
    assert shots.expected(shot, [0.5, 0.5, 0.5, 0.4], 40) is None
