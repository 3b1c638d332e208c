# Each target creates what it needs: an environment in .venv with the locked dependencies, the database.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -q --numprocesses=auto --dist=loadfile --no-loadscope-reorder
ARGS ?=

.PHONY: demo test test-fast lint docs bench fidelity crawl lock clean

demo: $(STAMP)  ## crawl the bundled site and print the reference article
	$(BIN)/python -m tests.demo

test: $(STAMP)  ## run all tests
	$(PYTEST) --max-worker-restart=2

test-fast: $(STAMP)  ## run all tests except slow, browser and kill tests
	$(PYTEST) -m "not (slow or browser or kill)"

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

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $(STAMP)

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $(VENV)/.docs

lock:  ## pin the packages that CI installs, from the bounds in pyproject.toml
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet '.[browse,embedded,s3,dev]' 'hatchling>=1.27'
	( echo "# What CI installs: made by 'make lock' from pyproject.toml."; \
	  $(VENV)-lock/bin/python -m pip freeze --exclude zjolcrawl \
	    | sed "s/^backports.*/&; python_version < '3.14'/" ) > requirements.lock  # part of Python from 3.14 on
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) $(VENV)-peers .pytest_cache .mypy_cache .ruff_cache .hypothesis
