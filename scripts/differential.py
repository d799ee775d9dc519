#!/usr/bin/env python3
"""Random statements beside a PostgreSQL 15: what answers otherwise is printed.

    differential.py POSTGRES QUORATE [--seed N] [--count N] [--kind KIND]

Both servers are given as psql's connection strings. The statements are the same for the same seed. Kinds:

    queries   FROM items of all sorts, LATERAL, functions that yield rows, groups, windows, whole rows
    changes   INSERT, UPDATE and DELETE in WITH, each in a transaction that is taken back
    paths     jsonpath
"""

import argparse
import json
import random
import subprocess
import sys

TABLES = {
    "da": {"id": "int", "a": "int", "b": "text", "arr": "ints", "j": "json"},
    "db": {"id": "int", "fid": "int", "v": "numeric", "t": "texts"},
}
SETUP = """
DROP TABLE IF EXISTS da, db;
CREATE TABLE da (id int PRIMARY KEY, a int, b text, arr int[], j jsonb);
CREATE TABLE db (id int PRIMARY KEY, fid int, v numeric, t text[]);
INSERT INTO da VALUES (1, 2, 'k1', '{1,2}', '{"k":1}'), (2, NULL, 'k2', '{}', '[]'), (3, 5, NULL, NULL, '{"k":"x"}'),
    (4, 0, 'k0', '{3}', NULL);
INSERT INTO db VALUES (1, 1, 1.50, '{p}'), (2, 1, 2, NULL), (3, 3, 0.5, '{q,r}'), (4, NULL, NULL, '{}');
"""
CLEANUP = "DROP TABLE da, db;"


