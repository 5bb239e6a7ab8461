"""The exact engine: every arrival is looked at, in the order of time.

An agenda holds what will happen; an event is a time, a method and what it is about. A ride that meets nothing special
costs one event (two behind a queue): its way from the arrival to the table is added up when it comes, since nothing on
that way depends on others as long as no limit is near, and the table is asked when its turn has come. A cold start, a
refusal or a retry takes the long way, with an event for each step.

`ride_path` is RequestRide, `http_record`, `event_record` and `queue_record` the ways to the table, `record_table` the
table with its auto scaling, `functions` Lambda's concurrency, `sdk` the AWS SDK's retries, `tally` what is counted.
"""
