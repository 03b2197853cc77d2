"""One self-contained page of what checks found: findings with thumbnails, filtered without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from vision_cli.reports import elements
from vision_cli.reports.charts.growth import Growth, growth_chart
from vision_cli.reports.elements import Markup, element, join, name
from vision_cli.reports.page import page
from vision_cli.reports.wording import cut, one_line

_NAME_LENGTH = 60
_KINDS = {"error": "fail", "warning": "unsure", "info": "none"}


@dataclass(frozen=True, slots=True)
class Item:
    """One place.

    Attributes:
        name: of the file.
        details: what was measured, class, box; in words.
        jpeg: thumbnail; None where the photo cannot be shown.
        other_name: of the other photo of a pair.
        other_jpeg: its thumbnail.
    """

    name: str
    details: Sequence[str]
    jpeg: bytes | None
    other_name: str | None = None
    other_jpeg: bytes | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """One finding.

    Attributes:
        check: its name.
        severity: `error`, `warning` or `info`.
        figure: in words.
        reason: one sentence.
        hint: what to do.
        total: places in all.
        items: the first of them.
        growth: a learning curve; None without.
    """

    check: str
    severity: str
    figure: str
    reason: str
    hint: str
    total: int
    items: Sequence[Item]
    growth: Growth | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """The whole page.

    Attributes:
        title: of the data.
        facts: names and values.
        counts: findings by severity.
        groups: findings, errors first.
        notes: one sentence each.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    counts: Mapping[str, int]
    groups: Sequence[Group]
    notes: Sequence[str] = ()


def render(gallery: Gallery) -> str:
    """Return the page: no script, no request, everything inside."""
    title = f"{cut(one_line(gallery.title), 80)}: data check"
    css = resources.files("vision_cli.reports").joinpath("gallery.css").read_text(encoding="utf-8")
    sections = [
        _filter(gallery.groups),
        *(_section(at, group) for at, group in enumerate(gallery.groups)),
        _end(gallery),
    ]
    return page(title, _header(gallery), sections, more_css=f"{css}\n{_filter_css(len(gallery.groups))}")


def _header(gallery: Gallery) -> Markup:
    worst = next((kind for kind in _KINDS if gallery.counts.get(kind)), None)
    said = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in gallery.counts.items())
    banner = element("p", element("strong", said), class_=f"banner {_KINDS[worst] if worst else 'pass'}")
    eyebrow = element("p", "vision data check", class_="eyebrow")
    return element("header", eyebrow, element("h1", name(gallery.title)), banner, elements.facts(gallery.facts))


def _filter(groups: Sequence[Group]) -> Markup:
    """Return one radio button a finding, and one for all."""
    if not groups:
        return element("p", "Nothing was found.", class_="note")
    buttons = [_button("all", f"All {len(groups)}", "none", checked=True)]
    buttons += [
        _button(str(at), f"{each.check} {each.figure}", _KINDS[each.severity]) for at, each in enumerate(groups)
    ]
    return element("fieldset", element("legend", "Show"), *buttons, class_="filter")


def _button(value: str, text: str, kind: str, *, checked: bool = False) -> Markup:
    box = element("input", type="radio", name="check", id=f"show-{value}", checked=checked)
    return join((box, element("label", text, for_=f"show-{value}", class_=kind)))


def _filter_css(number: int) -> str:
    return "\n".join(f"body:has(#show-{at}:checked) .finding:not(.f{at}){{display:none}}" for at in range(number))


def _section(at: int, group: Group) -> Markup:
    anchor = f"finding-{at}"
    badge = elements.badge(group.severity, _KINDS[group.severity])
    heading = element(
        "h2", group.check, " ", element("span", group.figure, class_="figure"), " ", badge, id=f"{anchor}-title"
    )
    more = group.total - len(group.items)
    shown = elements.note(f"{len(group.items)} of {group.total:,} are shown; --csv lists all.") if more > 0 else None
    hint = element("p", *_with_code(group.hint), class_="note") if group.hint else None
    items = element("ul", *map(_item, group.items), class_="places") if group.items else None
    drawn = growth_chart(group.growth, group.reason) if group.growth is not None else None
    chart = elements.figure("Recall by what was learned from", drawn) if drawn is not None else None
    parts = (heading, element("p", group.reason), hint, chart, items, shown)
    return element("section", *parts, id=anchor, class_=f"finding f{at}", aria_labelledby=f"{anchor}-title")


def _with_code(text: str) -> list[str]:
    """Return text with what stands between backticks as code."""
    return [element("code", part) if at % 2 else part for at, part in enumerate(text.split("`"))]


def _item(item: Item) -> Markup:
    pictures = [_picture(item.jpeg, item.name)]
    names: list[str] = [element("span", _path(item.name), class_="name")]
    if item.other_name is not None:
        pictures.append(_picture(item.other_jpeg, item.other_name))
        names.append(element("span", "= ", _path(item.other_name), class_="name"))
    details = [element("small", each) for each in item.details]
    pair = "pair" if item.other_name is not None else None
    figure = element("figure", element("div", *pictures, class_="pictures"), element("figcaption", *names, *details))
    return element("li", figure, class_=pair)


def _path(text: str) -> Markup:
    """Return a file's name; of a long one the end, which tells files of one folder apart, with the whole in `title`."""
    whole = one_line(text)
    if len(whole) <= _NAME_LENGTH:
        return name(text)
    return element("bdi", f"…{whole[-_NAME_LENGTH:]}", title=whole)


def _picture(jpeg: bytes | None, alt: str) -> Markup:
    return element("span", "no picture", class_="nothing") if jpeg is None else elements.photo(jpeg, alt)


def _end(gallery: Gallery) -> Markup:
    notes = [elements.note(f"Note: {each}") for each in gallery.notes]
    return element("footer", *notes, elements.note("Made by vision data check."))
