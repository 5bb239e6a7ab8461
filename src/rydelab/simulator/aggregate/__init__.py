"""The aggregate engine: cohorts of equal requests, so that its cost does not depend on how many there are.

Time goes in steps of unequal length. What happens within a step is a flow: so many arrivals, so many attempts at the
table, of which a share is admitted. What is to come later (a retry, a message that is hidden) waits in a delay line, as
a mass that is due evenly between two moments. A step ends where something changes: the load, the table's rate, a
minute of auto scaling, an empty burst, the edge of a wave in a delay line; and as long as nothing changes steps grow.

`pieces` is the load, `steps` the length of the next step, `delay_line` and `ladder` what waits and how often it is
tried, `table_flow`, `gate` and `function_flow` the limits, `ride_flow` RequestRide, `http_flow`, `event_flow` and
`queue_flow` with `batches` the ways to the table, `curve` and `mixture` what is kept of it, `outcome` what is said.
Masses are numbers of rides, not always whole; the ledger is made whole at the end.
"""
