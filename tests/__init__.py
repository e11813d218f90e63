"""Tests; a package, because one of that name may lie beside an installed library."""
