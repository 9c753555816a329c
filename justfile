# Shortcuts for those who have `just`; ./start and ./test need nothing of the kind.

# list the recipes
default:
    @just --list

# everything that continuous integration runs
test *arguments:
    ./test {{arguments}}

# the same without kernel and slow tests
quick *arguments:
    ./test QUICK=1 {{arguments}}

# draw new examples for the tests that draw any, more of them, and each time others (half an hour)
search *arguments:
    .venv/bin/python -m pytest -n 2 --dist worksteal -m "hypothesis and not kernel and not slow" --hypothesis-profile=search {{arguments}}

# draw lines by which a stranger might frame somebody, harsher than the tests do: `just frame FIRST ROUNDS`
frame *arguments:
    PYTHONPATH=. .venv/bin/python -m tests.scan.draw_framing {{arguments}}

# style, types and import contracts only
check:
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy
    .venv/bin/lint-imports

# a real attack on a real sshd in namespaces: the block, why, the undo
demo:
    ./start --demo

# write docs/reference anew from the program
reference:
    .venv/bin/python docs/generate.py

# how exposed the units are
exposure:
    systemd-analyze security --offline=yes packaging/systemd/durward-*.service

# write both lock files anew (needs uv)
lock:
    packaging/lock.sh

# fuzz what reads log lines (an hour; needs python3.11 on x86_64)
fuzz seconds="3600":
    packaging/fuzz.sh {{seconds}}

# choose anew the stems by which the scanner sieves lines, after cards have changed
stems:
    PYTHONPATH=. .venv/bin/python -m bench.stems
