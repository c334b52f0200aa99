"""What is known in closed form of the families of one real variable: their entropy and the means of a few statistics.

A density's logarithm is a sum of few statistics, so that this table, of a family by statistic, gives the cross-entropy
of every pair of families whose statistics it knows: `_formulas/crosses.py`.
"""

from jaxinfo.distributions._expectations import bounded, gammas, positive, real  # noqa: F401 (fills the table)
from jaxinfo.distributions._expectations.law import infinite, law_of, laws

__all__ = ["infinite", "law_of", "laws"]
