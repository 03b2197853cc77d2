"""`vision data cost` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import number
from vision_cli.stages.labelling.cost import Bill, CostResult, Unit

_PLURALS = {"box": "boxes", "polygon": "polygons"}


def draw(result: CostResult, paper: Paper) -> None:
    """Draw the bill of each way, then where its rates come from."""
    plan = result.plan
    each = (
        "" if plan.unit == "image" else f", {number(plan.objects)} {'boxes' if plan.unit == 'box' else 'polygons'} each"
    )
    people = "1 annotator" if plan.annotators == 1 else f"{plan.annotators} annotators"
    paper.line(f"{plan.photos:,} photos{each}; {people}, {number(plan.hours)} hours a day", style="bold")
    if plan.overlap > 1 or plan.review:
        paper.line(f"{plan.overlap} answers a photo, {plan.review:.0%} reviewed")
    paper.line()
    rows = [
        (bill.way, f"${bill.dollars:,.2f}", f"{bill.hours:,.1f}", f"{bill.days:,.1f}", *_rate(bill, plan.unit))
        for bill in result.bills
    ]
    one = f"an {plan.unit}" if plan.unit == "image" else f"a {plan.unit}"
    paper.table(("way", "bill", "hours", "days", f"time {one}", f"price {one}"), rows, right=(1, 2, 3, 4, 5))
    paper.heading("Where the rates come from")
    paper.table((), [(bill.way, bill.rate.source) for bill in result.bills])
    paper.line()
    paper.line("Replace them with your own: --way agency --price 0.04 --seconds 20")


def _rate(bill: Bill, unit: Unit) -> tuple[str, str]:
    each = "" if bill.unit == unit else f" an {bill.unit}"  # a synthetic box comes with its image
    return f"{bill.rate.seconds:g} s{each}", f"${bill.rate.dollars:g}{each}"
