"""Models behind one Protocol: ``litellm_model.py`` for services, ``scripted.py`` for replies from a file."""
