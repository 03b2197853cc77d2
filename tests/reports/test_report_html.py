"""The page: whole, closed to the outside, and saying what the document holds."""

from __future__ import annotations

import base64
import hashlib
import html as stdlib_html
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from report_documents import EVIL, classifier, data, judged, matrix, picture, result, training
from report_pages import Page

from vision_cli.reports import html
from vision_cli.reports.document import Document, EvalSection

CLASSES = ("dress", "hat", "shirt")


def page(document: Document) -> Page:
    return Page(html.render(document))


def regression() -> Document:
    figures = {"mae": 2.053, "rmse": 2.556, "r2": 0.9521, "latency_ms.p95": 19.8}
    kpi = judged("mae < 2", 2.053)
    found = result((), kpi, metrics=figures, intervals={}, confusion=None)
    found["model"]["task"] = "regress"
    evaluation = EvalSection(found, (), [picture("3.5", "9.25")], pairs=[(3.5, 9.25), (7.0, 7.5), (1.0, float("nan"))])
    shown = data((), counts={"all": [3, 1, 1]}, values={"train": [1.0, 2.0, 3.5], "val": [2.0], "test": [float("nan")]})
    return Document("scales", "regress", "now", shown, training(3), [evaluation])


def several_labels() -> Document:
    found = result(("hood", "zip"), judged("f1 > 0.7", 0.74), confusion=None)
    evaluation = EvalSection(found, ("hood", "zip"), [picture("hood|zip", "zip", 0.8), picture("", "hood", 0.7)])
    return Document("attributes", "multilabel", "now", data(("hood", "zip")), None, [evaluation])


