"""The agent: ``loop.py`` is the whole of it on one screen; the rest is what the loop reads and writes.

Knows nothing of Jupyter and of model services: it is given a Model, Cells and an Editor (``protocols.py``).
"""
