"""Forks a job from the zygote and takes everything away from it before a byte of the candidate's runs.

Order in the child: announce to Go and wait until it has put us into our control groups, mount /box, Landlock, close every
other descriptor, limits, capabilities, system calls. Mounting needs what Landlock and seccomp take away, so it comes first.
"""
import _socket
import array
import ctypes
import gc
import os
import resource
import signal
import struct
import sys
from marshal import loads

libc = ctypes.CDLL(None, use_errno=True)
api = ctypes.pythonapi
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
SECCOMP_SET_MODE_FILTER = 1
RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE = 11, 12
RPC = 3
PR_SET_PDEATHSIG, SIGKILL, MNT_DETACH = 1, 9, 2

for _f in ("PyOS_BeforeFork", "PyOS_AfterFork_Child", "PyOS_AfterFork_Parent"):
    getattr(api, _f).restype = None


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def check(result, what):
    if result < 0:
        e = ctypes.get_errno()
        raise OSError(e, what + ": " + os.strerror(e))
    return result


def copy(fd, path):
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o500)
    at, size = 0, os.fstat(fd).st_size
    while at < size:
        at += os.sendfile(out, fd, at, size - at)
    os.close(out)


def give(fd):
    """Hands the folder we are in to Go, for which it is nowhere else to be seen."""
    s = _socket.socket(fileno=RPC)
    s.sendmsg([b"f"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [fd]))])
    s.detach()
    os.close(fd)


def unpack(fd):
    """Writes the job's files. Their paths were looked at by Go; nothing is here yet that could lead elsewhere."""
    for path, content in loads(os.pread(fd, os.fstat(fd).st_size, 0)):
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        at = 0
        while at < len(content):
            at += os.write(out, content[at:])
        os.close(out)


