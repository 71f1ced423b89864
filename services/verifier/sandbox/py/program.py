"""Programs that are no Python: compiles one in a job of its own, or runs one and waits beside it.

The source is hostile, the compiler is not. A program that runs is a child of this process, so that what it leaves behind can
be seen before all of it dies with us; it holds no descriptor of ours, so what we say of its end is not its word.
"""
import os

from peer import dumps, loads, recv_bytes, send_bytes

MAX_BINARY = 7 << 20


def run(fd):
    source, name, commands = loads(recv_bytes(fd))
    with open(name, "wb") as f:
        f.write(source)
    os.environ["TMPDIR"] = os.getcwd()
    status = 0
    for argv in commands:
        pid = os.posix_spawn(argv[0], argv, os.environ)
        _, status = os.waitpid(pid, 0)
        if status:
            break
    binary = b""
    if status == 0:
        with open("program", "rb") as f:
            binary = f.read(MAX_BINARY + 1)
        if len(binary) > MAX_BINARY:
            status, binary = -1, b""
    send_bytes(fd, dumps((status, binary), 2))


def supervise(fd, argv, env):
    try:
        pid = os.posix_spawn(argv[0], argv, env)
    except OSError as e:
        send_bytes(fd, dumps(("failed", str(e)[:200]), 2))
        os._exit(125)
    _, status = os.waitpid(pid, 0)
    send_bytes(fd, dumps(("ended", status), 2))
    try:
        recv_bytes(fd)  # Go looks for processes that would stay behind, then lets go
    except EOFError:
        pass
    os._exit(0)
