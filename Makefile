# What a person types; `make` alone lists it. Each works from any directory by `make -C`.
.PHONY: help run test test-fast shots soak-tests client-tests install-tests full edge check format lock \
	bench bench-quick bench-books bench-tools table clean clients tools

FAST = tests/core tests/models tests/accounts tests/cache tests/money tests/admin/service \
	tests/jobs tests/requests tests/webhooks/test_*.py tests/telemetry/test_*.py \
	--ignore-glob='*/store' --ignore-glob='*/machine' --ignore-glob='*/mutants' \
	--ignore-glob='*/turns' --ignore-glob='*/contract'
TIMED = tests/faults tests/jobs/turns tests/jobs/store/test_wakes.py tests/redis \
	tests/webhooks/delivering tests/http/server tests/http/test_streams.py \
	tests/cli/test_stopping.py

# Some machines tell Python to keep no bytecode; then each test process would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile

run:  ## set up (once) and serve http://127.0.0.1:8080; Ctrl-C stops everything
	@deploy/setup.sh runtime && exec .venv/bin/falgate run

test: tools  ## every test of falgate itself, with all that it needs
	@.venv/bin/python tests/measured.py .venv/bin/pytest -q -n 4 --dist worksteal

test-fast:  ## what needs no server and no process: seconds, for every save
	@deploy/setup.sh dev
	@.venv/bin/pytest -q -n 2 $(FAST)

soak-tests: tools  ## the tests that wait for something, 20 times over: they have to pass each time
	@for round in $$(seq 20); do .venv/bin/pytest -q -n 4 --dist worksteal $(TIMED) || exit 1; done

full: clients  ## every test, as thorough as it can be: before a release, and at night
	@.venv/bin/python tests/measured.py .venv/bin/pytest -q -n 4 --dist worksteal --full \
		tests tests/clients tests/install

tools:  ## what the tests need besides Python: Node, Redis, Chromium, nginx
	@deploy/setup.sh dev
	@deploy/tools.sh
	@deploy/browser.sh

clients: tools  ## fal's own clients, in several versions
	@deploy/clients.sh

client-tests: clients  ## fal's own clients, unmodified, against a gateway and the sandbox
	@.venv/bin/pytest -q -n 4 --dist worksteal tests/clients

install-tests:  ## set-up and `make run`, from nothing and on machines that lack something
	@deploy/setup.sh dev
	@.venv/bin/pytest -q -n 2 tests/install

edge: clients  ## HTTP clients of other makes against a gateway: Java, Apache, Go, curl, undici, Python's
	@deploy/tools.sh edge
	@.venv/bin/pytest -q tests/edge

check:  ## format, lint, types, layers and house rules
	@deploy/setup.sh dev
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/pytest -q tests/house/test_tidy*.py

format:  ## format the code and repair what ruff can
	@deploy/setup.sh dev
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

lock:  ## bring all lock files up to date
	@deploy/setup.sh dev
	@deploy/lock.sh

shots: tools  ## take pictures of every page of the console, for docs/console.md and the README
	@.venv/bin/pytest -q tests/console/shots.py --shots docs/img

bench: bench-tools  ## how fast falgate is, beside others, in 15 minutes: writes bench/report.md
	@.venv/bin/python -m bench --publish

bench-quick: bench-tools  ## whether the benchmark runs and all answers are right, in 2.5 minutes
	@.venv/bin/python -m bench --quick

bench-tools: tools  ## what the benchmark needs besides: wrk, and other gateways
	@deploy/bench.sh

bench-books:  ## what the cache saves, and how long a large ledger takes
	@deploy/setup.sh runtime
	@.venv/bin/python -m bench.savings
	@.venv/bin/python -m bench.ledger
	@.venv/bin/python -m bench.figures
	@.venv/bin/python -m bench.pages

table: clients  ## run every call of fal's clients and write into docs/clients.md what works
	@.venv/bin/python tests/clients/table.py docs/clients.md

clean:  ## forget all that is made here, but not the data in .falgate
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
