"""``python -m sim.export``."""

from sim.ending import ended_when_told


def main() -> None:
    """Run the command line of this process, and exit; see :func:`sim.export.command.main`."""
    with ended_when_told():
        from sim.export.command import main as run

        run()


if __name__ == "__main__":
    main()
