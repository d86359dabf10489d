"""Who holds the port? Best effort, for a message and for telling a stranger from a proxy that is just starting."""

import os

_LISTEN = "0A"
_LOOPBACK = ("0100007F", "00000000", "0" * 32, "0000000000000000FFFF00000100007F")


class Owner:
    """`pid` is 0 when only the user behind the socket is known."""

    def __init__(self, pid: int, name: str, uid: int, command: str = "") -> None:
        self.pid = pid
        self.name = name
        self.uid = uid
        self.is_proxy = uid == os.getuid() and "claudex.proxy" in command
        # Between fork and exec our daemon still has the command line of the launch that spawned it.
        launch = any(os.path.basename(word) in ("claudex", "claude") for word in command.split(" "))
        self.may_be_ours = self.is_proxy or (uid == os.getuid() and (launch or not pid))

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})" if self.pid else f"a program of user {self.name}"


def find(port: int) -> Owner | None:
    """The process that listens on 127.0.0.1:port, None when it cannot be told."""
    if os.path.exists("/proc/net/tcp"):
        return _from_proc(port)
    return _from_lsof(port)


def _from_proc(port: int) -> Owner | None:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for uid, inode in _listeners(table, port):
            return _process(inode, uid) or Owner(0, _user(uid), uid)
    return None


def _listeners(table: str, port: int) -> list[tuple[int, str]]:
    """(uid, inode) of each socket that listens on this port of loopback or of every address."""
    try:
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
    except OSError:
        return []
    end = f":{port:04X}"
    return [
        (int(row[7]), row[9])
        for row in rows
        if row[3] == _LISTEN and row[1].endswith(end) and row[1][: -len(end)] in _LOOPBACK
    ]


def _process(inode: str, uid: int) -> Owner | None:
    wanted = f"socket:[{inode}]"
    for entry in os.listdir("/proc"):
        if entry.isdigit() and _holds(entry, wanted):
            return Owner(int(entry), _read(f"/proc/{entry}/comm") or "a program", uid, _read(f"/proc/{entry}/cmdline"))
    return None


def _holds(pid: str, wanted: str) -> bool:
    directory = f"/proc/{pid}/fd"
    try:
        return any(_link(f"{directory}/{name}") == wanted for name in os.listdir(directory))
    except OSError:  # another user's process, or it has just ended
        return False


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _from_lsof(port: int) -> Owner | None:
    """macOS has no /proc, and its lsof shows the user's own processes."""
    import subprocess

    command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpcu"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    fields = {line[0]: line[1:] for line in output.splitlines() if line}
    pid = fields.get("p", "")
    if not pid.isdigit():
        return None
    uid = fields.get("u", "")
    return Owner(int(pid), fields.get("c", "a program"), int(uid) if uid.isdigit() else -1, _ps(int(pid)))


def command_of(pid: int) -> str:
    """The command line of a living process; empty when it is gone, a zombie or not ours to see."""
    if os.path.isdir("/proc/self"):
        return _read(f"/proc/{pid}/cmdline")
    return _ps(pid)


def _ps(pid: int) -> str:
    import subprocess

    command = ["ps", "-o", "stat=,command=", "-p", str(pid)]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
    state, _, line = output.partition(" ")
    return "" if state.startswith("Z") else line.strip()