class Queries:
    """A scope is a list of FROM items: an alias, and the types of its columns."""

    def __init__(self, dice):
        self.dice, self.aliases = dice, 0

    def alias(self):
        self.aliases += 1
        return f"x{self.aliases}"

    def number(self, low, high):
        return self.dice.randint(low, high)

    def column(self, scope, kind):
        found = [f"{a}.{name}" for a, columns in scope for name, k in columns.items() if k == kind]
        return self.dice.choice(found) if found else None

    def expr(self, scope, kind, depth=2):
        column = self.column(scope, kind)
        if column and self.dice.random() < 0.6:
            return column
        sub = lambda k: self.expr(scope, k, depth - 1)
        forms = {
            "int": [
                lambda: str(self.number(0, 5)),
                lambda: f"({sub('int')} + {sub('int')})",
                lambda: f"length({sub('text')})",
                lambda: f"coalesce(array_length({sub('ints')}, 1), 0)",
                lambda: f"(SELECT count(*)::int FROM {self.dice.choice(list(TABLES))} z WHERE z.id <= {sub('int')})",
                lambda: f"(CASE WHEN {self.condition(scope, depth - 1)} THEN {sub('int')} ELSE {self.number(0, 3)} END)",
            ],
            "text": [
                lambda: f"'k{self.number(0, 3)}'",
                lambda: f"({sub('text')} || {sub('int')})",
                lambda: f"({sub('json')}->>'k')",
            ],
            "numeric": [lambda: f"{self.number(0, 9)}.5", lambda: f"({sub('numeric')} * 2)"],
            "ints": [
                lambda: f"ARRAY[{sub('int')}, {self.number(0, 3)}]",
                lambda: f"ARRAY(SELECT g FROM generate_series(1, {self.number(0, 3)}) g)",
            ],
            "texts": [lambda: f"ARRAY[{sub('text')}]"],
            "json": [
                lambda: f"jsonb_build_object('k', {sub('int')})",
                lambda: "'[1, {\"k\": 2}]'::jsonb",
                lambda: f"to_jsonb({self.dice.choice(scope)[0]})" if scope else "'{}'::jsonb",
            ],
        }[kind]
        return (forms[0] if depth <= 0 else self.dice.choice(forms))()

    def condition(self, scope, depth=1):
        sub = lambda k: self.expr(scope, k, depth - 1)
        if depth <= 0:
            return f"{self.expr(scope, 'int', 0)} < {self.number(1, 6)}"
        return self.dice.choice([
            lambda: f"{sub('int')} {self.dice.choice(['<', '>', '=', '<>', '<='])} {sub('int')}",
            lambda: f"{sub('text')} IS NOT NULL",
            lambda: f"EXISTS (SELECT 1 FROM unnest({sub('ints')}) e WHERE e > {sub('int')})",
            lambda: f"{sub('int')} = ANY ({sub('ints')})",
            lambda: f"{sub('numeric')} > {self.number(0, 5)}",
            lambda: f"({self.condition(scope, depth - 1)} AND {self.condition(scope, depth - 1)})",
            lambda: f"NOT ({self.condition(scope, depth - 1)})",
        ])()

    def item(self, scope, outer, depth):
        alias, seen, which = self.alias(), outer + scope, self.dice.random()
        if which < 0.3 or depth <= 0:
            table = self.dice.choice(list(TABLES))
            return f"{table} {alias}", (alias, dict(TABLES[table]))
        if which < 0.4:
            return f"unnest({self.expr(seen, 'ints', 1)}) {alias}", (alias, {alias: "int"})
        if which < 0.48:
            arrays = f"{self.expr(seen, 'ints', 1)}, {self.expr(seen, 'texts', 1)}"
            return f"unnest({arrays}) WITH ORDINALITY {alias}(n, s, o)", (alias, {"n": "int", "s": "text"})
        if which < 0.54:
            return f"generate_series(1, {self.number(1, 3)}) {alias}(g)", (alias, {"g": "int"})
        if which < 0.6:
            return f"jsonb_each(jsonb_build_object('q', {self.expr(seen, 'int', 1)})) {alias}", (
                alias, {"key": "text", "value": "json"})
        if which < 0.66:
            value = f"jsonb_build_object('u', {self.expr(seen, 'int', 1)}, 'w', {self.expr(seen, 'text', 0)})"
            return f"jsonb_to_recordset(jsonb_build_array({value})) {alias}(u int, w text)", (
                alias, {"u": "int", "w": "text"})
        lateral = self.dice.random() < 0.7
        query, columns = self.query(outer + (scope if lateral else []), depth - 1)
        return f"{'LATERAL ' if lateral else ''}({query}) {alias}", (alias, columns)

    def query(self, outer, depth=2, top=False):
        text, first = self.item([], outer, depth)
        scope = [first]
        for _ in range(self.dice.choice([0, 1, 1, 2])):
            join = self.dice.choice(["JOIN", "LEFT JOIN", "CROSS JOIN"])
            item, entry = self.item(scope, outer, depth)
            text += f" {join} {item}"
            if join != "CROSS JOIN":
                text += f" ON {self.dice.choice(['true', self.condition(scope + [entry] + outer, 1)])}"
            scope.append(entry)
        seen, columns, selected = outer + scope, {}, []

        def out(expr, kind):
            selected.append(f"{expr} AS c{len(selected)}")
            columns[f"c{len(columns)}"] = kind

        chance = lambda p: self.dice.random() < p
        where = f" WHERE {self.condition(seen, 2)}" if chance(0.5) else ""
        whole = lambda: self.dice.choice(scope)[0]
        if chance(0.2):
            key = self.column(scope, "int") or "(1 + 0)"
            out(key, "int")
            out("count(*)::int", "int")
            if chance(0.5):
                out(f"sum({self.expr(scope, 'int', 1)})::int", "int")
            if chance(0.3):
                out("generate_series(1, 2)", "int")
            if chance(0.3):
                out(f"count({whole()})::int", "int")
            query = f"SELECT {', '.join(selected)} FROM {text}{where} GROUP BY {key}"
        else:
            for _ in range(self.dice.choice([1, 2, 3])):
                kind = self.dice.choice(["int", "int", "text", "numeric", "ints", "json", "texts"])
                out(self.expr(seen, kind), kind)
            if chance(0.25):
                out(f"unnest({self.expr(seen, 'ints', 1)})", "int")
            if chance(0.15):
                out(f"unnest({self.expr(seen, 'texts', 1)})", "text")
            if chance(0.2):
                out(f"to_jsonb({whole()})", "json")
            if chance(0.15):
                out(f"{whole()}::text", "text")
            if chance(0.1):
                out(f"{whole()} IS NULL", "bool")
            if chance(0.1):
                keys = ", ".join(f"{a}::text" for a, _ in scope)
                out(f"row_number() OVER (ORDER BY {keys})::int", "int")
            query = f"SELECT {self.dice.choice(['', '', '', 'DISTINCT '])}{', '.join(selected)} FROM {text}{where}"
        if not top and chance(0.2):
            query += f" ORDER BY {', '.join(str(i + 1) for i in range(len(selected)))} LIMIT {self.number(1, 3)}"
        return query, columns

    def statement(self):
        self.aliases = 0
        return f"SELECT * FROM ({self.query([], 2, True)[0]}) q ORDER BY q::text;"


