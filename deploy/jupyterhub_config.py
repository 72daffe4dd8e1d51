"""A class on one machine: JupyterHub, a Unix user for each student, assignments through nbgrader's exchange.

Started as root by the environment that students share (README.md beside this file has the steps):

    /opt/class/bin/jupyterhub -f /opt/class/deploy/jupyterhub_config.py
"""

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

from traitlets.config import PyFileConfigLoader

import dlcore

# ---- what a teacher changes ------------------------------------------------------------------------------------
TEACHERS = {"teacher"}  # user names; they see the form grader
GROUPS = {"students", "teachers"}  # Unix groups: their members may log in
MEMORY = 4_000_000_000  # bytes of address space for each process of a student
PROCESSES = 256  # processes and threads of one student
IDLE = 3600  # seconds after which an unused server is stopped; its files stay
STATE = Path("/srv/jupyterhub")  # the hub's database and cookie secret
# ----------------------------------------------------------------------------------------------------------------

HERE = Path(__file__).resolve().parent
BIN = Path(sys.prefix) / "bin"
PROXY = HERE / "proxy/node_modules/.bin/configurable-http-proxy"
COURSE_SETTINGS = Path("/etc/jupyter/nbgrader_config.py")
SECRET = ("classroom", "assignments", "tests", "course", ".git")  # folders of a clone that hold solutions


def _proxy_missing() -> str | None:
    if not which("node"):
        return "the proxy needs Node.js, which is not installed (Debian, Ubuntu: apt install nodejs npm)"
    if not PROXY.exists():
        return f"the proxy is not installed: npm ci --prefix {HERE / 'proxy'}"
    return None


def _exchange_missing() -> str | None:
    if not COURSE_SETTINGS.exists():
        return (
            f"{COURSE_SETTINGS} is missing: install -D -m 644 {HERE / 'nbgrader_config.py'} {COURSE_SETTINGS}"
        )
    settings = PyFileConfigLoader(COURSE_SETTINGS.name, path=str(COURSE_SETTINGS.parent)).load_config()
    exchange = Path(settings.Exchange.root)
    if not exchange.is_dir():
        return f"the exchange folder {exchange} is missing: install -d -m 1777 {exchange}"
    if (mode := exchange.stat().st_mode & 0o7777) != 0o1777:
        return f"the exchange folder {exchange} has mode {mode:o}, and 1777 is needed: chmod 1777 {exchange}"
    return None


def _not_shared() -> str | None:
    """What a student may do is tried as a user who has no rights at all."""
    clone = Path(dlcore.__file__).resolve().parents[1]
    looks = "import dlcore, os, sys; print(*[path for path in sys.argv[1:] if os.access(path, os.R_OK)])"
    secret = SECRET if (clone / "classroom").is_dir() else ()  # elsewhere `tests` may be another package's
    command = [str(BIN / "python"), "-c", looks, *(str(clone / name) for name in secret)]
    try:
        nobody = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        seen = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd="/", **nobody
        ).stdout.strip()
    except (PermissionError, subprocess.CalledProcessError):
        return f"students cannot run {BIN / 'python'}: install the environment where all may read, such as /opt/class"
    return f"students could read solutions and hidden checks: chmod -R go= {seen}" if seen else None


def _ready() -> None:
    """End with every sentence that says what is missing, before a student meets it."""
    if os.geteuid() != 0:
        raise SystemExit("JupyterHub must be started as root: it runs each student's server as that student")
    lacking = [said for said in (_proxy_missing(), _exchange_missing(), _not_shared()) if said]
    if not which("prlimit"):
        lacking.append("prlimit is not installed (Debian, Ubuntu: apt install util-linux)")
    if lacking:
        raise SystemExit("The class cannot start:\n" + "\n".join(f"  - {said}" for said in lacking))
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)


def _extensions(spawner) -> None:
    """Students see the assignment list alone; the formgrader is for teachers."""
    if spawner.user.name not in TEACHERS:
        spawner.environment = {**spawner.environment, "JUPYTER_CONFIG_PATH": str(HERE / "students")}


_ready()
c = get_config()  # noqa: F821

# Where it listens: on this machine alone, behind a web server that holds the certificate (README.md).
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.ConfigurableHTTPProxy.command = [str(PROXY)]
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")

# Who may log in: PAM, the passwords of this machine. Your institution's login is another class in this line.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = GROUPS

# Each server runs as its Unix user, bounded by prlimit. Kernels speak over sockets in the user's own folder:
# over TCP any user of the machine could listen to what another's kernel prints.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [
    "prlimit",
    f"--as={MEMORY}",
    f"--nproc={PROCESSES}",
    "--core=0",
    str(BIN / "jupyterhub-singleuser"),
]
c.Spawner.args = ["--KernelManager.transport=ipc", "--LabApp.extension_manager=readonly"]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}
c.Spawner.pre_spawn_hook = _extensions
c.JupyterHub.concurrent_spawn_limit = 20
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # seconds: a lesson begins for everybody at once

# Servers that nobody uses are stopped.
c.JupyterHub.services = [
    {"name": "idle", "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"]},
]
c.JupyterHub.load_roles = [
    {
        "name": "idle",
        "services": ["idle"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
]