class Spawner:
    """Holds what every child needs, made once so that a child only has to use it."""

    def __init__(self, conf):
        self.nr = conf["syscalls"]
        self.flags, self.judge_flags, self.shared = conf["clone_flags"], conf["judge_flags"], conf["shared"]
        self.filters = {}
        for name, code in conf["seccomp"].items():
            buf = ctypes.create_string_buffer(code, len(code))
            program = Program(len(code) // 8, ctypes.addressof(buf))
            self.filters[name] = (ctypes.addressof(program), program, buf)
        self.caps_head = ctypes.create_string_buffer(struct.pack("<Ii", 0x20080522, 0))
        self.caps_none = ctypes.create_string_buffer(24)
        self.landlock = conf["landlock"]
        self.rules = []
        if self.landlock is not None:
            self.rules = [(os.open(path, os.O_PATH | os.O_CLOEXEC), access) for path, access in self.landlock["rules"]]
            self.ruleset = self.landlock["ruleset"]
        self.runners = {}
        self.group = conf["groups"] and conf["groups"] + "/pids/job"
        if self.group:
            os.mkdir(self.group)

    def spawn(self, kind, fds, job):
        """Gives the pid in the zygote's namespace; never returns in the child."""
        api.PyOS_BeforeFork()
        # A judge runs no hostile code and has no use for files, so it stays among the zygote's mounts, which it cannot change.
        flags = self.judge_flags if kind == "judge" else self.flags
        pid = libc.syscall(self.nr["clone"], flags | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            api.PyOS_AfterFork_Child()
            self.child(kind, fds, job)
        error = ctypes.get_errno()
        api.PyOS_AfterFork_Parent()
        if pid < 0:
            raise OSError(error, os.strerror(error))
        return pid

    def child(self, kind, fds, job):
        status = 125
        try:
            os.setsid()
            if self.shared:
                libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
            for i in range(3):
                os.dup2(fds[1 + i], i)
            os.dup2(fds[0], RPC, False)  # the zygote's control socket ends here
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.write(RPC, b"p")
            if os.read(RPC, 1) != b"g":
                os._exit(125)
            self.harden(kind, fds, job)
            os.write(RPC, b"h")  # without it Go knows that we failed, and not the candidate
            gc.enable()
            if kind == "exec":
                self.runners[kind](RPC, job["argv"], job["env"])
            else:
                self.runners[kind](RPC)
                status = 0
        except BaseException as e:
            try:
                os.write(2, ("sandbox: %s: %s\n" % (type(e).__name__, e)).encode())
            except BaseException:
                pass
        finally:
            os._exit(status)

    def join(self, job):
        """Puts a job into the group of its kernel that bounds its processes, and takes what its kernel tells of others out of its sight."""
        for name, value in (("pids.max", job["processes"]), ("cgroup.procs", 0)):
            with open(self.group + "/" + name, "w") as f:
                f.write(str(value))
        for at in (b"/sys", b"/proc", b"/tmp"):
            check(libc.umount2(at, MNT_DETACH), "hide " + at.decode())
        check(libc.mount(None, b"/dev", None, ctypes.c_ulong(MS_REMOUNT | MS_RDONLY | MS_NOSUID), None), "make /dev read-only")

    def harden(self, kind, fds, job):
        if self.group and kind != "judge":
            self.join(job)
        home = job["home"]
        if kind != "judge":
            self.beside(fds, job) if home else self.box(fds, job)
            if job["give"]:
                give(os.open(".", os.O_PATH | os.O_DIRECTORY))
            if job["files"]:
                unpack(fds[-1])
        self.restrict(kind != "judge", job["program"], home)
        os.closerange(4, 1 << 16)
        for which, value in job["limits"]:
            if not self.group or which not in (RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE):  # gVisor has neither
                resource.setrlimit(which, (value, value))
        check(libc.syscall(self.nr["capset"], self.caps_head, self.caps_none), "drop capabilities")
        if job["filter"]:
            check(libc.syscall(self.nr["seccomp"], SECCOMP_SET_MODE_FILTER, 0, ctypes.c_void_p(self.filters[job["filter"]][0])), "install the system call filter")

    def box(self, fds, job):
        """Gives the job a /box of its own."""
        check(libc.mount(b"tmpfs", b"/box", b"tmpfs", ctypes.c_ulong(MS_NOSUID | MS_NODEV | MS_NOEXEC), job["box"]), "mount /box")
        os.chdir("/box")
        if job["program"]:
            self.install(fds[4], job)

    def beside(self, fds, job):
        """What box does, in a folder of the host: there are no mounts of the job's own."""
        box = job["home"] + "/box"
        os.chdir(box)
        os.environ["HOME"] = job["env"]["HOME"] = box
        if job["program"]:
            copy(fds[4], job["home"] + "/run/" + job["program"])

    def install(self, fd, job):
        """Puts a program at /run, where it can be run and not written."""
        check(libc.mount(b"tmpfs", b"/run", b"tmpfs", ctypes.c_ulong(MS_NOSUID | MS_NODEV), b"size=16m,nr_inodes=4,mode=755"), "mount /run")
        copy(fd, "/run/" + job["program"])
        check(libc.mount(b"tmpfs", b"/run", b"tmpfs", ctypes.c_ulong(MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV), None), "make /run read-only")

    def restrict(self, box, program, home):
        if self.landlock is None:
            return
        nr, conf = self.nr, self.landlock
        ruleset = check(libc.syscall(nr["landlock_create_ruleset"], self.ruleset, ctypes.c_size_t(len(self.ruleset)), 0), "make a Landlock ruleset")
        rules = list(self.rules)
        if box:
            rules.append((os.open(home + "/box", os.O_PATH | os.O_CLOEXEC), conf["box_access"]))
        if program:
            rules.append((os.open(home + "/run", os.O_PATH | os.O_CLOEXEC), conf["program_access"]))
        for fd, access in rules:
            check(libc.syscall(nr["landlock_add_rule"], ruleset, 1, struct.pack("<Qi", access, fd), 0), "add a Landlock rule")
        check(libc.syscall(nr["landlock_restrict_self"], ruleset, 0), "restrict by Landlock")
