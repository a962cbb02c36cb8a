# make && make install      build and install the extension with its Python
# make green                lint, types and quick tests; does its own set-up
# make check                everything a change must pass; does its own set-up
# make check-full           the same with what takes longer: 300 trainings, 20,000 rounds
# make bench                pgml beside what one would do instead, into docs/benchmarks.md
# make quickstart           a throwaway server with a first model; does its own set-up
# make docs                 the documentation as a site, into build/site
# make check-fresh          what the README says to type, in an empty Debian 12 and 13; takes root
# make dist deb wheel       packages, into dist/
# make check-deb            the Debian package, built in one empty Debian and used in another; takes root
# make docker-check         the images of docker/, built and tried without a container engine; takes root
#
# PG_CONFIG    the PostgreSQL to build for          GPU=1        the full xgboost
# TEST_PROCESSES=2  tests at a time
# NO_PYTHON=1  install the SQL alone                EDITABLE=1   the server runs this checkout
# SLIM=1       without what builds and tests        DIST=dist    where packages go
# EXTRAS="catboost lightgbm"                        libraries that only some servers need

PG_CONFIG ?= pg_config
export PG_CONFIG DESTDIR EDITABLE SLIM
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV
MAKEFLAGS += --no-print-directory

# VERSION is PGXS's own name for the server's.
PGML_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" extension/pgml.control)
SCRIPT := extension/pgml--$(PGML_VERSION).sql
# Within a directory the names' numbers give the order.
SQL_FILES := sql/header.sql sql/types.sql $(sort $(wildcard sql/tables/*.sql)) \
    $(sort $(wildcard sql/functions/*.sql)) $(sort $(wildcard sql/views/*.sql)) sql/privileges.sql
KNOWN_EXTRAS := $(patsubst requirements/extra-%.txt,%,$(wildcard requirements/extra-*.txt))
UNKNOWN_EXTRAS := $(filter-out $(KNOWN_EXTRAS),$(EXTRAS))
$(if $(UNKNOWN_EXTRAS),$(error there is no extra $(UNKNOWN_EXTRAS); there are: $(KNOWN_EXTRAS)))
LOCKS := requirements/runtime$(if $(GPU),-gpu).txt requirements/build.txt $(EXTRAS:%=requirements/extra-%.txt)

EXTENSION := extension/pgml
DATA := $(wildcard extension/released/*.sql extension/updates/*.sql) $(wildcard sql/compat_*.sql)
DATA_built := $(SCRIPT)
REGRESS := $(sort $(patsubst tests/regress/sql/%.sql,%,$(wildcard tests/regress/sql/*.sql)))
REGRESS_OUTPUT ?= build/regress
REGRESS_OPTS := --inputdir=tests/regress --outputdir=$(REGRESS_OUTPUT)
REGRESS_PREP := $(REGRESS_OUTPUT)
EXTRA_CLEAN := META.json build

all: META.json

# PGXS brings a rule of its own for check, and is not there before `make deps`: in both
# cases what it builds is left to another make.
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq (,$(if $(filter check,$(MAKECMDGOALS)),,$(PGXS)))
include $(PGXS)

ifndef NO_PYTHON
install: install-python
endif
uninstall: uninstall-python
PYTHON_DIRECTORY = $(pkglibdir)/pgml/$(PGML_VERSION)
else
all install uninstall installcheck clean:
	@test -f "$$($(PG_CONFIG) --pgxs 2>/dev/null)" || \
	    { echo 'pgml is built with the headers of a PostgreSQL server; "make deps" installs them' >&2; exit 1; }
	@$(MAKE) $@

check: test-deps venv installed
	@$(MAKE) lint docs test
endif

# Quick enough to be run before each commit: nothing here trains, but for one story.
green: test-deps venv installed
	@$(MAKE) lint
	@.venv/bin/python -m pytest -n $(TEST_PROCESSES) --dist loadfile $(GREEN)

GREEN = tests/contract tests/extension tests/docs/test_links.py tests/integration/test_story.py $(filter-out \
    $(wildcard tests/unit/test_exchange_* tests/unit/test_sql_* tests/unit/test_networks_*), $(wildcard tests/unit/test_*.py))

check-full:
	@PGML_FULL=1 PGML_ROUNDS=20000 $(MAKE) check

# Directories are named so that a file which comes or goes is noticed.
$(SCRIPT): $(SQL_FILES) sql/bootstrap.py Makefile $(wildcard sql/tables sql/functions sql/views)
	sed -e '/^ *# @bootstrap@$$/{r sql/bootstrap.py' -e 'd}' $(SQL_FILES) > $@.new
	mv $@.new $@

META.json: META.json.in extension/pgml.control
	sed 's/@VERSION@/$(PGML_VERSION).0/' $< > $@

$(REGRESS_OUTPUT):
	mkdir -p $@

install-python:
	scripts/install-python '$(PYTHON_DIRECTORY)' $(LOCKS)

uninstall-python:
	rm -rf '$(DESTDIR)$(PYTHON_DIRECTORY)'

deps:
	@scripts/install-deps

test-deps:
	@scripts/install-deps tests

venv:
	@scripts/make-venv .venv $(LOCKS) requirements/dev.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
	    --no-deps --no-index --no-build-isolation --editable .

# What the locked scikit-learn says of its estimators' hyperparameters.
parameters: venv
	PYTHONPATH=. .venv/bin/python scripts/parameters.py

lint: venv
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

# What wrote the files that the tests import, 1 GB; PGML_FRAMEWORKS names the Python of one that is there.
frameworks:
	@test -n "$$PGML_FRAMEWORKS" || \
	    scripts/make-venv .venv-frameworks requirements/frameworks.txt requirements/frameworks-torch.txt

# Two at a time, each with a server of its own; a file's tests share what they have trained.
TEST_PROCESSES ?= 2
test: venv frameworks
	.venv/bin/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

# Links and headings that are not there end it.
docs:
	@scripts/make-venv .venv-docs requirements/docs.txt
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --quiet

bench: deps installed
	@scripts/make-venv .venv-bench $(LOCKS) requirements/dev.txt requirements/bench.txt
	@scripts/make-venv .venv-orbital requirements/orbital.txt
	@scripts/make-venv .venv-flaml requirements/flaml.txt
	@.venv-bench/bin/python -m bench

# Built as the caller, so that no build product belongs to root.
installed: deps
	@$(MAKE) all
	@scripts/as-root $(MAKE) install

# PGXN's: what HEAD has, with what is generated.
DIST ?= dist
RELEASE := pgml-$(PGML_VERSION).0
dist: META.json $(SCRIPT)
	@mkdir -p '$(DIST)'
	git archive --format=zip --output='$(DIST)/$(RELEASE).zip' --prefix=$(RELEASE)/ --add-file=META.json \
	    --prefix=$(RELEASE)/extension/ --add-file=$(SCRIPT) --prefix=$(RELEASE)/ HEAD

deb: all
	@scripts/build-deb '$(DIST)'

wheel: venv
	.venv/bin/python -m pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir '$(DIST)' .

check-fresh:
	@scripts/install-deps fresh
	@scripts/as-root scripts/check-fresh

check-deb:
	@scripts/install-deps fresh
	@scripts/as-root scripts/check-deb

docker-check: venv
	@scripts/install-deps docker
	@scripts/as-root scripts/docker-check

quickstart: deps installed
	@scripts/quickstart

quickstart-stop:
	@scripts/quickstart stop

.PHONY: install-python uninstall-python deps test-deps venv frameworks parameters lint test docs green check check-full check-fresh check-deb docker-check dist deb wheel bench installed quickstart quickstart-stop
.DELETE_ON_ERROR:
.NOTPARALLEL:
