"""People's ratings: reading, acceptance, and agreement against published examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from vision_cli.core.errors import DataError
from vision_cli.core.kpi import parse
from vision_cli.metrics import agreement
from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.ratings import measure_ratings, read_ratings

HEADER = "photo,rater,rating\n"
FLEISS_1971 = """0 0 0 6 0|0 3 0 0 3|0 1 4 0 1|0 0 0 0 6|0 3 0 3 0|2 0 4 0 0|0 0 4 0 2|2 0 3 1 0|2 0 0 4 0|0 0 0 0 6
1 0 0 5 0|1 1 0 4 0|0 3 3 0 0|1 0 0 5 0|0 2 0 3 1|0 0 5 0 1|3 0 0 1 2|5 1 0 0 0|0 2 0 4 0|1 0 2 0 3
0 0 0 0 6|0 1 0 5 0|0 2 0 1 3|2 0 0 4 0|1 0 0 4 1|0 5 0 1 0|4 0 0 0 2|0 2 0 4 0|1 0 5 0 0|0 0 0 0 6"""
WIKIPEDIA_FLEISS = """0 0 0 0 14|0 2 6 4 2|0 0 3 5 6|0 3 9 2 0|2 2 8 1 1|7 7 0 0 0|3 2 6 3 0|2 5 3 2 2|6 5 2 1 0
0 2 2 3 7"""
KRIPPENDORFF_2011 = "1 2 3 3 2 1 4 1 2 . . .|1 2 3 3 2 2 4 1 2 5 . 3|. 3 3 3 2 3 4 2 2 5 1 .|1 2 3 3 2 4 4 1 2 5 1 ."
WIKIPEDIA_ALPHA = ". . . . . 3 4 1 2 1 1 3 3 . 3|1 . 2 1 3 3 4 3 . . . . . . .|. . 2 1 3 4 4 . 2 1 1 3 3 . 4"


def value(sums: Sums | None) -> float:
    assert sums is not None
    return float(sums.values()[0])


def table(text: str) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([[int(cell) for cell in row.split()] for row in text.replace("\n", "|").split("|")])


def counted(text: str) -> np.ndarray:  # type: ignore[type-arg]
    """Count the categories 1 to 5 a unit, from one row a coder."""
    rows = [row.split() for row in text.split("|")]
    return np.array([[column.count(str(c)) for c in range(1, 6)] for column in zip(*rows, strict=True)])


def test_fleiss_kappa_of_his_paper() -> None:
    """Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses; kappa = 0.430."""
    assert value(agreement.fleiss_kappa(table(FLEISS_1971))) == pytest.approx(0.430, abs=5e-4)


def test_fleiss_kappa_of_the_worked_example() -> None:
    """Wikipedia, Fleiss' kappa: 10 subjects, 14 raters; mean agreement 0.378, kappa = 0.210."""
    counts = table(WIKIPEDIA_FLEISS)
    assert value(agreement.fleiss_kappa(counts)) == pytest.approx(0.210, abs=5e-4)
    assert value(agreement.pairwise_agreement(counts)) == pytest.approx(0.378, abs=5e-4)


@pytest.mark.parametrize(("text", "published"), [(KRIPPENDORFF_2011, 0.743), (WIKIPEDIA_ALPHA, 0.691)])
def test_krippendorffs_alpha_of_the_worked_examples(text: str, published: float) -> None:
    """Nominal alpha with missing ratings: Krippendorff 2011, section C; Wikipedia, Krippendorff's alpha."""
    assert value(agreement.krippendorff_alpha(counted(text))) == pytest.approx(published, abs=5e-4)


