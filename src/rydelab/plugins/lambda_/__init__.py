"""Lambda without Docker: LocalStack's Lambda API over ``rydelab.workers``.

LocalStack keeps functions, versions, aliases, concurrency settings and the wire format. Ours are what happens between
"invoke this version" and its answer (``environments``), asynchronous events (``async_events``), CloudWatch Logs
(``logs``) and metrics (``metrics``), and the limits that LocalStack does not check (``limits``).
"""
