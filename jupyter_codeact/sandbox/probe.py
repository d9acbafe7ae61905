"""Why a sandbox did not open, in words that end in a remedy."""

from __future__ import annotations

REMEDIES = (
    (
        ("setting up uid map", "No permissions to create new namespace", "Creating new namespace failed"),
        (
            "This kernel runs code only in a sandbox, and this system does not let ordinary users make one. On Ubuntu "
            "24.04 and later, allow bubblewrap in AppArmor (`sudo apt install apparmor-profiles` and load the profile "
            "`bwrap-userns-restrict`); elsewhere `sudo sysctl kernel.unprivileged_userns_clone=1`. Inside Docker, "
            "start the container with `--security-opt seccomp=unconfined`. Then restart the kernel."
        ),
    ),
    (
        ("can't be lent",),
        (
            "As root, this kernel lends the notebook's folder to the sandbox, and this folder's file system can't do "
            "that. Run JupyterLab as an ordinary user, or move the notebook to a local disk."
        ),
    ),
    (
        ("No module named 'ipykernel'", 'No module named "ipykernel"'),
        "The Python of this kernel has no ipykernel: install it there with `pip install 'ipykernel>=7'`.",
    ),
)


def explain(log: str) -> str:
    """One sentence of what happened and one of what to do, from what the sandbox wrote before it ended."""
    for signs, remedy in REMEDIES:
        if any(sign in log for sign in signs):
            return remedy
    last = log.strip().splitlines()[-1:] or ["it wrote nothing"]
    return f"The sandbox did not start: {last[0]}. Restart the kernel once that is mended."
