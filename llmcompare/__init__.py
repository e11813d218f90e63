"""llmcompare: which open-weight model, on which deployment, for this workload, at what cost, and how sure is that?"""

__version__ = "0.1.0"
