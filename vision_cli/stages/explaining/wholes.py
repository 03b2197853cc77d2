"""Answers about whole photos: a class, labels, a value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vision_cli.core.predictions import Predictions
from vision_cli.models.explaining import GRADCAM
from vision_cli.stages.explaining.asked import Explanation
from vision_cli.stages.explaining.evidence import Ask, Look, Seen, explained
from vision_cli.stages.running import answers


def explain(look: Look, seen: Seen) -> Explanation:
    """Return a map for the answered class, each answered label, or the value; or for the class that was asked for.

    Raises:
        UsageError: the layer or the method does not fit.
    """
    import torch

    from vision_cli.models.explaining.scores import OfClass

    card, network = look.subject.card, look.subject.network
    with torch.no_grad():
        raw = network(seen.views[0]).numpy().astype(np.float64)
    predictions = Predictions(card.photo_decode.scores(raw, card.task), raw)
    columns = _columns(look, predictions)
    scores = None if card.task == "regress" else predictions.scores[0]
    parts = []
    for column in columns:
        name = card.classes.names[column] if card.classes.names else ""
        sure = None if scores is None else float(scores[column])
        parts.append(explained(look, seen, Ask(look.spot(), OfClass(network, column), GRADCAM, name, sure)))
    said, sure = answers.answers(predictions, card)[0], answers.confidences(predictions, card)[0]
    found = Explanation(seen.path, seen.size_px, said, sure, parts=tuple(parts))
    return replace(found, notes=tuple(_nothing(part.label) for part in parts if part.most <= 0))


def _columns(look: Look, predictions: Predictions) -> list[int]:
    """Return the outputs that are explained, the surest first."""
    card, scores = look.subject.card, predictions.scores[0]
    if look.how.class_name is not None:
        return [card.classes.index(look.how.class_name)]
    if card.task != "multilabel":
        return [int(scores.argmax())]
    order = np.argsort(-scores, kind="stable")
    answered = [int(at) for at in order if scores[at] >= card.photo_decode.thresholds[at]]
    return answered[: look.how.most] or [int(order[0])]


def _nothing(label: str) -> str:
    return f"No place of this layer speaks for '{label}'." if label else "No place of this layer raises the value."
