"""What a user of stock Hydra would write: a job for each point, which keeps its metrics."""

import json
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import sim
from sim.scenario.files import SCENARIOS
from sim.scenario.organization import Scenario


@hydra.main(version_base="1.3", config_path=str(SCENARIOS), config_name="default")
def run(composed: DictConfig) -> None:
    """Simulate the scenario of this job and write its metrics."""
    scenario = Scenario.model_validate(OmegaConf.to_container(composed, resolve=True))
    metrics = sim.simulate(scenario).metrics()
    folder = Path(HydraConfig.get().runtime.output_dir)
    (folder / "metrics.json").write_text(json.dumps(metrics.to_dict()), encoding="utf-8")


if __name__ == "__main__":
    run()
