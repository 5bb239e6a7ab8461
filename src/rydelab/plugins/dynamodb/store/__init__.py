"""The store: moto's tables, with reads that cost what they return and writes that can be refused.

Start with ``store.py``, which says how to use it; ``backend.py`` puts it behind moto's own operations.
"""
