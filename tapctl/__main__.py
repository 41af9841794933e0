"""`python -m tapctl`, and the `tapctl` command."""

from tapctl.cli.main import main

if __name__ == "__main__":
    main()
