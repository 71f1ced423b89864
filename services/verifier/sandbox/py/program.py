def run(fd): pass
