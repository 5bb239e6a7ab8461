"""Runs Python Lambda handlers in child processes, with AWS's own runtime client (``awslambdaric``).

- ``model``: the values that go in and come out.
- ``spawner``: starts child processes by asking a warm parent process to fork (``warm_parent``, ``child``).
- ``execution_environment``: one child, its Runtime API (``runtime_api``), its output (``output``), its deadline.
- ``linux``, ``landlock``: what ties the children to their parent, and keeps them from each other.
- ``platform_log``: the START / END / REPORT lines, in AWS's words.

Nothing here knows LocalStack. Linux only: the children are tied to their parent by ``prctl`` and watched by ``pidfd``.
"""
