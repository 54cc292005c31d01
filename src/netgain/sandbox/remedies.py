"""What to do where a backend does not work: the command for this machine, and whether it was tried by us.

Tried: Debian 12, as root and as an ordinary user. Everything else is from documentation and says so.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

UNTRIED = " (from documentation, not tried by us)"


@dataclass(frozen=True)
class Machine:
    """What remedies depend on: the system's name, its switches, and whether it is a container."""

    system: str  # "linux", "darwin", ...
    distribution: str = ""  # ID and ID_LIKE of /etc/os-release
    apparmor: bool = False  # kernel.apparmor_restrict_unprivileged_userns is 1
    userns_off: bool = False  # kernel.unprivileged_userns_clone or user.max_user_namespaces is 0
    container: bool = False
    has_bwrap: bool = False


def machine(root: Path = Path("/")) -> Machine:
    """This machine."""
    release = dict(line.split("=", 1) for line in _text(root / "etc/os-release").splitlines() if "=" in line)
    names = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".replace('"', "").strip()
    kernel = root / "proc/sys/kernel"
    off = _text(kernel / "unprivileged_userns_clone") == "0" or _text(root / "proc/sys/user/max_user_namespaces") == "0"
    inside = any((root / name).exists() for name in (".dockerenv", "run/.containerenv"))
    apparmor = _text(kernel / "apparmor_restrict_unprivileged_userns") == "1"
    return Machine(sys.platform, names, apparmor, off, inside, shutil.which("bwrap") is not None)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


INSTALL: Mapping[str, str] = {
    "debian": "apt-get install bubblewrap",
    "ubuntu": "apt-get install bubblewrap",
    "fedora": f"dnf install bubblewrap{UNTRIED}",
    "rhel": f"dnf install bubblewrap{UNTRIED}",
    "arch": f"pacman -S bubblewrap{UNTRIED}",
    "alpine": f"apk add bubblewrap{UNTRIED}",
    "suse": f"zypper install bubblewrap{UNTRIED}",
}
APPARMOR = (
    "AppArmor keeps ordinary users from making user namespaces (Ubuntu 24.04): sudo sysctl -w "
    "kernel.apparmor_restrict_unprivileged_userns=0, or a profile for bwrap alone: in /etc/apparmor.d/bwrap write "
    "'abi <abi/4.0>, include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }' "
    "and sudo systemctl reload apparmor" + UNTRIED
)
NAMESPACES = "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000" + UNTRIED
CONTAINER = (
    "a container has to be let make namespaces: docker run --security-opt seccomp=unconfined --security-opt "
    "apparmor=unconfined --cap-add SYS_ADMIN, or use the backend 'wasm', which needs none" + UNTRIED
)
ELSEWHERE = (
    "namespaces and Landlock are Linux: use a Linux machine or virtual machine, or the backend 'wasm' for programs in "
    "pure Python (pip install 'netgain[wasm]')" + UNTRIED
)


def for_bubblewrap(here: Machine) -> str:
    """The next step where bubblewrap is missing, or is there and cannot make its namespaces."""
    if here.system != "linux":
        return ELSEWHERE
    if not here.has_bwrap:
        known = [text for name, text in INSTALL.items() if name in here.distribution.replace("-", " ").split()]
        return known[0] if known else f"install bubblewrap with your system's packages{UNTRIED}"
    if here.container:
        return CONTAINER
    if here.apparmor:
        return APPARMOR
    if here.userns_off:
        return NAMESPACES
    return "run bwrap --unshare-all --ro-bind / / true and read what it says"


def for_landlock(here: Machine) -> str:
    """The next step where the backend `sandlock` is missing."""
    return "pip install 'netgain[sandbox]'; Linux 6.7 or later" if here.system == "linux" else ELSEWHERE


def for_wasm(here: Machine) -> str:
    """The next step where the backend `wasm` is missing; it is the same everywhere."""
    return "pip install 'netgain[wasm]', and name a CPython for WASI in NETGAIN_PYTHON_WASM"
