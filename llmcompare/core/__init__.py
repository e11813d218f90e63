"""Pure calculations: no files, no network, no clock. Read this package first."""
