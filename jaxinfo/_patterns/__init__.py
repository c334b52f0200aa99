"""The pattern language of `shannon`, in three steps: a pattern is read, planned and evaluated.

What a table is (of probabilities or of logits) is said by `Rules`.
"""

from jaxinfo._patterns._evaluate import Rules, evaluate
from jaxinfo._patterns._plan import Plan, plan

__all__ = ["Plan", "Rules", "evaluate", "plan"]
