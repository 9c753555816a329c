"""Asks the host's own programs: an argument list, no shell, a time limit, and a bound on what is read."""

import os
import shutil
import subprocess

from durward.facts.failure import FactsError

SECONDS_MAX = 5.0  # a program that takes longer is ended, and the fact is not known
OUTPUT_BYTES_MAX = 16 << 20  # a longer answer is refused
DIRECTORIES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def answer_of(*arguments: str, given: str = "") -> str:
    """What the program `arguments[0]` writes to its standard output when it reads `given`. Raises FactsError."""
    program = shutil.which(arguments[0], path=DIRECTORIES)
    if program is None:
        raise FactsError(f"{arguments[0]} is not installed")
    environment = {"PATH": DIRECTORIES, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [program, *arguments[1:]],
            input=given.encode(),
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
            env=environment,
            cwd=os.sep,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FactsError(f"{' '.join(arguments)}: {error}") from None
    if done.returncode != 0 or len(done.stdout) > OUTPUT_BYTES_MAX:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no answer"]
        complaint = next((line for line in said if "rror" in line), said[-1])  # below it, nft draws where
        raise FactsError(f"{' '.join(arguments)}: {complaint[:300]}")
    return done.stdout.decode("utf-8", "replace")
