"""Writes docs/metrics.md to standard output."""

import sys

from service.telemetry.metrics import metrics_page

sys.stdout.write(metrics_page())
