"""Questions about the use of a model that decide more than its accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Matter:
    """One question.

    Attributes:
        name: of the matter.
        question: to settle before work begins.
        why: it matters.
        answer: that the command line gave; None where it is open.
    """

    name: str
    question: str
    why: str
    answer: str | None = None


_MATTERS = (
    Matter(
        "place",
        "Where does it run: phone, Jetson, CPU server, GPU, browser, serverless?",
        "it limits the size, and says whether ONNX or TFLite is exported",
    ),
    Matter(
        "real time",
        "Does somebody wait for the answer, or is a night's batch soon enough?",
        "a batch may take the most accurate model; real time pays for every millisecond",
    ),
    Matter(
        "milliseconds",
        "How long may one photo take, 95 of 100 times, decoding included?",
        "it is a KPI like any other: latency_ms.p95",
    ),
    Matter(
        "requests",
        "How many photos a second, at the worst hour?",
        "it says how many machines and what a photo costs",
    ),
    Matter(
        "updates",
        "How often do classes or the look of things change?",
        "few-shot classes change in seconds, a training takes a review, an app store takes days",
    ),
    Matter(
        "regulation and audit",
        "Is the use regulated (medicine, faces, safety), and must an answer be explained later?",
        "then data versions, runs and test sets are kept, licences checked, and a person decides",
    ),
    Matter(
        "team",
        "Who labels, who looks at errors, who is called when it fails?",
        "a model without an owner grows old unseen",
    ),
)


def matters(target: str | None, latency_ms: float | None) -> tuple[Matter, ...]:
    """Return the questions, those that are answered with their answer."""
    answers = {"place": target}
    if latency_ms is not None:
        answers |= {"real time": "real time", "milliseconds": f"{latency_ms:g} ms a photo"}
    return tuple(replace(each, answer=answers.get(each.name)) for each in _MATTERS)
