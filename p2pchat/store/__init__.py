"""The vault's store: one writer, many readers of the committed state, and SQL one noun a file.

``writer`` runs jobs, ``tx`` is what a job gets, ``cell`` keeps values in memory in step with commits, ``disk`` opens
the encrypted file, ``migrate`` brings its schema up to date. The other modules are nouns: plain functions of a ``Tx``
(or, to ask only, a ``Reader``) and values, returning frozen rows.
"""
