"""Where the project is, and which names in it are of files and folders that nobody wrote."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = {".git", ".venv", ".cache", ".falgate", ".hypothesis", "dist", "node_modules", "__pycache__"}
