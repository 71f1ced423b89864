"""python3 -m provenir.wandb_export: the recorder's JSON lines on standard input become an offline run of Weights & Biases.

`provenir run export RUN --format wandb` calls it. It never talks to a server: `wandb sync FOLDER` does that, when somebody
wants it to. The folder appears when all of the run is in it.
"""

import argparse
import glob
import json
import os
import shutil
import sys
import tempfile

WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def main(argv=None):
    p = argparse.ArgumentParser(prog="provenir.wandb_export")
    p.add_argument("--run", required=True)
    p.add_argument("--out", required=True, help="folder that gets offline-run-...")
    p.add_argument("--project", default="provenir")
    p.add_argument("--force", action="store_true")
    args = p.parse_args(argv)
    there = glob.glob(os.path.join(glob.escape(args.out), "offline-run-*-" + args.run))
    if there and not args.force:
        print("%s exists; give --force to replace it" % there[0], file=sys.stderr)
        return 2
    os.makedirs(args.out, exist_ok=True)
    work = tempfile.mkdtemp(prefix=".provenir-", dir=args.out)
    try:
        done = write(sys.stdin, args.run, args.project, work)
        made = glob.glob(os.path.join(glob.escape(work), "wandb", "offline-run-*-" + args.run))
        if len(made) != 1:
            raise RuntimeError("wandb left %d folders of the run, want 1" % len(made))
        for old in there:
            shutil.rmtree(old)
        done["file"] = os.path.join(args.out, os.path.basename(made[0]))
        os.rename(made[0], done["file"])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(done))
    return 0


def write(lines, uid, project, work):
    import wandb

    run = wandb.init(id=uid, name=uid, project=project, dir=work, mode="offline",
                     settings=wandb.Settings(console="off", silent=True, x_disable_stats=True, disable_git=True, save_code=False))
    done = {"steps": 0, "values": 0, "incidents": 0, "undated": 0}
    ended = False
    try:
        # W&B counts calls; our steps repeat after a rollback. So the step is a value, and the axis of the others.
        run.define_metric("rl/step")
        run.define_metric("*", step_metric="rl/step")
        for row in steps(lines, run, done):
            run.log(row)
            done["steps"] += 1
        ended = True
    finally:
        run.finish(exit_code=0 if ended else 1)
    return done


def steps(lines, run, done):
    """The values of each step as one row; what else the export has goes into the summary."""
    row, place, head, whole = {}, None, False, False
    for text in lines:
        line = json.loads(text)
        if line["type"] == "run":
            head = True
            run.config.update({"provenir/run": line["run"], "provenir/complete": line["complete"]})
            run.summary["provenir/verdict"] = line["verdict"]
        elif line["type"] == "incident":
            done["incidents"] += 1
            run.summary["provenir/incident/%s" % line["incident"]] = "%s %s since step %d: %s" % (line["severity"], line["kind"], line["onset_step"], line["detail"])
        elif line["type"] == "metric":
            at = (line["attempt"], line["step"])
            if at != place:
                if row:
                    yield row
                row, place = {"rl/attempt": at[0], "rl/step": at[1]}, at
            row[name(line)] = line["value"] if "value" in line else WORDS[line["non_finite"]]
            done["values"] += 1
            done["undated"] += not line.get("recorded_at")
        whole = line["type"] == "end"
    if row:
        yield row
    if not head or not whole:
        raise ValueError("the export is %s" % ("cut off" if head else "empty"))


def name(line):
    """A key for each series: two values with other tags are never one."""
    scope = line.get("scope", "")
    parts = [scope] if scope not in ("", "train") else []
    return "/".join(parts + [line["metric"]] + [line[k] for k in ("estimator", "reduction") if line.get(k)])


if __name__ == "__main__":
    sys.exit(main())
