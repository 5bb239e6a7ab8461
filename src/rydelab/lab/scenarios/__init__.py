"""A workload as data: scenarios, their schedules, cells, thresholds, faults; recorded traffic."""
