"""The network of `bench/task_classifier.py` in PyTorch, learned, and rounded for `vision_cli/scoping/classifier.py`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from vision_cli.scoping import classifier, vocabulary
from vision_cli.scoping.classifier import WIDTHS, Weights
from vision_cli.scoping.evidence import evidence
from vision_cli.scoping.outcomes import NAMES
from vision_cli.scoping.wording import Worded

_FILTERS = 80
"""Of each width."""
_EPOCHS, _BATCH = 10, 64
_RATE, _RATE_OF_WORDS, _DECAY = 2e-3, 5e-4, 0.02
_SMOOTHED = 0.05
"""Of the labels: some wishes are two things."""
_WORDS_DROPPED, _VALUES_DROPPED, _ANSWERS_DROPPED = 0.05, 0.2, 0.5
_NOTHING, _OF_NEW_WORDS = 0, 0.1
"""Row of gaps and of words of no table, always zero; spread of the vectors that words of no table begin with."""
_LEAST_WORDS = 6


class Network(nn.Module):
    """A convolution over words (Kim 2014), joined by the evidence."""

    def __init__(self, vectors: torch.Tensor, n_evidence: int) -> None:
        """Take vectors (words, dimensions) to begin with; row 0 stays zero."""
        super().__init__()
        self.words = nn.Embedding(len(vectors), vectors.shape[1], padding_idx=_NOTHING, _weight=vectors)
        self.filters = nn.ModuleList(nn.Conv1d(vectors.shape[1], _FILTERS, n, padding=n - 1) for n in WIDTHS)
        self.layer = nn.Linear(_FILTERS * len(WIDTHS) + n_evidence, len(NAMES))

    def forward(self, words: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return sums (N, classes) of words (N, longest) and evidence (N, E)."""
        vectors = nn.functional.dropout(self.words(words), _VALUES_DROPPED, self.training).transpose(1, 2)
        strongest = [torch.relu(each(vectors).amax(dim=2)) for each in self.filters]
        joined = torch.cat([*strongest, known], dim=1)
        sums: torch.Tensor = self.layer(nn.functional.dropout(joined, _ANSWERS_DROPPED, self.training))
        return sums


def _begun(texts: Sequence[Sequence[str]]) -> tuple[list[str], torch.Tensor]:
    """Return the words of the texts and their first vectors."""
    table = vocabulary.shipped()
    words = sorted({word for text in texts for word in text})
    luck = np.random.default_rng(0)
    size = table.steps.shape[1]
    found = [table.vector(word) for word in words]
    rows = [luck.normal(0, _OF_NEW_WORDS, size) if each is None else each for each in found]
    return words, torch.tensor(np.concatenate([np.zeros((1, size)), np.stack(rows)]), dtype=torch.float32)


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    longest = max(_LEAST_WORDS, *map(len, rows))
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])


def fitted(said: Sequence[Worded], truth: np.ndarray[Any, np.dtype[np.int64]], seed: int) -> Weights:
    """Learn classes `truth` (N,) of texts."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    texts = [vocabulary.tokens(each.text)[: classifier.MOST_WORDS] for each in said]
    words, vectors = _begun(texts)
    index = {word: row + 1 for row, word in enumerate(words)}
    rows = [[index[word] for word in text] or [_NOTHING] for text in texts]
    known = torch.tensor(np.stack([evidence(each) for each in said]))
    network = Network(vectors, known.shape[1])
    _learned(network, rows, known, torch.tensor(truth), random.Random(seed))  # noqa: S311
    return _rounded(network.eval(), words)


def _learned(
    network: Network, rows: list[list[int]], known: torch.Tensor, truth: torch.Tensor, luck: random.Random
) -> None:
    others = [value for name, value in network.named_parameters() if not name.startswith("words.")]
    steps = torch.optim.AdamW(
        [
            {"params": others, "lr": _RATE, "weight_decay": _DECAY},
            {"params": [network.words.weight], "lr": _RATE_OF_WORDS, "weight_decay": 0.0},
        ]
    )
    for _ in range(_EPOCHS):
        for batch in _batches(rows, luck):
            words = _padded([rows[row] for row in batch])
            words = torch.where((torch.rand(words.shape) < _WORDS_DROPPED) & (words > 0), _NOTHING, words)
            sums = network(words, known[batch])
            steps.zero_grad()
            nn.functional.cross_entropy(sums, truth[batch], label_smoothing=_SMOOTHED).backward()  # type: ignore[no-untyped-call]
            steps.step()


def _batches(rows: Sequence[Sequence[int]], luck: random.Random) -> list[list[int]]:
    """Return batches of texts of about the same length, in any order."""
    order = list(range(len(rows)))
    luck.shuffle(order)
    order.sort(key=lambda row: len(rows[row]) // 8)
    found = [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]
    luck.shuffle(found)
    return found


def _rounded(network: Network, words: list[str]) -> Weights:
    """Return the weights in 8 and 16 bits."""
    own = vocabulary.rounded(words, network.words.weight.detach().numpy()[1:])
    arrays: dict[str, torch.Tensor] = {"layer": network.layer.weight, "bias": network.layer.bias}
    state = network.state_dict()
    for index, width in enumerate(WIDTHS):
        arrays |= {
            f"filters{width}": state[f"filters.{index}.weight"],
            f"biases{width}": state[f"filters.{index}.bias"],
        }
    halves = {name: value.detach().numpy().astype(np.float16) for name, value in arrays.items()}
    return Weights(own, halves, 1.0)
