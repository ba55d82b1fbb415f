"""The benchmark: `make bench` measures, and writes bench/report.md and bench/hits.svg."""
