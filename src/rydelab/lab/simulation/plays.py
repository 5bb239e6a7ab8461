"""One scenario, simulated on many cells and at many scales; what was simulated once is not simulated again."""

from dataclasses import dataclass, field, replace

from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.lab.simulation.simulation import Place, cell_result, scaled, simulate_cells
from rydelab.report.summary import CellSummary
from rydelab.simulator.engine import EngineName


@dataclass(slots=True)
class Plays:
    """The simulations of *scenario* in *place*."""

    scenario: Scenario
    place: Place
    _known: dict[tuple[object, ...], CellSummary] = field(default_factory=dict)

    def of(self, cell: Cell, *, scale: float = 1.0, engine: EngineName | None = None) -> CellSummary:
        """Return what *cell* comes to with *scale* times the load; *engine*: another one than the place's."""
        place = self.place if engine is None else replace(self.place, engine=engine)
        key = (cell.design, cell.table_mode, tuple(sorted(cell.options.items())), scale, place.engine)
        if key not in self._known:
            scenario = scaled(self.scenario, scale)
            ((cell_id, played, outcome),) = simulate_cells(scenario, [cell], place)
            self._known[key] = cell_result(cell_id, played, outcome, scenario.thresholds).summary
        return self._known[key]


def mean_arrivals_per_s(scenario: Scenario) -> float:
    """Return how many arrivals a second *scenario* has on average."""
    return sum(stretch.arrivals for stretch in scenario.stretches) / scenario.duration_s
