"""A wallet's no: the rule that a request breaks."""

from __future__ import annotations

__all__ = ["WalletRefusal"]


class WalletRefusal(Exception):  # noqa: N818 - an answer of the wallet, not an error of the program
    """The wallet does not answer; it never leaves the wallet, which says ``WalletAnswer.refused`` instead.

    Args:
        rule: one word for the rule that is broken.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule
