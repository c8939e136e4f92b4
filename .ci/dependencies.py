"""Refuses dependencies with a licence or a source that the project does not take."""

import json
import subprocess
import sys

ALLOWED = {"MIT", "Apache-2.0", "BSL-1.0", "Unicode-3.0", "Unlicense", "Zlib", "BSD-2-Clause", "BSD-3-Clause", "ISC",
           "Apache-2.0 WITH LLVM-exception", "CC0-1.0", "0BSD", "MIT-0"}
BANNED = {"openssl-sys": "native TLS has no place in a simulator", "ring": "no cryptography of our own"}


def is_allowed(expression):
    """Whether at least one choice of an SPDX expression is allowed in all its parts."""
    expression = expression.replace("/", " OR ").replace("(", "").replace(")", "")
    choices = expression.split(" OR ")
    return any(all(part.strip() in ALLOWED for part in choice.split(" AND ")) for choice in choices)


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["packages"]
    problems = []
    for package in packages:
        name, licence, source = package["name"], package["license"] or "none", package["source"]
        if name in BANNED:
            problems.append(f"{name}: banned, {BANNED[name]}")
        if not is_allowed(licence):
            problems.append(f"{name} {package['version']}: licence {licence} is not in the list")
        if source is not None and not source.startswith("registry+"):
            problems.append(f"{name}: comes from {source}; expected a registry")
    for problem in problems:
        print(problem)
    print(f"{len(packages)} packages looked at, {len(problems)} refused")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
