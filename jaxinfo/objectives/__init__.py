"""What is minimised or maximised while a model is trained: pure functions, one value per example, nothing reduced.

Names end in `_loss` where less is better and in `_bound` (or are `elbo`) where more is; forms that end in `_terms` give
the parts.
"""

# Sections: classification and likelihood; variational objectives; policies; distillation and language models.

__all__: list[str] = []
