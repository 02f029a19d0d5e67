"""The effects of steps, besides passing a change on: to take data, train a model, or deploy."""

from sim.log.rows import StepEffect
from sim.scenario.organization import ByPath

from .context import Organization
from .entities import Change
from .release import release
from .steps import DRIFT, TAINT, UNREPEATABLE, Effect, Execution


class TakesData(Effect):
    """The data for a training are taken, as they are when the step begins."""

    name: StepEffect = "takes_data"

    def take_effect(self, execution: Execution) -> None:
        """Take the data; a training may be spoilt by corrupted ones that nobody knows of."""
        change, service = execution.change, execution.change.service
        change.data_from = execution.started_at
        taints = 1.0 if service.spec.data is None else service.spec.data.taints
        if service.was_tainted(change.data_from) and execution.draws[TAINT] < taints:
            change.defects |= {"data"}


class TrainsModel(Effect):
    """A model is trained, which the deployment of the change will bring.

    Args:
        unrepeatable: probability that a model cannot be trained again.
        data: what takes the data, if no step before does.
    """

    name: StepEffect = "trains_model"
    may_go_wrong = True

    def __init__(self, unrepeatable: ByPath, data: TakesData | None) -> None:
        self._unrepeatable = unrepeatable
        self._data = data

    def go_wrong(self, execution: Execution) -> None:
        """Code, data and configuration of an earlier training may not fit together any more."""
        change = execution.change
        if _is_repeated_for(change):
            on_path = change.service.golden_path
            p = self._unrepeatable.golden_path if on_path else self._unrepeatable.bespoke
            if execution.draws[UNREPEATABLE] < p:
                execution.found, execution.unrepeatable = execution.found or frozenset(), True
        change.trained = True

    def take_effect(self, execution: Execution) -> None:
        """There is a new model."""
        if self._data is not None:
            self._data.take_effect(execution)
        execution.change.brings_model = True


class Deploys(Effect):
    """Changes go into production; those that wait for the same release window do so together.

    Args:
        organization: where that is.
    """

    name: StepEffect = "deploys"
    may_go_wrong = True
    ships_together = True

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    def go_wrong(self, execution: Execution) -> None:
        """Off the golden path the environment may differ from the one that was tested in."""
        change = execution.change
        drift = self._organization.scenario.pipeline.environment_drift
        if not change.service.golden_path and execution.draws[DRIFT] < drift:
            change.defects |= {"infra"}

    def take_effect(self, execution: Execution) -> None:
        """Release what is aboard."""
        release(self._organization, execution.aboard, execution.started_at)


def _is_repeated_for(change: Change) -> bool:
    """Return whether a model like this was trained before, in a way that may be lost."""
    trained_before = change.kind == "retrain" or change.trained or change.made_again
    return trained_before and not change.reconstructed
