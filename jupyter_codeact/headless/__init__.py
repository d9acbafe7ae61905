"""A problem worked on without a front end: its own sandbox, its own agent, and what the run leaves in files.

Open ``solve.py`` first. ``kernel.py`` talks to the sandbox, past the same border as the notebook's kernel does.
"""
