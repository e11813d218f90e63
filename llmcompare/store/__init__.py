"""The catalogue: built from data/*.csv, read through typed queries. The only package that imports duckdb."""
