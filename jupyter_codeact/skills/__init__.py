"""The skill library: a folder of ordinary modules. ``library.py`` keeps it, ``slicing.py`` makes modules of cells."""