class Changes:
    """Each table is changed once in a statement: of several changes of one row PostgreSQL promises nothing."""

    def __init__(self, dice):
        self.dice = dice

    def condition(self, table):
        key = self.dice.choice({"da": ["id", "coalesce(a, 1)"], "db": ["id", "coalesce(fid, 2)"]}[table])
        return self.dice.choice([
            f"{key} < {self.dice.randint(1, 5)}",
            f"{key} = {self.dice.randint(1, 4)}",
            f"{key} IN (SELECT id FROM {self.dice.choice(['da', 'db'])} WHERE id > {self.dice.randint(0, 4)})",
            f"{key} <= (SELECT max(coalesce(a, 0)) FROM da)",
            f"EXISTS (SELECT 1 FROM db z WHERE z.fid = {table}.id)",
            "true",
        ])

    def change(self, table, sources):
        dice, which = self.dice, self.dice.random()
        second = "a" if table == "da" else "fid"
        told = {"da": "id, a, b", "db": "id, fid AS a, t[1] AS b"}[table]
        more = dice.choice(["", "", f", (SELECT count(*)::int FROM {dice.choice(['da', 'db'])}) AS k",
                            f", (SELECT string_agg(id::text, ',' ORDER BY id) FROM {table}) AS k"])
        returning = f"RETURNING {told}{more}"
        if which < 0.35:
            value = dice.choice([f"coalesce({second}, 0) + 1", "(SELECT max(id) FROM da)", "(SELECT sum(fid)::int FROM db)"])
            return f"UPDATE {table} SET {second} = {value} WHERE {self.condition(table)} {returning}"
        if which < 0.65:
            if sources and dice.random() < 0.5:
                source = dice.choice(sources)
                told = f"{table}.id, {table}.{second} AS a, NULL::text AS b"
                return f"DELETE FROM {table} USING {source} WHERE {table}.id = {source}.id RETURNING {told}"
            return f"DELETE FROM {table} WHERE {self.condition(table)} {returning}"
        base = dice.randint(10, 20)
        conflict = dice.choice(["", "", " ON CONFLICT (id) DO NOTHING", f" ON CONFLICT (id) DO UPDATE SET {second} = 77"])
        if sources and dice.random() < 0.6:
            source = dice.choice(sources)
            rows = f"SELECT DISTINCT {source}.id + {dice.choice([base, 0])}, {source}.a FROM {source}"
        else:
            rows = dice.choice([f"VALUES ({base}, 1), ({base + 1}, NULL)", f"SELECT max(id) + 1, 5 FROM {table}",
                                f"SELECT id + {base}, a FROM da WHERE {self.condition('da')}"])
        return f"INSERT INTO {table} (id, {second}) {rows}{conflict} {returning}"

    def statement(self):
        dice, tables = self.dice, ["da", "db"]
        dice.shuffle(tables)
        parts, sources = [], []
        for number in range(dice.choice([1, 2, 2, 3])):
            if tables and dice.random() < 0.75:
                query = self.change(tables.pop(), sources)
            else:
                source = dice.choice(sources + ["da", "db"])
                columns = "id, fid AS a, NULL::text AS b" if source == "db" else "id, a, b"
                query = f"SELECT {columns} FROM {source} WHERE id > {dice.randint(0, 3)}"
            parts.append(f"w{number} AS ({query})")
            sources.append(f"w{number}")
        every = [f"SELECT '{s}' AS f, id, a::text AS x FROM {s}" for s in sources + ["da"]]
        every.append("SELECT 'db', id, fid::text FROM db")
        query = f"WITH {', '.join(parts)} SELECT * FROM ({' UNION ALL '.join(every)}) q ORDER BY 1, 2, 3"
        return f"BEGIN; {query}; SELECT * FROM da ORDER BY id; SELECT * FROM db ORDER BY id; ROLLBACK;"


