#!/usr/bin/env python3
"""Writes the ISO 3166 countries and subdivisions as a psql script: two tables and two COPYs.

Reads the JSON files of Debian's package `iso-codes`; a folder other than the package's may be given as argument.

    python3 scripts/iso-codes.py | psql -h 127.0.0.1 -p 5433 -U quorate -v ON_ERROR_STOP=1 quorate
"""

import json
import pathlib
import sys

SCHEMA = """\
DROP TABLE IF EXISTS subdivisions;
DROP TABLE IF EXISTS countries;
CREATE TABLE countries (
    alpha_2 char(2) PRIMARY KEY,
    alpha_3 char(3) NOT NULL UNIQUE,
    numeric_code int2 NOT NULL,
    name text NOT NULL,
    official_name text,
    flag text
);
CREATE TABLE subdivisions (
    code varchar(10) PRIMARY KEY,
    country char(2) NOT NULL REFERENCES countries,
    name text NOT NULL,
    kind text NOT NULL,
    parent varchar(10)
);
CREATE INDEX subdivisions_country_idx ON subdivisions (country);
"""


def field(value):
    """A value as COPY's text format wants it."""
    if value is None:
        return "\\N"
    text = str(value)
    for char, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(char, escape)
    return text


def copy(table, columns, rows):
    print(f"COPY {table} ({', '.join(columns)}) FROM STDIN;")
    for row in rows:
        print("\t".join(field(value) for value in row))
    print("\\.")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/iso-codes/json")
    try:
        countries = json.loads((folder / "iso_3166-1.json").read_text(encoding="utf-8"))["3166-1"]
        subdivisions = json.loads((folder / "iso_3166-2.json").read_text(encoding="utf-8"))["3166-2"]
    except FileNotFoundError as missing:
        sys.exit(f"{missing.filename} is missing: install Debian's package iso-codes, or give the folder as argument")
    print(SCHEMA)
    copy(
        "countries",
        ["alpha_2", "alpha_3", "numeric_code", "name", "official_name", "flag"],
        [(c["alpha_2"], c["alpha_3"], int(c["numeric"]), c["name"], c.get("official_name"), c.get("flag")) for c in countries],
    )
    copy(
        "subdivisions",
        ["code", "country", "name", "kind", "parent"],
        [(s["code"], s["code"].split("-")[0], s["name"], s["type"], s.get("parent")) for s in subdivisions],
    )


if __name__ == "__main__":
    main()
