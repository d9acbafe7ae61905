"""Why a sandbox did not open, in words that end in a remedy."""

from __future__ import annotations

NEED = "This kernel runs code only in a sandbox, and "
REMEDIES = (
    (
        ("No permissions to create", "setting up uid map", "Failed RTM_NEW", "namespace failed: Permission denied"),
        (
            f"{NEED}this system does not let ordinary users make one. On Ubuntu 24.04 and later, allow bubblewrap in "
            "AppArmor (`sudo apt install apparmor-profiles` and load the profile `bwrap-userns-restrict`); elsewhere "
            "`sudo sysctl kernel.unprivileged_userns_clone=1`. Inside Docker, start the container with `--security-opt "
            "seccomp=unconfined --security-opt systempaths=unconfined`. Then restart the kernel."
        ),
    ),
    (
        ("max_*_namespaces exceeded", "namespace failed: No space left"),
        (
            f"{NEED}this system allows no more user namespaces: `sudo sysctl user.max_user_namespaces=15000`, then "
            "restart the kernel."
        ),
    ),
    (
        (
            "Can't mount proc",
            "namespace failed: Operation not permitted",
            "Failed to make / slave",
            "max_user_namespaces",
        ),
        (
            f"{NEED}the container that we are in does not let it make one. Start it with `--security-opt "
            "seccomp=unconfined --security-opt systempaths=unconfined` (as root also `--cap-add SYS_ADMIN`), then "
            "restart the kernel."
        ),
    ),
    (
        ("Unknown option",),
        f"{NEED}the installed bubblewrap is too old for it: install version 0.5 or later, then restart the kernel.",
    ),
    (
        ("PR_SET_SECCOMP", "PR_SET_NO_NEW_PRIVS", "kernel does not support"),
        f"{NEED}this Linux kernel lacks user namespaces or seccomp filters: run JupyterLab on another one.",
    ),
    (
        ("execvp setpriv", "execvp prlimit", "failed to execute prlimit"),
        (
            f"{NEED}that needs `prlimit`, as root `setpriv` as well: `sudo apt install util-linux` (or your system's "
            "package manager), then restart the kernel."
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


SILENT = "it did not answer"
EMPTY_HOME = (
    "The sandbox did not start with its home, which keeps for this folder what %pip installed, settings and caches: "
    "{reason}. It has an empty home now: install what you miss again. The old one lies in {aside}"
)


def explain(log: str, cause: str = "") -> str:
    """One sentence of what happened and one of what to do, from what the sandbox wrote before it ended.

    ``cause``: what the host knows of its end.
    """
    for signs, remedy in REMEDIES:
        if any(sign in log for sign in signs):
            return remedy
    if "used more than" in cause:
        return f"{cause} It had not even started: let JUPYTER_CODEACT_MEMORY_GB name more, then restart the kernel."
    remedy = "Restart the kernel once that is mended."
    if not log.strip():
        remedy = "Restart the kernel; if it says this again, make its environment anew."
    return f"The sandbox did not start: {reason(log, cause)}. {remedy}"


def reason(log: str, cause: str = "") -> str:
    """A clause for any start that failed."""
    if SILENT in cause:
        return cause
    if "used more than" in cause:
        return "it used more memory than it may"
    return log.strip().splitlines()[-1].strip().rstrip(".") if log.strip() else "it wrote nothing"
