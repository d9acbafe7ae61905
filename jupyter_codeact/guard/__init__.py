"""What the sandbox may show in the person's page: content of a message in, harmless content out. Pure functions.

Open ``outputs.py`` first: the table of message types.
"""
