"""Compiles a program in a job of its own and hands the result back. The source is hostile, the compiler is not."""
import os

from peer import dumps, loads, recv_bytes, send_bytes

MAX_BINARY = 7 << 20


def run(fd):
    source, name, argv = loads(recv_bytes(fd))
    with open(name, "wb") as f:
        f.write(source)
    os.environ["TMPDIR"] = os.getcwd()
    pid = os.posix_spawn(argv[0], argv, os.environ)
    _, status = os.waitpid(pid, 0)
    binary = b""
    if status == 0:
        with open("program", "rb") as f:
            binary = f.read(MAX_BINARY + 1)
        if len(binary) > MAX_BINARY:
            status, binary = -1, b""
    send_bytes(fd, dumps((status, binary), 2))
