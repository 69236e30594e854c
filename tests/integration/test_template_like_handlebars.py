# test_template_like_handlebars.py - the same answers as handlebars.js
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Templates and data at random (harness/handlebars_pairs.js).  The seed is new each
# time, BELFRY_PAIRS_SEED sets it; BELFRY_PAIRS is how many pairs, for a long run.
import json
import os
import random
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAIRS = int(os.environ.get("BELFRY_PAIRS", 4000))
COMMAND = [Path(os.environ["BELFRY_BUILDDIR"]) / "belfryctl", "template", "eval",
           "--no-extras"]


def pairs(seed):
    """Questions with the answers of handlebars.js, by id."""
    modules = subprocess.run(["npm", "root", "-g"], capture_output=True,
                             text=True, check=True).stdout.strip()
    done = subprocess.run(
        ["node", HERE.parent / "harness/handlebars_pairs.js", str(seed),
         str(PAIRS)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "NODE_PATH": modules})
    assert done.returncode == 0, done.stderr
    return {pair["id"]: pair for pair in map(json.loads, done.stdout.splitlines())}


def answers(questions):
    lines = "\n".join(json.dumps(question) for question in questions)
    done = subprocess.run(COMMAND, input=lines, capture_output=True, text=True,
                          check=True, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_handlebars_says():
    seed = int(os.environ.get("BELFRY_PAIRS_SEED", random.randrange(1 << 31)))
    print(f"BELFRY_PAIRS_SEED={seed}")
    asked = pairs(seed)
    assert len(asked) > PAIRS * 0.9
    said = answers(asked.values())
    assert len(said) == len(asked)
    wrong = [(asked[answer["id"]], answer) for answer in said
             if answer.get("output") != asked[answer["id"]].get("output")]
    wrong.sort(key=lambda pair: len(json.dumps(pair[0])))
    assert not wrong, (f"{len(wrong)} of {len(asked)} with BELFRY_PAIRS_SEED="
                       f"{seed}, the smallest:\n"
                       + json.dumps(wrong[0], indent=1, ensure_ascii=False))
    outputs = sum("output" in pair for pair in asked.values())
    assert len(asked) * 0.5 < outputs < len(asked) * 0.9
