"""The trusted process: a kernel that passes messages on, and answers ``%%agent``, ``%agent`` and ``%skill`` itself.

``proxy.py`` moves frames in one thread; ``host.py`` runs the agent in another; they meet in ``posts``.
"""
