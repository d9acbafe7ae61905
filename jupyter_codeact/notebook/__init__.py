"""Cells in and out: ``live.py`` with our JupyterLab extension, ``plain.py`` where there is none."""
