"""`python -m llmcompare`."""

from llmcompare.cli import main

main()
