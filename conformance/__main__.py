"""`python -m conformance`."""

from conformance.cli import app, reports, running, setting, spec


def main() -> None:
    """Run the command."""
    for module in (running, setting, spec, reports):
        module.register(app.app)
    app.app()


if __name__ == "__main__":
    main()
