"""Everything a report is made of. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rydelab.report.series import CellSeries
from rydelab.report.summary import CellId, RunSummary


@dataclass(frozen=True, slots=True)
class Setup:
    """Under which circumstances a run was made: the content of ``run.json``. Every part may be empty."""

    scenario: Mapping[str, Any] = field(default_factory=dict)
    """The scenario as it was run; `description` and `phases` (`duration_s`, `arrivals_per_s`) are put into words."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """A run with all that is known about it."""

    summary: RunSummary
    series: Mapping[CellId, CellSeries] = field(default_factory=dict)
    """What happened over time; a cell without an entry was not watched."""
    setup: Setup = field(default_factory=Setup)
