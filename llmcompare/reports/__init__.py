"""One Report value, written as a file that needs nothing else."""