def test_cohens_kappa_of_the_worked_example() -> None:
    """Wikipedia, Cohen's kappa: 20 both yes, 15 both no, 5 and 10 apart; kappa = 0.4."""
    first = np.array([1] * 25 + [0] * 25)
    second = np.array([1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    assert value(agreement.cohen_kappa(first, second, 2)) == pytest.approx(0.4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_cohens_kappa_as_scikit_learn_has_it(rows: list[tuple[int, int]]) -> None:
    first, second = np.array(rows).T
    found = value(agreement.cohen_kappa(first, second, 4))
    if len(np.unique(rows)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(cohen_kappa_score(first, second), nan_ok=True)


def test_agreement_is_undefined_where_it_says_nothing() -> None:
    assert agreement.fleiss_kappa(np.array([[2, 1], [1, 1]])) is None  # three raters and two
    assert agreement.krippendorff_alpha(np.array([[1, 0], [0, 1]])) is None  # one rater each
    assert np.isnan(value(agreement.krippendorff_alpha(np.array([[2, 0], [2, 0]]))))


@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        (HEADER + "a,x,yes\nb,x,no\n", [1, 0]),
        (HEADER + "a,x,TRUE\nb,x,False\n", [1, 0]),
        (HEADER + "a,x,accept\nb,x,reject\n", [1, 0]),
        (HEADER + "a,x,1\nb,x,0\n", [1, 0]),
        (HEADER + "a,x,1\nb,x,yes\n", [1, 1]),
        (HEADER + "a,x,1\nb,x,3\nc,x,4\nd,x,5\n", [0, 0, 1, 1]),
        ("\ufeffimage,user,score\r\na,x,yes\r\n\r\nb,x,no\r\n", [1, 0]),
        ("Rater; Path ; Rating\nx;a;yes\nx;b;no\n", [1, 0]),
        ("rater\tphoto\trating\tremark\nx\ta\tyes\tgood\n", [1]),
        (HEADER + '"a,1.jpg",x,yes\n"b\n2",x,no\n', [1, 0]),
    ],
)
def test_ratings_are_read(text: str, accepts: list[int]) -> None:
    assert read_ratings(text, "r.csv").accepts.tolist() == accepts


def test_every_bad_row_is_named_at_once() -> None:
    text = HEADER + "a,x,yes\na,y,maybe\n,x,no\nb,,no\na,x,no\nc,x\n"
    with pytest.raises(DataError, match=r"r\.csv: 5 of 6 ratings are refused") as caught:
        read_ratings(text, "r.csv")
    assert caught.value.exit_code == 3
    assert [detail.split(" ")[0] for detail in caught.value.details] == [f"r.csv:{line}:" for line in (3, 4, 5, 6, 7)]
    assert "rated 'a' in line 2" in caught.value.details[3]


def test_a_thousand_bad_rows_are_counted_and_some_shown() -> None:
    text = HEADER + "".join(f"p{row},x,maybe\n" for row in range(1000))
    with pytest.raises(DataError, match="1000 of 1000") as caught:
        read_ratings(text, "r.csv")
    assert len(caught.value.details) == 21
    assert caught.value.details[-1] == "and 980 more"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column for the photo"),
        ("photo,rating\na,yes\n", "no column for the rater"),
        ("photo,image,rater,rating\na,a,x,yes\n", "several columns for the photo"),
        (HEADER, "holds no rating"),
        (HEADER + "a,x,1\nb,x,1\n", "every rating is 1"),
        (HEADER + "a,x,0\nb,x,4\n", "1 of 2 ratings"),
        (HEADER + "a,x,yes\nb,x,4\n", "1 of 2 ratings"),
        (HEADER + "a,x,6\n", "1 of 1 ratings"),
        (HEADER + "a,x,4.5\n", "1 of 1 ratings"),
        (HEADER + '"a,x,yes\n', "not a CSV file"),
        (HEADER + "a" * 200_000 + ",x,yes\n", "not a CSV file"),
    ],
)
def test_what_is_no_ratings_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_ratings(text, "r.csv")


def test_acceptance_is_the_majority_and_a_tie_is_none() -> None:
    rows = {"a": "yyn", "b": "ynn", "c": "yn", "d": "y"}
    text = HEADER + "".join(
        f"{photo},r{i},{'yes' if v == 'y' else 'no'}\n" for photo in rows for i, v in enumerate(rows[photo])
    )
    found = measure_ratings(read_ratings(text, "r.csv"))
    assert found.values["acceptance"] == 2 / 4
    assert found.values["acceptance_rate"] == pytest.approx(5 / 9)
    assert found.values["fleiss_kappa"] is None
    assert found.n_photos == 4
    assert any("1 of 4 photos are ties" in warning for warning in found.warnings)
    assert any("1 of 4 photos have one rating only" in warning for warning in found.warnings)


def test_acceptance_of_all_is_not_certain() -> None:
    text = HEADER + "".join(f"p{photo},{rater},yes\n" for photo in range(20) for rater in "xy")
    found = measure_ratings(read_ratings(text, "r.csv"))
    assert found.values["acceptance"] == 1.0
    assert found.intervals["acceptance"].low == pytest.approx(0.8389, abs=1e-3)  # 20 / (20 + 1.96²)
    assert found.values["krippendorff_alpha"] is None
    assert any("agreement beyond chance is not defined" in warning for warning in found.warnings)
    assert found.judge(parse("acceptance>0.8", confidence=0.95), runtime="torch").met


def test_two_raters_have_cohens_kappa_of_the_photos_that_both_rated() -> None:
    first, second = [1, 1, 0, 0, 1, 0, 1, 1], [1, 0, 0, 0, 1, 1, 1, 1]
    rows = [f"p{i},{name},{v}" for name, votes in (("x", first), ("y", second)) for i, v in enumerate(votes)]
    found = measure_ratings(read_ratings(HEADER + "\n".join([*rows, "extra,x,0"]), "r.csv"))
    assert found.values["cohen_kappa"] == pytest.approx(cohen_kappa_score(first, second))
    assert found.intervals["cohen_kappa"].low < (found.values["cohen_kappa"] or 0) < found.intervals["cohen_kappa"].high
