# `make help` prints every target with what it does.
# ARGS reaches the command behind a target: make test ARGS="-k receipt", make bench ARGS=reading

.DEFAULT_GOAL := help
.PHONY: help run test endure older check format lock settings bench fuzz crash slow wheel clean

# Flask would say that it cannot read .env, which the blog reads itself.
export FLASK_SKIP_DOTENV := 1

PY := .venv/bin/python
# Each has one half to begin with, and so the files' own servers and blogs are made once; then the rest is shared.
BY_TWO = -n 2 --dist worksteal
OLDER := .venv/older
STORE_TESTS := $(addprefix tests/test_,states_hold.py answering.py desk_views.py limits.py privacy.py reconcile.py)
SECONDS := 60
KILLS := 100

# $(call ready,LOCK) does nothing when .venv holds that lock file already; it must stay quick, `run` begins with it.
ready = @{ cmp -s $(1) .venv/$(1) && $(PY) -c 'import pip' 2>/dev/null; } || { python=$$(tools/find-python) && "$$python" tools/install.py $(1); }

help: ## print this list
	@sed -n 's/^\([a-z]*\): .*## /  make \1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r target words; do printf '%-16s %s\n' "$$target" "$$words"; done

run: ## serve the blog on http://127.0.0.1:8000, set up at the first call
	$(call ready,requirements.txt)
	@exec $(PY) wsgi.py serve $(ARGS)

test: ## run every test that this machine can run
	$(call ready,requirements-dev.txt)
	@exec $(PY) -m pytest $(BY_TWO) $(ARGS)

endure: ## kill, fault and flood the server for about a minute; crash and slow do it for long
	$(call ready,requirements-dev.txt)
	@exec $(PY) -m pytest -m endurance $(ARGS)

older: ## the store's tests with the older line of SQLAlchemy
	$(call ready,requirements-dev.txt)
	@cmp -s requirements-older.txt $(OLDER)/requirements-older.txt || { rm -rf $(OLDER) && \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
		--target $(OLDER) -r requirements-older.txt && cp requirements-older.txt $(OLDER); }
	@PYTHONPATH=$(OLDER) $(PY) -c 'import sqlalchemy; assert sqlalchemy.__version__.startswith("2.0."), sqlalchemy'
	@PYTHONPATH=$(OLDER) exec $(PY) -m pytest $(BY_TWO) $(STORE_TESTS)

check: ## format, lint, types, templates, lock files, the older SQLAlchemy, endurance, then the tests
	$(call ready,requirements-dev.txt)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m djlint templates --check --lint --quiet
	$(PY) tools/lock.py --check
	$(MAKE) --no-print-directory older
	$(MAKE) --no-print-directory endure
	$(MAKE) --no-print-directory test

format: ## put code and templates into their form
	$(call ready,requirements-dev.txt)
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	$(PY) -m djlint templates --reformat --quiet

lock: ## resolve the lock files after a change in pyproject.toml; UPGRADE=1 takes newer releases
	$(call ready,requirements-dev.txt)
	$(PY) tools/lock.py $(if $(UPGRADE),--upgrade)

settings: ## write the README's table of settings again, from blog/config.py
	$(call ready,requirements.txt)
	$(PY) tools/settings.py

bench: ## measure what the README's figures say
	$(call ready,requirements-dev.txt)
	@exec $(PY) -m benchmarks $(ARGS)

fuzz: ## look for texts that break comments or front matter, SECONDS=60 each
	$(call ready,requirements-dev.txt)
	$(PY) -m tests.fuzz.fuzz_comment --seconds $(SECONDS)
	$(PY) -m tests.fuzz.fuzz_front_matter --seconds $(SECONDS)

crash: ## kill the server again and again while people post, KILLS=100 on each store
	$(call ready,requirements-dev.txt)
	$(PY) -m tests.crash --kills $(KILLS) --store sqlite $(ARGS)
	$(PY) -m tests.crash --kills $(KILLS) --store postgresql $(ARGS)

slow: ## how readers fare while a thousand clients are slow: bare, behind nginx, behind Caddy
	$(call ready,requirements-dev.txt)
	$(PY) -m tests.slow_clients $(ARGS)

wheel: ## build dist/reciprocal-*.whl and the source archive
	$(call ready,requirements-dev.txt)
	$(PY) -m build --no-isolation

clean: ## remove what make made; the blog's data in instance/ stays
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
