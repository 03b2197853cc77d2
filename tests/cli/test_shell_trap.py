"""`vision eval --kpi acceptance>0.6` without quotes, through a real shell."""

import subprocess
import sys

import pytest

RATINGS = "photo,rater,rating\n" + "".join(
    f"p{photo}.jpg,r{rater},{1 if photo < 8 else 0}\n" for photo in range(10) for rater in range(3)
)


@pytest.fixture
def shell(tmp_path):
    (tmp_path / "ratings.csv").write_text(RATINGS)

    def run(line):
        full = line.replace("vision", f"{sys.executable} -m vision_cli", 1)
        return subprocess.run(["/bin/sh", "-c", full], cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_the_comparison_is_put_together_again(shell, tmp_path):
    done = shell("vision eval --ratings ratings.csv --kpi acceptance>0.6")
    assert done.returncode == 0, done.stderr
    assert "acceptance > 0.6" in done.stderr
    assert "PASS" in done.stderr
    assert "--kpi 'acceptance>0.6'" in done.stderr
    assert str(tmp_path / "0.6") in done.stderr
    assert (tmp_path / "0.6").read_text() == ""


def test_a_missed_one_still_ends_with_4(shell):
    done = shell("vision eval --ratings ratings.csv --kpi acceptance>0.9")
    assert done.returncode == 4
    assert "FAIL" in done.stderr


def test_at_least(shell, tmp_path):
    done = shell("vision eval --ratings ratings.csv --kpi acceptance>=0.8")
    assert "acceptance >= 0.8" in done.stderr
    assert (tmp_path / "=0.8").exists()


def test_a_file_that_was_meant_stays_a_file(shell, tmp_path):
    done = shell("vision eval --ratings ratings.csv --kpi 'acceptance>0.6' > result.txt")
    assert done.returncode == 0
    assert "PASS" in (tmp_path / "result.txt").read_text()
    assert "quote" not in done.stderr


def test_a_bare_metric_without_a_redirection_is_refused(shell):
    done = shell("vision eval --ratings ratings.csv --kpi acceptance")
    assert done.returncode == 2
    assert "expected 'metric[class] op value" in done.stderr
