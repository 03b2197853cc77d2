"""The page in a real browser, from the disk; skipped where there is no Chromium."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from vision_cli.core.progress import Silent
from vision_cli.stages.named_source import DataRequest
from vision_cli.stages.showing.show import NEED, ShowRequest, show

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import chromium

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="needs Chromium")

EVIL = "</script><img src=x onerror=window.evil=1>\u202e\"'[/]😀"
READY = "document.querySelectorAll('.tile img[src]').length && photos.path.length === start.photos && !refilter.asked"

# WCAG 2.2, 1.4.3: what is written against what lies behind it.
CONTRAST = """(() => { const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const part = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
  const behind = (node) => { for (; node; node = node.parentElement) {
    const found = rgb(getComputedStyle(node).backgroundColor);
    if (found.length === 3 || found[3] > .99) return found; } return [255, 255, 255]; };
  const poor = []; let seen = 0;
  for (const node of document.querySelectorAll('body *')) {
    const written = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!written || !node.checkVisibility() || node.disabled || ['SCRIPT', 'OPTION'].includes(node.tagName)) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05); seen++;
    if (ratio < 4.5) poor.push(`${node.tagName}.${node.className} ${ratio.toFixed(2)}`); }
  return { seen, poor: [...new Set(poor)] }; })()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of 300 photos with hostile names, boxes, a mask, an outline and predictions."""
    folder = tmp_path_factory.mktemp("set")
    (folder / "photos").mkdir()
    names = [f"{at:03}.jpg" for at in range(299)] + ["%2e%2e#?&<b>'\".jpg"]
    for at, name in enumerate(names):
        Image.new("RGB", (60, 40), (at % 250, 90, 120)).save(folder / "photos" / name, format="JPEG")
    shapes = [[[1, 1, 20, 1, 20, 20]], {"size": [40, 60], "counts": [0, 1200, 1200]}]
    labels = [
        {"id": at + 1, "image_id": at + 1, "category_id": 1 + at % 2, "bbox": [5, 5, 20, 20], "area": 400, "iscrowd": 0,
         "segmentation": shapes[at % 2], EVIL: EVIL}
        for at in range(300) if at % 10
    ]  # fmt: skip
    document = {
        "images": [
            {"id": at + 1, "file_name": name, "width": 60, "height": 40, "note": EVIL} for at, name in enumerate(names)
        ],
        "annotations": labels,
        "categories": [{"id": 1, "name": EVIL}, {"id": 2, "name": "van"}],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    said = [{"image_id": at + 1, "category_id": 1, "bbox": [5, 5, 20, 21], "score": 0.9} for at in range(0, 300, 3)]
    (folder / "said.json").write_text(json.dumps(said))
    data = DataRequest(str(folder / "labels.json"), lambda: NoProject, images=folder / "photos", need=NEED)
    show(ShowRequest(data, folder / "page", predictions=folder / "said.json", workers=2), Silent())
    return (folder / "page" / "index.html").as_uri()


class NoProject:
    root = Path()


@pytest.fixture(scope="module")
def tab():
    with chromium.browser() as found:
        yield found


@pytest.fixture
def opened(tab, page):
    def at(state="", **window):
        tab.problems.clear()
        tab.requests.clear()
        tab.open(f"{page}{state}", **window)
        tab.wait(READY)
        return tab

    return at


def shown(tab):
    return tab.run("[...grid.rows]")


def test_it_opens_from_the_disk_and_complains_of_nothing(opened):
    tab = opened()
    tab.wait("[...document.querySelectorAll('.tile img[src]')].every((image) => image.complete && image.naturalWidth)")
    assert tab.run("document.getElementById('sum').textContent") == "300 photos, 270 annotations, 2 classes"
    tab.run("openPhoto(299)")
    tab.wait("document.getElementById('full').naturalWidth === 60 && document.querySelectorAll('#side tr').length > 1")
    assert tab.run("document.getElementById('photo-name').textContent") == "%2e%2e#?&<b>'\".jpg"
    assert tab.run("document.getElementById('stage-note').hidden") is True
    assert tab.run("[document.querySelectorAll('b').length, typeof window.evil]") == [0, "undefined"]
    assert tab.problems == []
    assert [url for url in tab.requests if not url.startswith(("file:", "data:", "about:"))] == []


def test_what_is_outside_of_the_window_has_no_element(opened):
    tab = opened(width=820, height=600)
    assert tab.run("document.querySelectorAll('.tile').length") < 60
    tab.run("document.getElementById('scroll').scrollTop = 1e9")
    tab.wait("[...document.querySelectorAll('.tile')].some((tile) => tile.getAttribute('aria-posinset') === '300')")
    assert tab.run("document.querySelectorAll('.tile').length") < 60


def test_boxes_and_masks_are_drawn(opened):
    """Photo 1 has a mask over its left half and a box; the canvas says so, pixel by pixel."""
    tab = opened("#photo=1", width=1400)
    tab.wait("zoomed.items.length")
    painted = """(() => { const context = document.getElementById('over').getContext('2d'), z = zoomed;
      const at = (x, y) => context.getImageData(z.x + x * z.scale, z.y + y * z.scale, 1, 1).data[3];
      return [at(15, 30), at(45, 30), at(25, 15)]; })()"""
    tab.wait("document.getElementById('over').width > 300")
    tab.run("drawNow()")
    inside, outside, edge = tab.run(painted)
    assert (inside, outside) == (130, 0)
    assert edge > 200
    tab.key("m", "m")
    tab.run("drawNow()")
    assert tab.run(painted)[0] == 0


def test_filters_meet_and_the_address_says_them(opened):
    tab = opened("#q=29&classes=1")
    assert shown(tab) == [29, 129, 229, 291, 293, 295, 297]
    tab.run("[...document.querySelectorAll('.choice')].find((each) => each.title === 'missed').firstChild.click()")
    rows = shown(tab)
    assert rows
    assert set(rows) < {29, 129, 229, 291, 293, 295, 297}
    kinds = tab.run("start.kinds.indexOf('missed')")
    assert f"kinds={kinds}" in tab.run("location.hash")
    again = tab.run("location.hash")
    assert shown(opened(again)) == rows


def test_an_address_of_nonsense_shows_all(opened):
    tab = opened("#classes=99.x.-1&sort=__proto__&size=9e9&photo=12345&kinds=7&off=<b>&score=NaN")
    assert len(shown(tab)) == 300
    assert tab.problems == []


def test_keys(opened):
    tab = opened(width=1400)
    tab.run("focusTile(0)")
    tab.key("ArrowRight")
    tab.key("ArrowDown")
    columns = tab.run("grid.columns")
    assert tab.run("document.activeElement.parentElement.getAttribute('aria-posinset')") == str(columns + 2)
    tab.key("Enter")
    tab.wait("document.getElementById('photo').open")
    tab.key("ArrowRight")
    assert tab.run("view.photo") == columns + 2
    assert "photo=" in tab.run("location.hash")
    tab.key("Escape")
    tab.wait(f"document.activeElement.parentElement.getAttribute('aria-posinset') === '{columns + 3}'", 5)
    assert tab.run("document.getElementById('photo').open") is False
    tab.key("/", "/")
    assert tab.run("document.activeElement.id") == "search"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1400])
def test_words_can_be_read_and_nothing_is_wider_than_the_window(opened, width, dark):
    tab = opened(width=width, dark=dark)
    for act in ("1", "openPhoto(3)", "document.getElementById('photo').close(); toggleFilters(true)", "help()"):
        tab.run(act)
        tab.wait("!document.getElementById('photo').open || document.querySelectorAll('#side tr').length > 0")
        found = tab.run(CONTRAST)
        assert found["poor"] == []
        assert found["seen"] > 10
        assert tab.run("document.documentElement.scrollWidth <= innerWidth") is True
        assert (
            tab.run("document.getElementById('side').scrollWidth <= document.getElementById('side').clientWidth")
            is True
        )


def test_everything_that_can_be_done_has_a_name(opened):
    tab = opened("#photo=3", width=390)
    nameless = tab.run(
        "[...document.querySelectorAll('button, input, select, a')].filter((each) => !(each.textContent.trim()"
        " || each.getAttribute('aria-label') || each.labels?.length)).map((each) => each.outerHTML)"
    )
    assert nameless == []