DOCUMENTS = {
    "nothing": Document("new", "classify", "now"),
    "only data": Document("new", "classify", "now", data(CLASSES)),
    "no photos": Document("new", "classify", "now", data((), sizes_px=[], samples=[], findings=[])),
    "no epochs": Document("new", "classify", "now", None, training(0)),
    "one epoch": classifier(CLASSES, epochs=1),
    "500 epochs": classifier(CLASSES, epochs=500),
    "one class": classifier(("cat",), judged("top1 > 0.8", 0.9)),
    "200 classes": classifier([f"class {each}" for each in range(200)]),
    "evil names": classifier(EVIL, judged(f"f1[{EVIL[0]}] > 0.9", 0.95), judged(f"f1[{EVIL[4]}] > 0.9", 0.5)),
    "values": regression(),
    "labels": several_labels(),
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
class TestEveryPage:
    def test_is_well_formed(self, document: Document) -> None:
        assert page(document).faults == []

    def test_fetches_and_runs_nothing(self, document: Document) -> None:
        shown = page(document)
        assert shown.requests() == []
        assert not {tag for tag, _ in shown.elements} & {"script", "iframe", "object", "embed", "link", "form", "base"}
        assert not [name for _, attributes in shown.elements for name in attributes if name.startswith("on")]

    def test_has_a_strict_policy_for_its_own_style(self, document: Document) -> None:
        markup = html.render(document)
        policy = next(
            each for each in page(document).all("meta") if each.get("http-equiv") == "Content-Security-Policy"
        )
        style = re.search("<style>(.*)</style>", markup, re.DOTALL)
        assert style is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert str(policy["content"]).startswith("default-src 'none';")
        assert f"style-src 'sha256-{digest}'" in str(policy["content"])
        assert "unsafe" not in str(policy["content"])
        assert not [attributes for _, attributes in page(document).elements if "style" in attributes]

    def test_says_what_pictures_and_tables_are(self, document: Document) -> None:
        shown = page(document)
        drawings = [each for each in shown.all("svg") if each.get("aria-hidden") != "true"]
        assert all(each.get("alt") for each in shown.all("img"))
        assert all(each.get("role") == "img" and each.get("aria-label") for each in drawings)
        assert all(each.get("aria-label") for each in shown.all("table"))
        assert all(each.get("scope") in ("col", "row") for each in shown.all("th"))
        ids = [each["id"] for _, each in shown.elements if "id" in each]
        assert len(ids) == len(set(ids))
        assert {str(each["href"])[1:] for each in shown.all("a")} <= set(ids)

    def test_draws_no_figure_that_is_no_number(self, document: Document) -> None:
        drawn = [value for tag, each in page(document).elements if tag in ("path", "rect", "circle", "line", "text")
                 for name, value in each.items() if name not in ("class", "aria-label")]  # fmt: skip
        assert not [value for value in drawn if re.search("nan|inf|None", str(value))]

    def test_holds_only_characters_of_html(self, document: Document) -> None:
        # https://infra.spec.whatwg.org/#control: parse errors in HTML.
        assert re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", html.render(document)) == []


class TestNames:
    def test_markup_in_names_stays_text(self) -> None:
        shown = page(replace(DOCUMENTS["evil names"], name="<img src=x onerror=alert(1)>"))
        assert "<script>alert(1)</script>" in shown.text
        assert "<img src=x onerror=alert(1)>" in shown.text
        assert {each["src"] for each in shown.all("img") if not str(each["src"]).startswith("data:")} == set()

    def test_a_long_name_is_cut_and_whole_in_its_title(self) -> None:
        shown = page(DOCUMENTS["evil names"])
        assert "x" * 10_000 in [each.get("title") for each in shown.all("bdi")]
        assert "x" * 200 not in shown.text

    def test_breaks_controls_and_direction_marks_become_visible(self) -> None:
        text = page(DOCUMENTS["evil names"]).text
        assert "🧢 a↵newline" in text
        assert r"\u202eevil" in text
        assert r"a\x00b\ud800" in text
        assert "مرحبا" in text


class TestSummary:
    def test_verdicts_stand_with_value_interval_and_missing_photos(self) -> None:
        crossing = judged("f1 > 0.98", 0.9579, (0.8972, 0.9834))
        shown = page(classifier(CLASSES, crossing, judged("top1 >= 0.85", 0.9583, (0.9062, 0.9821))))
        assert "1 of 2 KPIs met 1 failed." in shown.text
        assert "0.9579" in shown.text
        assert "0.8972 – 0.9834" in shown.text
        assert f"about {crossing['more_photos']:,} more test photos would settle it" in shown.text

    def test_a_value_is_not_rounded_onto_its_bound(self) -> None:
        shown = page(classifier(CLASSES, judged("top1 >= 0.875", 0.8749996)))
        assert "0.8749996" in shown.text

    def test_not_enough_evidence_is_no_pass(self) -> None:
        entry = judged("recall[hat] >= 0.9", 1.0, (0.7575, 1.0), confidence=0.95)
        shown = page(classifier(CLASSES, entry))
        assert "0 of 1 KPI met 1 without enough evidence." in shown.text
        assert "Its 95 % interval must pass." in shown.text

    def test_a_kpi_of_another_runtime_is_judged_where_it_ran(self) -> None:
        kpi = "latency_ms.p95 < 33 @ tflite"
        torch = EvalSection(result(CLASSES, judged(kpi, 50.0)), CLASSES)
        tflite = EvalSection(result(CLASSES, judged(kpi, 12.4, runtime="tflite"), runtime="tflite"), CLASSES)
        both = page(Document("demo", "classify", "now", evaluations=[torch, tflite]))
        alone = page(Document("demo", "classify", "now", evaluations=[torch]))
        assert "1 of 1 KPI met" in both.text
        assert "0 of 1 KPI met 1 not judged." in alone.text
        assert "declared for tflite, and torch ran" in alone.text

    @pytest.mark.parametrize(("value", "met"), [(None, "0 of 1"), (float("nan"), "0 of 1"), (0.99, "1 of 1")])
    def test_nothing_measured_is_not_met(self, value: float | None, met: str) -> None:
        assert f"{met} KPI met" in page(classifier(CLASSES, judged("f1 > 0.9", value))).text

    def test_without_kpis_or_evaluation_the_page_says_so(self) -> None:
        assert "No KPI declared" in page(classifier(CLASSES)).text
        assert "Not evaluated yet" in page(DOCUMENTS["only data"]).text
        assert "nothing is trained yet (vision train)" in page(DOCUMENTS["nothing"]).text


class TestFigures:
    def test_counts_findings_and_sizes_of_the_data(self) -> None:
        text = page(DOCUMENTS["only data"]).text
        assert "dress 40 12 13 65 hat 41 12 13 66 shirt 42 12 13 67" in text
        assert "dress has the fewest photos (65), shirt the most (67)." in text
        assert "hat has 12 test photos few-photos" in text
        assert "widths 400 to 640 px, heights 480 to 533 px" in text

    def test_thumbnails_are_the_given_bytes(self) -> None:
        document = classifier(CLASSES)
        given = {each.jpeg for each in document.data.samples} if document.data else set()
        sources = [str(each["src"]).partition(",")[2] for each in page(document).all("img")]
        shown = [base64.b64decode(each, validate=True) for each in sources]
        assert given <= set(shown)
        assert {Image.open(io.BytesIO(each)).size for each in shown} == {(12, 8)}

    def test_curves_have_a_point_an_epoch_and_ring_the_least_loss(self) -> None:
        shown = page(classifier(CLASSES, epochs=6))
        curves = [str(each["d"]).split(" ") for each in shown.all("path") if each.get("class") == "curve"]
        assert [len(each) // 2 for each in curves] == [6] * 4
        assert "val loss, epoch 4: 1" in shown.text  # the vertex of the parabola in report_documents.training
        assert "Least validation loss 1 in epoch 4" in shown.text

    def test_a_curve_has_a_gap_where_a_figure_is_missing(self) -> None:
        rows = [
            {"epoch": each, "train_loss": None if each == 3 else 1.0, "val_loss": float("nan")} for each in range(1, 6)
        ]
        shown = page(Document("demo", "classify", "now", training=replace(training(0), epochs=rows)))
        curves = [str(each["d"]) for each in shown.all("path")]
        assert len(curves) == 1
        assert curves[0].count("M") == 2

    def test_where_the_best_score_decides_its_epoch_is_ringed(self) -> None:
        rows = [{"epoch": each, "val_loss": 3.0 - each, "val_score": 0.1 * (each % 3)} for each in range(1, 5)]
        shown = page(Document("d", "detect", "now", training=replace(training(0), epochs=rows, best_by="val_score")))
        assert "Best validation score 0.2 in epoch 2" in shown.text
        assert "Validation loss there 1" in shown.text
        named = replace(training(0), epochs=rows, best_by="val_score", score="ap50", seconds=2207.0)
        told = page(Document("d", "detect", "now", training=named)).text
        assert "Average precision at IoU 0.5, best epoch 0.2 in epoch 2" in told
        assert "Time in all 36 min 47 s" in told
        assert sum("ring" in str(each.get("class")) for each in shown.all("circle")) == 2

    def test_a_score_of_nothing_throughout_is_a_flat_line(self) -> None:
        rows = [{"epoch": each, "train_loss": 1.0, "val_loss": 1.0, "val_score": 0.0} for each in range(1, 4)]
        shown = page(Document("demo", "detect", "now", training=replace(training(0), epochs=rows)))
        curves = [str(each["d"]) for each in shown.all("path") if each.get("class") == "curve"]
        assert len(set(curves[-1].replace("M", " ").replace("L", " ").split()[1::2])) == 1

    def test_pictures_of_the_training_have_their_titles(self) -> None:
        sheets = [("First batch <b>", b"\xff\xd8one"), ("Best epoch", b"\xff\xd8two")]
        shown = page(Document("demo", "detect", "now", training=replace(training(3), pictures=sheets)))
        sources = [str(each["src"]).removeprefix("data:image/jpeg;base64,") for each in shown.all("img")]
        assert [base64.b64decode(each) for each in sources] == [jpeg for _, jpeg in sheets]
        assert "What it saw and said First batch <b> Best epoch" in shown.text

    def test_metrics_with_intervals_and_dashes(self) -> None:
        text = page(classifier(CLASSES)).text
        assert "top1 0.902 0.839 – 0.944" in text
        assert "Accuracy accuracy" not in text  # the same figure as top1

    def test_classes_begin_with_the_weakest(self) -> None:
        names = [
            stdlib_html.unescape(each) for each in re.findall("<bdi>(.*?)</bdi>", _part(classifier(CLASSES), "Classes"))
        ]
        assert names[:3] == ["dress", "hat", "shirt"]
        turned = classifier(CLASSES)
        turned.evaluations[0].result["metrics"]["f1[shirt]"] = 0.1  # type: ignore[index]
        assert re.findall("<bdi>(.*?)</bdi>", _part(turned, "Classes"))[:3] == ["shirt", "dress", "hat"]

    @pytest.mark.parametrize("n_classes", [2, 50])
    def test_the_confusion_matrix_has_every_count(self, n_classes: int) -> None:
        names = [f"c{each}" for each in range(n_classes)]
        cells = re.findall("<td[^>]*>([0-9]*)</td>", _part(classifier(names), "Confusions"))[: n_classes**2]
        assert [int(each or 0) for each in cells] == [count for row in matrix(n_classes) for count in row]

    def test_of_many_classes_the_worst_are_shown_and_no_photo_is_lost(self) -> None:
        names = [f"c{each}" for each in range(100)]
        document = classifier(names)
        counts = matrix(100)
        counts[77][3] += 25
        document.evaluations[0].result["confusion"] = counts  # type: ignore[index]
        part = _part(document, "Confusions")
        cells = [int(each or 0) for each in re.findall("<td[^>]*>([0-9,]*)</td>", part)][: 41 * 41]
        assert sum(cells) == sum(sum(row) for row in counts)
        assert "<bdi>c77</bdi>" in part
        assert "The 40 of 100 classes with the most mistakes" in part
        assert re.search('class="right[0-9]+"[^>]*>[0-9,]{3,}<', part) is None  # the others are not all right

    def test_classes_in_no_label_and_no_answer_take_no_room(self) -> None:
        names = [f"c{each}" for each in range(80)]
        document = classifier(names)
        counts = [[0] * 80 for _ in names]
        counts[4][4], counts[4][70] = 7, 2
        document.evaluations[0].result["confusion"] = counts  # type: ignore[index]
        part = _part(document, "Confusions")
        assert re.findall("<td[^>]*>([0-9]*)</td>", part)[:4] == ["7", "2", "", ""]
        assert "78 classes not shown: in no label and no answer" in part

    def test_mistakes_say_truth_answer_and_confidence(self) -> None:
        assert "is dress answer shirt 97.3 % sure" in page(classifier(CLASSES)).text

    def test_differences_of_values_have_a_sign(self) -> None:
        assert "is 3.5 answer 9.25 off by +5.75" in page(regression()).text

    def test_several_labels_are_told_apart(self) -> None:
        markup = html.render(several_labels())
        assert '<span class="off"><bdi>hood</bdi></span>, <span><bdi>zip</bdi></span>' in markup
        assert "no label" in markup

    def test_the_confidence_chart_counts_its_photos(self) -> None:
        text = page(classifier(CLASSES)).text
        assert "confidence 0.9 to 1.0: 100% of 1 photo" in text
        assert "confidence 0.5 to 0.6: 0% of 1 photo" in text


class TestRuntimes:
    def test_stand_side_by_side(self) -> None:
        fast = result(CLASSES, runtime="onnx")
        fast["metrics"]["latency_ms.p95"] = 7.93
        sections = [EvalSection(result(CLASSES), CLASSES), EvalSection(fast, CLASSES)]
        text = page(Document("demo", "classify", "now", evaluations=sections)).text
        assert "Latency p95 19.83 ms 7.93 ms" in text
        assert "are the same as with torch" in text
        assert "compare them with care" not in text

    def test_of_other_photos_are_not_to_be_compared(self) -> None:
        other = result(CLASSES, runtime="onnx", data={"split": "val", "photos": 60, "digest": "x"})
        sections = [EvalSection(result(CLASSES), CLASSES), EvalSection(other, CLASSES)]
        text = page(Document("demo", "classify", "now", evaluations=sections)).text
        assert "These evaluations were made with different photos: compare them with care." in text

    def test_exports_have_their_parity(self) -> None:
        parity = {"n_photos": 200, "max_score_difference": 0.0021, "agreement": 0.995, "passed": True, "reason": "fine"}
        file = {
            "format": "tflite",
            "path": "exports/a.tflite",
            "size_mb": 6.91,
            "precision": "float16",
            "parity": parity,
        }
        failed = {**file, "path": "b.tflite", "parity": {**parity, "agreement": 0.9, "passed": False}}
        text = page(Document("demo", "classify", "now", exports=[file, failed, {**file, "parity": None}])).text
        assert "exports/a.tflite ✓ same fine tflite float16 6.91 MB 99.5 % of 200 photos 0.0021" in text
        assert "✕ differs" in text
        assert "not checked" in text


def _part(document: Document, caption: str) -> str:
    """Return the markup after a table's caption."""
    return html.render(document).partition(f"<figcaption>{caption}")[2]


def test_the_style_sheet_asks_for_nothing() -> None:
    css = (Path(html.__file__).parent / "page.css").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css
    assert css.count("{") == css.count("}")
    assert "prefers-color-scheme: dark" in css
    assert "@media print" in css
