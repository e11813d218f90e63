"""Checks of what the guide says on fine-tuning."""

from llmcompare.core.claims_known import Check

CHECKS: dict[str, Check] = {}
"""By statement."""
