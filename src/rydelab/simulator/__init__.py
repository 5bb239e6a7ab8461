"""Plays a load on one cell in virtual time. Pure: no clock, no I/O but the profiles' files, no emulator.

How the parts fit together, for whoever adds an engine or uses one:

- `traffic` says when people come: `Arrivals` (each due time, from a scenario's schedule) or `Rate` (arrivals per step,
  from a trace or for more arrivals than one can look at singly). Either answers `per_step` and `due_times_s`.
- `cell` says what is simulated: `Cell` (design, table mode, units, retry mode …, as a scenario's cell), `Templates`
  (what the services' templates fix: timeouts, batch size, receives before the dead-letter queue …) and `Conditions`
  (how long clients wait, how long is drained, warm-up, where in the minute the load begins, clock speed, the capacity
  model's settings).
- `profile` says how long things take and what the place's limits are: `local` (this lab, as measured) or `aws`
  (sourced typical figures), or a TOML file of one's own.
- `result` is what comes out: `CellOutcome`, with the ledger's rows, percentiles, throttles, retries, the time to drain,
  series under the names of the report's series, and `rydelab.capacity.usage.Usage`, of which a bill is made.
- `engine.simulate(cell, traffic, profile, engine=..., seed=...)` runs an engine. An engine is a function
  ``simulate(cell, traffic, profile, *, conditions, seed) -> CellOutcome`` in a module of its own: `exact` looks at each
  arrival, `aggregate` at cohorts of equal ones, so that its cost does not depend on their number.

The table is `rydelab.capacity.Table` and its auto scaling `rydelab.capacity.autoscaling.Scaler`: the same objects as in
the emulator. Time is in seconds from the begin of the load; what happens before it (warm-up) has negative times. The
same arguments give the same outcome, to the last bit.
"""
