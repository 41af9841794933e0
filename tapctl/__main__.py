"""Entry point."""

def main() -> None:
    raise SystemExit(0)
