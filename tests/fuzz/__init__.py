"""Fuzzing every parser: ``targets/`` says which there are, ``test_parsers.py`` runs in every test run.

``python -m tests.fuzz TARGET --seconds 60`` runs one coverage-guided (needs atheris).
"""
