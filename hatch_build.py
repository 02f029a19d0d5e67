"""Builds the compiled kernel on request: ``HATCH_BUILD_HOOKS_ENABLE=1 pip install -e .``."""

import runpy
from pathlib import Path
from typing import Any

from Cython.Build import cythonize
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension

KERNEL = Path("sim/kernel")


class CompiledKernel(BuildHookInterface):
    """Compiles the Cython sources of the kernel beside them, and puts the results into a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, for a wheel or an editable installation."""
        extensions = [
            Extension(
                ".".join(source.with_suffix("").parts),
                [str(source)],
                # Products and sums are rounded one after the other, as Python does.
                extra_compile_args=["-ffp-contract=off"],
            )
            for source in sorted(KERNEL.glob("compiled_*.pyx"))
        ]
        command = Distribution(
            {"ext_modules": cythonize(extensions, build_dir="build")}
        ).get_command_obj("build_ext")
        command.inplace = True
        command.ensure_finalized()
        command.run()
        source = runpy.run_path(str(KERNEL / "source.py"))
        source["BUILT_FROM"].write_text(source["digest"](), encoding="ascii")
        build_data["artifacts"] += [f"{KERNEL}/{name}" for name in ("*.so", "*.pyd", "*.txt")]
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
