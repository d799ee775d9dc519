#!/usr/bin/env python3
"""Fails if a dependency's licence is not one that an Apache-2.0 project may ship.

Reads `cargo metadata`, so it needs no network once the packages are there. Advisories are not checked: their database
lives on the network.
"""

import json
import re
import subprocess
import sys

ALLOWED = {
    "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib",
    "Unicode-3.0", "Unlicense", "CC0-1.0", "0BSD", "BSL-1.0", "CDLA-Permissive-2.0",
}


def allowed(expression):
    """An SPDX expression holds if one of its alternatives is made of allowed licences only."""
    text = expression.replace("/", " OR ").replace("(", " ( ").replace(")", " ) ")
    text = re.sub(r"(\S+) WITH (\S+)", lambda m: f"{m[1]}~WITH~{m[2]}", text)
    words = []
    for word in text.split():
        if word in ("(", ")"):
            words.append(word)
        elif word in ("OR", "AND"):
            words.append(word.lower())
        else:
            words.append(str(word.replace("~", " ") in ALLOWED))
    return eval(" ".join(words))  # only True, False, and, or, and parentheses are left


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    bad = []
    for package in packages:
        licence = package["license"]
        if licence is None or not allowed(licence):
            bad.append(f"{package['name']} {package['version']}: {licence or 'no licence stated'}")
    for line in bad:
        print(line)
    print(f"{len(packages)} packages, {len(bad)} with a licence that is not allowed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
