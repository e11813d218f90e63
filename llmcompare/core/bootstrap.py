"""The intervals of ratings, checked: the same number of votes drawn again from those there are, every table rated."""

from dataclasses import dataclass

import numpy as np

from llmcompare.core.apart import Floats
from llmcompare.core.ratings import Counts, Ratings, connected, is_bounded, rated

TABLES = 500
MOST_LEFT_OUT_FRACTION = 0.05
"""Of the tables: with more, those that are left would be a choice of the narrow ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Errors of ratings by the bootstrap, beside those of the sandwich."""

    ratios: tuple[float, ...]
    """Error by the bootstrap over that of the interval, of each model."""
    table_count: int
    """Drawn and rated."""
    left_out_count: int
    """Drawn, but without the votes that make every rating finite."""


def bootstrapped(ratings: Ratings, *, tables: int = TABLES) -> Bootstrap:
    """Always the same draws, so that a figure can be had again."""
    counts = ratings.counts
    upper = np.triu_indices(len(counts.names), 1)
    cells = np.concatenate([counts.preferred[upper], counts.preferred.T[upper], counts.ties[upper]])
    drawn = np.random.default_rng(0).multinomial(counts.total, cells / cells.sum(), size=tables)
    again = [_table(counts, row.astype(float)) for row in drawn]
    whole = [table for table in again if len(connected(table)) == 1 and is_bounded(table)]
    logits = [rated(table, start=ratings.logits).logits for table in whole]
    errors = np.std(logits, axis=0, ddof=1) if len(whole) > 1 else np.zeros(len(counts.names))
    return Bootstrap(
        ratios=tuple((errors / np.sqrt(np.diag(ratings.covariance))).tolist()),
        table_count=len(whole),
        left_out_count=tables - len(whole),
    )


def _table(counts: Counts, cells: Floats) -> Counts:
    """Of votes on every pair: for the first, for the second, for neither."""
    upper = np.triu_indices(len(counts.names), 1)
    first, second, neither = np.split(cells, 3)
    preferred, ties = np.zeros_like(counts.preferred), np.zeros_like(counts.ties)
    preferred[upper], preferred.T[upper], ties[upper] = first, second, neither
    return Counts(names=counts.names, preferred=preferred, ties=ties + ties.T, both_bad=np.zeros_like(ties))


def sentence(found: Bootstrap) -> str:
    """What the check says.

    >>> sentence(Bootstrap(ratios=(0.98, 1.1), table_count=500, left_out_count=0))
    'Checked by drawing the votes again 500 times: errors are 0.98 to 1.10 times those of the intervals.'
    """
    drawn = found.table_count + found.left_out_count
    if found.left_out_count > MOST_LEFT_OUT_FRACTION * drawn:
        return (
            f"Drawing the votes again checks nothing yet: {found.left_out_count} of {drawn} tables lack votes that "
            "make every rating finite."
        )
    return (
        f"Checked by drawing the votes again {drawn} times: errors are {min(found.ratios):.2f} to "
        f"{max(found.ratios):.2f} times those of the intervals."
    )
