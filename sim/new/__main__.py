"""``python -m sim.new``."""

from sim.ending import ended_when_told


def main() -> None:
    """Run the command line of this process, and exit; see :func:`sim.new.command.main`."""
    with ended_when_told():
        from sim.new.command import main as run

        run()


if __name__ == "__main__":
    main()
