# The few verbs. Each works in a fresh clone.

python := env("PYTHON", "python3")

# Style, types and unit tests: what a change must pass before it is committed
check:
    {{ python }} bootstrap/test.py --no-e2e

# Everything that CI runs; arguments go to pytest
test *ARGS:
    {{ python }} bootstrap/test.py {{ ARGS }}

# The tests that take minutes
test-slow:
    {{ python }} bootstrap/test.py -m slow

# The table of tests/bench: start-up, time to first event, CPU per event, as ratios
bench *ARGS:
    {{ python }} bootstrap/test.py --no-e2e --python -m tests.bench {{ ARGS }}

# Is every command, variable, route, exit code, setting and file documented, and nothing else?
docs:
    {{ python }} bootstrap/test.py --no-e2e tests/references

# Write the command tables of completions/ anew from the CLI
completions:
    {{ python }} bootstrap/test.py --no-e2e --python completions/regenerate.py
