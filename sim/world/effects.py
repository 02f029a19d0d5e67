"""The effects of steps, besides passing a change on: to take data, train a model, or deploy."""

from collections.abc import Callable

from sim.scenario.effects import EFFECTS, SPOILT
from sim.scenario.organization import ByPath

from .context import Organization
from .entities import Change
from .release import release
from .steps import DRIFT, TAINT, UNREPEATABLE, Effect, Execution

Plan = Callable[[Organization, bool], Effect]
"""Makes the effect of a step for an organization, told whether a step before takes the data."""

_plans: dict[str, Plan] = {}


def plans(name: str) -> Callable[[Plan], Plan]:
    """Declare an effect: scenarios may give it to a step, and the log says it of the executions.

    Args:
        name: what it is called there, as in :attr:`sim.world.steps.Effect.name`.
    """

    def declare(plan: Plan) -> Plan:
        _plans[name] = plan
        if name not in EFFECTS:
            EFFECTS.append(name)
        return plan

    return declare


def planned(organization: Organization, name: str | None, data_are_taken: bool) -> Effect:
    """Return the effect of a step, which has none if it has no name.

    Args:
        organization: where the step is.
        name: what the effect is called in the scenario.
        data_are_taken: whether a step before takes the data for a training.
    """
    return Effect() if name is None else _plans[name](organization, data_are_taken)


class TakesData(Effect):
    """The data for a training are taken, as they are when the step begins."""

    name = "takes_data"
    spoils = SPOILT[name]

    def take_effect(self, execution: Execution) -> None:
        """Take the data; a training may be spoilt by corrupted ones that nobody knows of."""
        change, service = execution.change, execution.change.service
        change.data_from = execution.started_at
        taints = 1.0 if service.spec.data is None else service.spec.data.taints
        if service.was_tainted(change.data_from) and execution.draws[TAINT] < taints:
            change.defects |= {"data"}


@plans("takes_data")
def _takes_data(organization: Organization, data_are_taken: bool) -> Effect:
    return TakesData()


class TrainsModel(Effect):
    """A model is trained, which the deployment of the change will bring.

    Args:
        unrepeatable: probability that a model cannot be trained again.
        data: what takes the data, if no step before does.
    """

    name = "trains_model"
    spoils = SPOILT[name]
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


@plans("trains_model")
def _trains_model(organization: Organization, data_are_taken: bool) -> Effect:
    """Return a training, which takes the data itself if no step before it does."""
    unrepeatable = organization.scenario.pipeline.unrepeatable
    return TrainsModel(unrepeatable, None if data_are_taken else TakesData())


class Deploys(Effect):
    """Changes go into production; those that wait for the same release window do so together.

    Args:
        organization: where that is.
    """

    name = "deploys"
    spoils = SPOILT[name]
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


@plans("deploys")
def _deploys(organization: Organization, data_are_taken: bool) -> Effect:
    return Deploys(organization)


def _is_repeated_for(change: Change) -> bool:
    """Return whether a model like this was trained before, in a way that may be lost."""
    trained_before = change.kind == "retrain" or change.trained or change.made_again
    return trained_before and not change.reconstructed
