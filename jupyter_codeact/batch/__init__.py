"""Many problems, each in a sandbox and a copy of its workspace of its own; what is done is not done again.

``problems.py`` reads them, ``running.py`` has the workers, ``results.py`` what is written down.
"""
