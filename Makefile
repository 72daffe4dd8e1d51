# Deep Learning, Live. `make help` lists the targets; each sets up what it needs in .venv and is quick the second time.
#   PYTHON=python3.12  the interpreter that .venv is made from      VENV=.venv  where it lies
#   PORT=8000          where `make serve` listens                   TORCH=no    set up without torch
#   COVERAGE=yes       measure with `make test` what the tests have run; it takes a minute or two
#   DIGITS=masked      let `make test` compare the notebooks without their numbers, as it does where others come out
#   COURSE=course      where a class lies: `make release`, `grade`, `feedback`, `marks`
SHELL := bash
.SHELLFLAGS := -e -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
TORCH ?= yes
COVERAGE ?= no
DEVICE ?= cpu
BUILD := _build
PYODIDE := .pyodide

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Left to itself, pip compiles what it has brought on one core, and the packages' own tests with it.
INSTALL = $(PIP) --no-compile -c requirements.txt $(1) && { $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true; }
# A BLAS with many threads is slower at our sizes, and rounds differently.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
# Bytecode is kept, whatever the shell says: tests start hundreds of Pythons that import the same files.
unexport PYTHONDONTWRITEBYTECODE
# COURSE is the folder with everything of a class: submissions, gradebook, feedback, marks.
COURSE ?= course
CLASSROOM := $(ONE_THREAD) $(BIN)/python -m classroom.commands --course "$(COURSE)"
# Three at a time, on two cores too: a test in a browser waits as often as it computes. In their own order, since the
# few slow tests of a file would otherwise come last and run alone.
TEST := $(ONE_THREAD) $(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder
PINS := requirements.txt pyproject.toml

ifeq ($(TORCH),no)
FULL := $(VENV)/.full-without-torch
FULL_EXTRAS := book,classroom,dev
else
FULL := $(VENV)/.full
FULL_EXTRAS := book,classroom,dev,torch
endif

.PHONY: help serve pyodide test book lint bench lab release grade feedback marks notebooks kernel lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: pyodide  ## build the book and serve it at http://localhost:8000
	$(BIN)/jupyter-book build . -q --path-output .
	$(BIN)/python tools/serve.py $(BUILD)/html --port $(PORT)

pyodide: $(VENV)/.book  ## fetch and verify what runs Python in the page (PYODIDE_URL=https://…/ where from)
	@PYODIDE_URL=$(PYODIDE_URL) $(BIN)/python -m dlcore.live.distribution $(PYODIDE)

test: $(FULL) pyodide  ## run every test: package, doctests, notebooks, book, browser
	@# The notebooks apart: nbval would start the coverage of the tests in their kernels.
ifeq ($(TORCH),no)
	@echo "The notebooks are not run again: they compare with torch, and TORCH=no."
else
	$(TEST) intro.ipynb chapters playground.ipynb --nbval --nbval-current-env --nbval-sanitize-with tools/nbval.cfg
endif
	$(TEST) tests dlcore classroom tools $(if $(filter yes,$(COVERAGE)),--cov --cov-report=term)

book: pyodide  ## build the book from scratch; a warning is an error
	rm -rf $(BUILD)/html $(BUILD)/.doctrees
	$(BIN)/jupyter-book build . -n -W --keep-going --path-output .

lint: $(FULL)  ## ruff (lint and format, notebooks too) and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy

bench: $(VENV)/.bench pyodide  ## measure the engine beside its peers, here and in a page (DEVICE=cuda on a machine with a card)
	$(ONE_THREAD) $(BIN)/python -m benchmarks --device $(DEVICE)
	$(ONE_THREAD) $(BIN)/python -m benchmarks.page

lab: $(VENV)/.lab  ## open the chapters in JupyterLab
	$(BIN)/python -m jupyterlab --LabApp.default_url=/lab/tree/chapters

release: $(VENV)/.classroom  ## an assignment without its solutions, for students: CHAPTER=neurons
	@$(CLASSROOM) release "$(CHAPTER)"

grade: $(VENV)/.classroom  ## grade what is in course/submitted: CHAPTER= [STUDENT=] [JOBS=] [SCHEDULER=tcp://…]
	@$(CLASSROOM) grade "$(CHAPTER)" --student "$(STUDENT)" $(if $(JOBS),--jobs "$(JOBS)") --scheduler "$(SCHEDULER)"

feedback: $(VENV)/.classroom  ## a page for each student into course/feedback: CHAPTER=
	@$(CLASSROOM) feedback "$(CHAPTER)"

marks: $(VENV)/.classroom  ## CSV for Canvas, Moodle and spreadsheets into course/marks
	@$(CLASSROOM) marks

notebooks: $(FULL)  ## run the chapters again and write them back normalized
	$(BIN)/python tools/notebooks.py

kernel: $(FULL)  ## build the browser's SIMD kernel from its C source
	$(BIN)/python dlcore/arrays/wasm/build.py

lock: $(VENV)/.created  ## resolve requirements.txt anew, keeping the versions that still fit
	$(BIN)/python tools/lock.py

clean:  ## remove what was built (the environment stays)
	rm -rf $(BUILD) .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; try make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { echo "venv is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@# The pip of Python 3.11 takes twice as long to find out what fits.
	@$(PIP) --upgrade 'pip>=25' || true
	@touch $@

$(VENV)/.book: $(VENV)/.created $(PINS)
	@echo "Setting up the book in $(VENV) (half a minute, once)"
	$(call INSTALL,-e '.[book]')
	@touch $@

$(VENV)/.lab: $(VENV)/.created $(PINS)
	@echo "Setting up JupyterLab in $(VENV) (a minute, once)"
	$(call INSTALL,-e '.[notebooks]')
	@touch $@

$(VENV)/.classroom: $(VENV)/.created $(PINS)
	@echo "Setting up the classroom in $(VENV) (a minute, once)"
	$(call INSTALL,-e '.[classroom]')
	@touch $@ $(VENV)/.lab

$(FULL): $(VENV)/.created $(PINS)
	@echo "Setting up everything in $(VENV) (a minute and a half, once)"
	$(call INSTALL,-e '.[$(FULL_EXTRAS)]')
	@touch $@ $(VENV)/.book $(VENV)/.lab $(VENV)/.classroom

$(VENV)/.bench: $(FULL) benchmarks/requirements.txt
	$(call INSTALL,-r benchmarks/requirements.txt)
	@touch $@
