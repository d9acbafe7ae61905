"""Where the code runs: an ipykernel in a closed room. ``launch.py`` opens it, ``bootstrap.py`` runs inside."""