class Paths:
    def __init__(self, dice):
        self.dice, self.filters = dice, 0

    def json(self, depth=3):
        which = self.dice.random()
        if depth <= 0 or which < 0.35:
            return self.dice.choice([1, 2, -3, 2.5, "x", "abc", "5", True, False, None, 0])
        if which < 0.65:
            return [self.json(depth - 1) for _ in range(self.dice.randint(0, 3))]
        return {self.dice.choice("abc"): self.json(depth - 1) for _ in range(self.dice.randint(0, 3))}

    def steps(self, base, depth):
        plain = [".a", ".b", ".c", '."a"', "[*]", "[0]", "[1]", "[last]", "[0 to 1]", "[last - 1]", ".*", ".**", ".**{1}",
                 ".**{1 to 2}", ".type()", ".size()", ".abs()", ".ceiling()", ".floor()", ".double()", ".keyvalue().key"]
        for _ in range(self.dice.randint(0, 3)):
            if depth > 0 and self.dice.random() < 0.15:
                base += f" ? ({self.predicate(depth - 1)})"
            else:
                base += self.dice.choice(plain)
        return base

    def start(self):
        return "@" if self.filters and self.dice.random() < 0.7 else "$"

    def value(self, depth):
        which = self.dice.random()
        if which < 0.3 or depth <= 0:
            return self.dice.choice(["1", "2", "0", "2.5", '"x"', '"abc"', "true", "null", "-3", "$v"])
        if which < 0.75:
            return self.steps(self.start(), depth - 1)
        return f"({self.value(depth - 1)} {self.dice.choice('+-*/%')} {self.value(depth - 1)})"

    def predicate(self, depth):
        self.filters += 1
        text = self.test(depth)
        self.filters -= 1
        return text

    def test(self, depth):
        which = self.dice.random()
        if depth <= 0 or which < 0.5:
            operator = self.dice.choice(["==", "!=", "<", ">", "<=", ">=", "<>"])
            return f"{self.value(depth)} {operator} {self.value(depth)}"
        if which < 0.6:
            return f"exists ({self.steps(self.start(), depth - 1)})"
        if which < 0.8:
            return f"({self.test(depth - 1)} {self.dice.choice(['&&', '||'])} {self.test(depth - 1)})"
        if which < 0.87:
            return f"!({self.test(depth - 1)})"
        if which < 0.93:
            return f"({self.test(depth - 1)}) is unknown"
        return f"{self.steps(self.start(), 0)} {self.dice.choice(['starts with', 'like_regex'])} \"a\""

    def statement(self):
        body = self.steps("$", 3) if self.dice.random() < 0.7 else self.dice.choice([self.test, self.value])(2)
        path, value = self.dice.choice(["", "strict ", "lax "]) + body, json.dumps(self.json())
        function = self.dice.choice(["query_array", "exists", "query_first"])
        silent = self.dice.choice(["", ", true"])
        return f"SELECT jsonb_path_{function}('{value}', '{path}', '{{\"v\": 2}}'{silent}), '{path}'::jsonpath;"


KINDS = {"queries": Queries, "changes": Changes, "paths": Paths}


def answers(server, statements):
    numbered = "\n".join(f"\\echo @@{number}\n{text}" for number, text in enumerate(statements))
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "VERBOSITY=sqlstate", server]
    done = subprocess.run(command, input=SETUP + numbered + "\n\\echo @@end\n" + CLEANUP, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    parts = (part.split("\n", 1) for part in done.stdout.split("@@")[1:])
    return {int(head): rest for head, rest in parts if head.isdigit()}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("postgres")
    options.add_argument("quorate")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--count", type=int, default=200, help="statements of each kind")
    options.add_argument("--kind", choices=KINDS, action="append")
    options = options.parse_args()
    wrong = 0
    for kind in options.kind or KINDS:
        maker = KINDS[kind](random.Random(f"{kind} {options.seed}"))
        statements = [maker.statement() for _ in range(options.count)]
        theirs, ours = answers(options.postgres, statements), answers(options.quorate, statements)
        differ = [n for n in range(options.count) if theirs.get(n) != ours.get(n)]
        for n in differ:
            print(f"--- {kind}, seed {options.seed}: {statements[n]}\nPostgreSQL: {theirs.get(n)}\nQuorate: {ours.get(n)}")
        errors = sum("ERROR" in theirs.get(n, "") for n in range(options.count))
        print(f"{kind}: {options.count - len(differ)} equal ({errors} with errors), {len(differ)} different")
        wrong += len(differ)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
