"""`python -m conformance`."""

from conformance.cli import app, running, setting, spec


def main() -> None:
    """Run the command."""
    for module in (running, setting, spec):
        module.register(app.app)
    app.app()


if __name__ == "__main__":
    main()
