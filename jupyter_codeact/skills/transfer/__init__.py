"""Skills on their way out and in: ``exports.py`` says what leaves, ``imports.py`` what may come in. Nothing runs."""
