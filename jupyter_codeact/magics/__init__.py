"""What `%%agent`, `%agent` and `%skill` mean: ``parser.py`` reads them, the others answer."""
