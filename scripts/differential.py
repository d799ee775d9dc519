#!/usr/bin/env python3
"""Random statements beside a PostgreSQL 15: what answers otherwise is printed.

    differential.py POSTGRES QUORATE [--seed N] [--count N] [--kind KIND]

Both servers are given as psql's connection strings. The statements are the same for the same seed. Kinds:

    queries   FROM items of all sorts, LATERAL, functions that yield rows, groups, windows, whole rows
    changes   INSERT, UPDATE and DELETE in WITH, each in a transaction that is taken back
    paths     jsonpath
    scalars   functions and operators over values at the edges of their types
    windows   window functions with frames of all kinds
    groups    GROUPING SETS, ROLLUP and CUBE, with HAVING, DISTINCT, windows and over no rows
    tables    definitions of tables and changes of them, rows that keep their constraints or not, and what the catalog tells
    writes    INSERT, UPDATE, DELETE, MERGE and ON CONFLICT on tables with constraints that refer to each other
    prepared  PREPARE with types that are said or found, EXECUTE with values, also after a change of the table
"""

import argparse
import json
import random
import re
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


class Scalars:
    """Functions and operators over values at the edges of their types."""

    VALUES = {
        "int": ["0", "1", "-1", "7", "-13", "2147483647", "(-2147483648)", "NULL::int"],
        "bigint": ["0::bigint", "9223372036854775807", "(-9223372036854775808)", "1234567890123", "NULL::bigint"],
        "numeric": ["0.0", "1.5", "-2.50", "123456789.987654321", "1e20::numeric", "'NaN'::numeric", "'Infinity'::numeric",
                    "'-Infinity'::numeric", "0.00001", "NULL::numeric"],
        "float8": ["0::float8", "'-0'::float8", "1.1::float8", "-2.5::float8", "1e300::float8", "1e-300::float8", "'NaN'::float8",
                   "'Infinity'::float8", "'-Infinity'::float8", "NULL::float8"],
        "text": ["''", "'a'", "'Straße'", "'İI'", "'a b  c'", "'100%'", "'x_y'", "E'tab\\t'", "'\\x41'", "'aXbXc'", "NULL::text", "'éa'"],
        "date": ["DATE '2024-02-29'", "DATE '1999-12-31'", "DATE '0044-03-15 BC'", "'infinity'::date", "'-infinity'::date",
                 "DATE '2023-01-01'", "NULL::date"],
        "timestamp": ["TIMESTAMP '2024-02-29 23:59:59.999999'", "TIMESTAMP '2000-01-01'", "'infinity'::timestamp",
                      "'-infinity'::timestamp", "TIMESTAMP '1969-07-20 20:17:40'", "TIMESTAMP '2023-03-31 12:00'"],
        "interval": ["INTERVAL '1 month'", "INTERVAL '-1 day 02:03:04.5'", "INTERVAL '1 year 2 mons -3 days'", "INTERVAL '0'",
                     "INTERVAL '36:00'", "INTERVAL '-13 mons'"],
        "bool": ["true", "false", "NULL::bool"],
        "ints": ["ARRAY[1,2,3]", "'{}'::int[]", "ARRAY[NULL,2]", "ARRAY[[1,2],[3,4]]", "'[0:1]={5,6}'::int[]", "NULL::int[]"],
        "json": ["'{\"a\": [1, 2, {\"b\": null}], \"c\": \"x\"}'::jsonb", "'[]'::jsonb", "'1.50'::jsonb", "'\"s\"'::jsonb", "'null'::jsonb",
                 "'[1, \"a\", true]'::jsonb"],
    }
    FORMS = {
        "int": ["{int} + {int}", "{int} / {int}", "{int} % {int}", "abs({int})", "length({text})", "position({text} in {text})",
                "ascii({text})", "sign({numeric})::int", "{int} & {int}", "{int} # {int}", "~{int}", "{int} << 3", "{date} - {date}",
                "extract(year from {date})::int", "cardinality({ints})", "array_length({ints}, 1)", "({ints})[{int}]",
                "array_position({ints}, {int})", "width_bucket({float8}, 0, 10, 5)", "width_bucket({numeric}, 10, 0, 4)",
                "jsonb_array_length({json})", "num_nulls({int}, {text})", "strpos({text}, {text})", "round({float8})::int",
                "gcd({int}, {int})", "lcm({int}, {int})", "octet_length({text})", "{numeric}::int", "{float8}::int", "char_length({text})"],
        "bigint": ["{bigint} + {int}", "{bigint} * {int}", "{bigint} / {int}", "{numeric}::bigint", "{float8}::bigint", "abs({bigint})"],
        "numeric": ["{numeric} + {numeric}", "{numeric} * {numeric}", "{numeric} / {numeric}", "{numeric} % {numeric}",
                    "round({numeric}, {int})", "trunc({numeric}, 2)", "ceil({numeric})", "floor({numeric})", "abs({numeric})",
                    "sign({numeric})", "sqrt({numeric})", "exp({numeric})", "ln({numeric})", "log({numeric})", "power({numeric}, {int})",
                    "{float8}::numeric", "extract(epoch from {interval})", "extract(epoch from {timestamp})", "scale({numeric})::numeric",
                    "trim_scale({numeric})", "mod({numeric}, {numeric})", "div({numeric}, {numeric})", "{int} * {numeric}",
                    "extract(week from {date})", "extract(isoyear from {date})", "extract(dow from {timestamp})", "extract(decade from {date})",
                    "extract(century from {date})", "extract(julian from {date})", "{numeric}::numeric(12,3)", "greatest({numeric}, {numeric})"],
        "float8": ["{float8} + {float8}", "{float8} * {float8}", "{float8} / {float8}", "-{float8}", "abs({float8})", "sqrt({float8})",
                   "cbrt({float8})", "round({float8})", "trunc({float8})", "floor({float8})", "sign({float8})", "power({float8}, {float8})",
                   "exp({float8})", "ln({float8})", "atan2({float8}, {float8})", "degrees({float8})", "{numeric}::float8", "sin({float8})",
                   "{float8}::real::float8", "greatest({float8}, {float8})", "date_part('month', {interval})", "tanh({float8})"],
        "text": ["{text} || {text}", "upper({text})", "lower({text})", "initcap({text})", "substr({text}, {int}, 2)", "left({text}, {int})",
                 "right({text}, {int})", "repeat({text}, 2)", "replace({text}, {text}, '-')", "reverse({text})", "lpad({text}, 4, '*')",
                 "rpad({text}, 3)", "btrim({text}, 'a')", "split_part({text}, 'X', {int})", "translate({text}, 'abX', 'z')", "md5({text})",
                 "quote_literal({text})", "quote_nullable({text})", "quote_ident({text})", "format('%s %L %I', {text}, {text}, 'q')",
                 "{int}::text", "{numeric}::text", "{float8}::text", "{date}::text", "{timestamp}::text", "{interval}::text", "{ints}::text",
                 "{json}::text", "to_char({numeric}, 'FM999,990.00')", "to_char({int}, '000MI')", "to_char({timestamp}, 'YYYY-MM-DD HH24:MI:SS.US')",
                 "to_char({date}, 'Day, DD Mon YYYY IW')", "to_char({interval}, 'HH24:MI:SS')", "to_char({float8}, '9.99EEEE')",
                 "to_char({numeric}, 'S9990D9')", "to_char({numeric}, 'RN')", "to_char({int}, 'FM9999th')", "to_char({timestamp}, 'J Q WW D IDDD CC')",
                 "to_hex({int})", "{json} ->> 'a'", "{json} #>> '{{a,0}}'", "array_to_string({ints}, ',', '*')", "regexp_replace({text}, '[a-c]+', '<&>', 'g')",
                 "substring({text} from '.(.)')", "overlay({text} placing 'zz' from 1 for 1)", "concat_ws('-', {text}, {int}, {text})",
                 "encode({text}::bytea, 'base64')", "jsonb_typeof({json})", "jsonb_pretty({json})", "chr(65 + abs({int} % 20))",
                 "normalize({text})", "{bool}::text", "regexp_match({text}, '(a)|(b)')::text", "string_to_array({text}, 'X')::text",
                 "to_char({numeric}, '9G999D99PR')", "to_char({int}, 'L9999')", "to_char({numeric}, 'FM0.09')", "to_char({int}, 'SG999')"],
        "date": ["{date} + {int}", "{timestamp}::date", "make_date(2024, 2, 29)", "to_date('2024-13', 'YYYY-DDD')", "greatest({date}, {date})"],
        "timestamp": ["{timestamp} + {interval}", "{timestamp} - {interval}", "{date} + {interval}", "date_trunc('month', {timestamp})",
                      "date_trunc('week', {timestamp})", "date_trunc('century', {timestamp})", "date_bin('15 minutes', {timestamp}, '2001-01-01')",
                      "{date}::timestamp", "{timestamp}::timestamp(0)", "{timestamp} AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo'"],
        "interval": ["{interval} + {interval}", "{interval} * {int}", "{interval} / 7", "-{interval}", "{timestamp} - {timestamp}",
                     "age({timestamp}, {timestamp})", "justify_interval({interval})", "justify_days({interval})", "justify_hours({interval})",
                     "date_trunc('hour', {interval})", "make_interval(months => {int} % 100)", "{interval} * 1.5", "{interval}::interval(0)"],
        "bool": ["{int} = {int}", "{numeric} < {numeric}", "{float8} = {float8}", "{float8} > {float8}", "{text} LIKE '%a_'", "{text} ILIKE 'A%'",
                 "{text} ~ '^[a-z]'", "{text} ~* 'X'", "{date} < {timestamp}", "{interval} < {interval}", "{ints} @> ARRAY[2]", "{ints} && {ints}",
                 "{ints} < {ints}", "{int} = ANY({ints})", "{json} @> '1'", "{json} ? 'a'", "{json} < {json}", "{json} = {json}",
                 "{bool} AND {bool}", "NOT {bool}", "{bool} IS NOT TRUE", "{int} IS DISTINCT FROM {int}", "{int} BETWEEN {int} AND {int}",
                 "({date}, {interval}) OVERLAPS ({date}, {interval})", "isfinite({timestamp})", "starts_with({text}, 'a')", "{text} < {text}",
                 "({int}, {text}) < ({int}, {text})", "{int} IN ({int}, {int})", "{text} SIMILAR TO '(a|b)%'"],
        "ints": ["{ints} || {int}", "{int} || {ints}", "{ints} || {ints}", "array_remove({ints}, {int})", "array_replace({ints}, 2, {int})",
                 "({ints})[2:3]", "array_append({ints}, {int})", "array_cat({ints}, {ints})", "trim_array(ARRAY[1,2,3], {int} % 4)",
                 "array_fill({int}, ARRAY[2])", "array_positions({ints}, 2)"],
        "json": ["{json} -> 'a'", "{json} -> {int}", "{json} || {json}", "{json} - 'a'", "{json} - {int}", "{json} #- '{{a,1}}'",
                 "jsonb_set({json}, '{{a,0}}', {json})", "jsonb_insert({json}, '{{a,1}}', '9')", "to_jsonb({numeric})", "to_jsonb({text})",
                 "to_jsonb({timestamp})", "to_jsonb({ints})", "jsonb_build_array({int}, {text}, {bool})", "jsonb_strip_nulls({json})",
                 "to_jsonb({float8})", "to_jsonb({interval})"],
    }

    def __init__(self, dice):
        self.dice = dice

    def value(self, kind, depth):
        if depth <= 0 or self.dice.random() < 0.45:
            return self.dice.choice(self.VALUES[kind])
        form = self.dice.choice(self.FORMS[kind])
        while (at := re.search(r"(?<!\{)\{(\w+)\}", form)):
            form = form[:at.start()] + self.value(at[1], depth - 1).replace("{", "{{") + form[at.end():]
        return f"({form.replace('{{', '{').replace('}}', '}')})"

    def statement(self):
        kind = self.dice.choice(list(self.FORMS))
        return f"SELECT {self.value(kind, self.dice.choice([1, 2, 3]))} AS v;"


class Windows:
    """Window functions over rows with equal and absent keys, with frames of all kinds."""

    SOURCE = ("(VALUES (1, 3, 1.5, DATE '2024-01-31', 'a'), (2, 3, 2.0, DATE '2024-02-29', 'b'), (3, NULL, NULL, NULL, 'b'), "
              "(4, 1, -1.0, DATE '2024-03-31', NULL), (5, 7, 2.00, DATE '2024-02-29', 'a'), (6, 1, 0.25, DATE '2023-12-31', 'c')) "
              "s(id, i, n, d, t)")
    CALLS = ["count(*)", "sum(i)", "sum(n)", "avg(n)", "min(d)", "max(t)", "array_agg(id)", "string_agg(t, ',')", "row_number()", "rank()",
             "dense_rank()", "percent_rank()", "cume_dist()", "ntile(3)", "lag(i)", "lead(t, 2, 'z')", "first_value(id)", "last_value(id)",
             "nth_value(t, 2)", "bool_or(i > 2)", "count(DISTINCT i)", "stddev(n)", "var_pop(i)", "jsonb_agg(i)"]

    UNORDERED = ["count(*)", "sum(i)", "avg(n)", "min(d)", "max(t)", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "bool_or(i > 2)",
                 "stddev(n)", "var_pop(i)", "sum(n)"]

    def __init__(self, dice):
        self.dice = dice

    def frame(self, key):
        dice = self.dice
        mode = dice.choice(["ROWS", "GROUPS", "RANGE"])
        if mode == "RANGE":
            offset = {"i": ["1", "2"], "n": ["0.5", "1"], "d": ["'1 month'", "'30 days'", "'1 year'"], "id": ["1", "3"]}.get(key, [None])
            offset = dice.choice(offset)
        else:
            offset = dice.choice(["0", "1", "2"])
        bounds = ["UNBOUNDED PRECEDING", "CURRENT ROW", "UNBOUNDED FOLLOWING"]
        if offset:
            bounds[1:1] = [f"{offset} PRECEDING"]
            bounds[3:3] = [f"{offset} FOLLOWING"]
        low, high = sorted(dice.sample(range(len(bounds)), 2))
        exclude = dice.choice(["", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"])
        return f" {mode} BETWEEN {bounds[low]} AND {bounds[high]}{exclude}"

    def statement(self):
        dice, columns = self.dice, []
        for _ in range(dice.choice([1, 2, 3])):
            key = dice.choice(["i", "n", "d", "t", "id"])
            over = dice.choice(["", "PARTITION BY t ", "PARTITION BY i % 2 "])
            over += f"ORDER BY {key} {dice.choice(['', 'DESC', 'NULLS FIRST', 'DESC NULLS LAST'])}"
            # Which of equal keys comes first is nobody's business.
            frame = self.frame(key) if dice.random() < 0.7 else ""
            total = key == "id" or "RANGE" not in frame and dice.random() < 0.7
            over += ", id" if total and key != "id" else ""
            frame = frame if total or "ROWS" not in frame else ""
            call = dice.choice(self.CALLS if total else self.UNORDERED)
            filtered = " FILTER (WHERE i IS NOT NULL)" if "(" in call and call.split("(")[0] in ("count", "sum", "avg", "array_agg") and dice.random() < 0.2 else ""
            if "DISTINCT" in call:
                filtered = ""
            columns.append(f"{call}{filtered} OVER ({over}{frame})")
        return f"SELECT id, {', '.join(columns)} FROM {self.SOURCE} ORDER BY id;"


class Groups:
    """Grouping sets over joins, with and without rows."""

    SOURCE = ("(SELECT i AS id, nullif(i % 3, 0) AS a, (ARRAY['x', 'y', NULL])[1 + i % 3] AS b, (i % 4) * 0.5 AS n, to_jsonb(i % 2) AS j "
              "FROM generate_series(1, 12) i) g")
    COLUMNS = ["g.a", "g.b", "g.n", "g.j", "h.v"]

    def __init__(self, dice):
        self.dice = dice

    def sets(self, keys):
        dice = self.dice
        some = lambda most: ", ".join(dice.sample(keys, min(len(keys), dice.randint(1, most))))
        few = lambda: "(" + ", ".join(dice.sample(keys, dice.randint(0, len(keys)))) + ")"
        return dice.choice([
            lambda: f"ROLLUP ({some(3)})",
            lambda: f"CUBE ({some(3)})",
            lambda: f"GROUPING SETS ({', '.join(few() for _ in range(dice.randint(1, 3)))})",
            lambda: f"{some(1)}, ROLLUP ({some(2)})",
            lambda: f"ROLLUP ({some(1)}), CUBE ({some(2)})",
            lambda: f"GROUPING SETS (ROLLUP ({some(2)}), {some(1)})",
        ])()

    def statement(self):
        dice, used = self.dice, []
        joined = dice.random() < 0.4
        source = f"{self.SOURCE} {dice.choice(['JOIN', 'LEFT JOIN'])} db h ON h.id = g.a" if joined else self.SOURCE
        keys = dice.sample(self.COLUMNS if joined else self.COLUMNS[:-1], dice.randint(1, 3))
        while not used:
            sets = self.sets(keys)
            used = [key for key in keys if key in sets]
        bits = ", ".join(dice.sample(used, dice.randint(1, len(used))))
        calls = ["count(*)", "sum(g.id)", "max(g.n)", "count(DISTINCT g.b)", "string_agg(g.b, ',' ORDER BY g.id)", f"grouping({bits})",
                 "avg(g.n) FILTER (WHERE g.id > 3)", "array_agg(g.id ORDER BY g.id)", "sum(count(*)) OVER ()", "count(*) + 1",
                 f"rank() OVER (ORDER BY count(*) DESC, grouping({bits}))", f"coalesce({used[0]}::text, '-')"]
        columns = dice.sample(used, len(used)) + dice.sample(calls, dice.randint(1, 4))
        where = dice.choice(["", " WHERE g.id > 4", " WHERE g.a IS NOT NULL", " WHERE false"])
        having = dice.choice(["", "", "", " HAVING count(*) > 1", f" HAVING grouping({used[0]}) = 0"])
        listed = ", ".join(f"{column} AS c{n}" for n, column in enumerate(columns))
        query = f"SELECT {dice.choice(['', '', 'DISTINCT '])}{listed} FROM {source}{where} GROUP BY {sets}{having}"
        return f"SELECT * FROM ({query}) q ORDER BY q::text;"


class Tables:
    """One table's life: its definition, rows, changes of the definition, and what is told of it. Left out, since it is known to
    differ: conditions that are NOT VALID for rows that are there, UNIQUE and PRIMARY KEY of the same columns, indexes over the text of
    what Quorate writes as a setting says."""

    # By type: values that fit, and some that do not.
    VALUES = {
        "int": ["0", "1", "-7", "2147483647", "2147483648", "'12'", "'x'", "1.5"],
        "bigint": ["0", "9223372036854775807", "-1", "'3'", "2.5"],
        "smallint": ["3", "32768", "'-4'"],
        "numeric(6,2)": ["1.005", "9999.99", "10000", "'NaN'", "-0.004"],
        "float8": ["1e10", "'Infinity'", "0.1", "-0.0"],
        "text": ["'a'", "''", "'Ünï'", "'x y'", "5"],
        "varchar(4)": ["'abc'", "'abcde'", "'ab   '", "''"],
        "char(3)": ["'a'", "'abcd'", "'ab '"],
        "boolean": ["true", "'f'", "'yes'", "'maybe'"],
        "date": ["'2024-02-29'", "'2023-02-29'", "'infinity'", "current_date - current_date + date '2020-01-01'"],
        "timestamp(0)": ["'2024-01-01 10:00:00.6'", "'2024-13-01'", "'2024-01-01'::date"],
        "interval": ["'1 day'", "'1 year 2 mons'", "'x'"],
        "jsonb": ["'{\"a\": 1}'", "'[1, 2]'", "'{a}'", "'null'"],
        "int[]": ["'{1,2}'", "ARRAY[3, NULL]", "'{}'", "'{x}'"],
        "uuid": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0'"],
        "bytea": ["'\\x00ff'", "'\\xzz'", "'ab'"],
    }
    # By type: defaults.
    DEFAULTS = {
        "int": ["7", "1 + 2", "'5'", "length('abc')"], "bigint": ["10000000000", "- 5"], "smallint": ["3"],
        "numeric(6,2)": ["1.5", "0"], "float8": ["1.5", "'NaN'"], "text": ["'d'", "lower('ABC')", "'a' || 'b'", "NULL"],
        "varchar(4)": ["'dd'"], "char(3)": ["'d'"], "boolean": ["true", "1 = 1"],
        "date": ["'2020-01-01'", "date '2020-01-01' + 1"], "timestamp(0)": ["'2020-01-01 00:00'"], "interval": ["'1 hour'"],
        "jsonb": ["'{}'", "jsonb_build_array(1)"], "int[]": ["'{}'", "ARRAY[1,2]"],
        "uuid": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"], "bytea": ["''"],
    }
    NUMBERS = ("int", "bigint", "smallint", "numeric(6,2)", "float8")

    def __init__(self, dice):
        self.dice = dice

    def check(self, column, kind):
        choice = self.dice.choice
        if kind in self.NUMBERS:
            return choice([f"{column} > 0", f"{column} BETWEEN 1 AND 100", f"{column} IN (1, 2, 3)", f"{column} <> 5 AND {column} < 1000",
                           f"abs({column}) < 50 OR {column} IS NULL"])
        if kind in ("text", "varchar(4)", "char(3)"):
            return choice([f"length({column}) > 1", f"{column} LIKE 'a%'", f"{column} = ANY (ARRAY['a', 'ab', 'abc'])", f"{column} ~ '^[a-z]+$'",
                           f"lower({column}) = {column}"])
        return f"{column} IS NOT NULL"

    def column(self, name, kind):
        dice, text = self.dice, f"{name} {kind}"
        if dice.random() < 0.35:
            text += f" DEFAULT {dice.choice(self.DEFAULTS[kind])}"
        elif kind in ("int", "bigint", "smallint") and dice.random() < 0.2:
            text += f" GENERATED {dice.choice(['ALWAYS', 'BY DEFAULT'])} AS IDENTITY"
        if dice.random() < 0.25:
            text += " NOT NULL"
        if dice.random() < 0.2:
            text += f" CHECK ({self.check(name, kind)})"
        if dice.random() < 0.15:
            text += " UNIQUE"
        return text

    def row(self, columns):
        some = self.dice.sample(sorted(columns), self.dice.randint(1, len(columns))) if columns else []
        if not some:
            return "INSERT INTO t DEFAULT VALUES RETURNING *;"
        values = [self.dice.choice(self.VALUES[columns[c]] + ["NULL", "DEFAULT"]) for c in some]
        return f"INSERT INTO t ({', '.join(some)}) VALUES ({', '.join(values)}) RETURNING *;"

    def alter(self, columns, serial):
        dice = self.dice
        name = dice.choice(sorted(columns)) if columns else "c0"
        kind = columns.get(name, "int")
        which = dice.randrange(14)
        if which == 0:
            new, kind = f"n{serial}", dice.choice(sorted(self.VALUES))
            columns[new] = kind
            return f"ALTER TABLE t ADD COLUMN {self.column(new, kind)};"
        if which == 1 and len(columns) > 1:
            del columns[name]
            return f"ALTER TABLE t DROP COLUMN {name}{dice.choice(['', ' CASCADE'])};"
        if which == 2:
            columns[f"r{serial}"] = columns.pop(name, kind)
            return f"ALTER TABLE t RENAME COLUMN {name} TO r{serial};"
        if which == 3:
            to = dice.choice(sorted(self.VALUES))
            using = dice.choice(["", f" USING {name}::text::{to}", f" USING NULL"])
            columns[name] = to
            return f"ALTER TABLE t ALTER COLUMN {name} TYPE {to}{using};"
        forms = [
            f"ALTER COLUMN {name} SET DEFAULT {dice.choice(self.DEFAULTS[kind])}", f"ALTER COLUMN {name} DROP DEFAULT",
            f"ALTER COLUMN {name} SET NOT NULL", f"ALTER COLUMN {name} DROP NOT NULL",
            f"ADD CONSTRAINT k{serial} CHECK ({self.check(name, kind)})",
            f"ADD UNIQUE ({name})", f"ADD PRIMARY KEY ({name})", f"ADD CONSTRAINT f{serial} FOREIGN KEY ({name}) REFERENCES p (id)",
            f"DROP CONSTRAINT IF EXISTS k{serial - 1}", f"ALTER COLUMN {name} TYPE {kind}, ALTER COLUMN {name} SET NOT NULL",
        ]
        if which == 4:
            part = dice.choice(["", f" WHERE {self.check(name, kind)}"])
            texts = [f"({name}::text)", f"coalesce({name}::text, 'x')"] if kind in ("int", "bigint", "smallint", "text", "varchar(4)") else []
            what = dice.choice([name, f"{name} DESC", f"{name} NULLS FIRST", *texts])
            return f"CREATE {dice.choice(['', 'UNIQUE '])}INDEX i{serial} ON t ({what}){part};"
        return f"ALTER TABLE t {dice.choice(forms)};"

    TOLD = """
SELECT a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = 't'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1;
SELECT conname, contype, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1;
SELECT indexrelid::regclass, indisunique, indisprimary, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 't'::regclass
    ORDER BY indexrelid::regclass::text;
SELECT column_name, data_type, is_nullable, column_default, character_maximum_length, numeric_precision, numeric_scale, datetime_precision
    FROM information_schema.columns WHERE table_schema = 'dt' AND table_name = 't' ORDER BY ordinal_position;
SELECT t.* FROM t ORDER BY t::text;"""

    def statement(self):
        dice = self.dice
        columns = {f"c{n}": dice.choice(sorted(self.VALUES)) for n in range(dice.randint(1, 4))}
        parts = [self.column(name, kind) for name, kind in columns.items()]
        keys = sorted(columns)
        if dice.random() < 0.3:
            parts.append(f"PRIMARY KEY ({', '.join(dice.sample(keys, dice.randint(1, min(2, len(keys)))))})")
        elif dice.random() < 0.2:
            parts.append(f"CONSTRAINT both_of UNIQUE ({', '.join(keys[:2])})")
        lines = ["CREATE SCHEMA dt; SET search_path = dt; CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (0), (1), (7);",
                 f"CREATE TABLE t ({', '.join(parts)});"]
        for serial in range(1, dice.randint(3, 9)):
            lines.append(self.alter(columns, serial) if dice.random() < 0.5 else self.row(columns))
        return "\n".join(lines) + self.TOLD + "\nRESET search_path; SET client_min_messages = warning; DROP SCHEMA dt CASCADE; RESET client_min_messages;"


class Writes:
    """Changes of two tables of which one refers to the other, with what they tell and what is left."""

    SETUP = """BEGIN;
CREATE TEMP TABLE wa (id int PRIMARY KEY, k text UNIQUE, n int DEFAULT 1 CHECK (n < 100), v varchar(6));
CREATE TEMP TABLE wb (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a int REFERENCES wa ON DELETE {on_delete} ON UPDATE CASCADE, q numeric(5,1));
INSERT INTO wa VALUES (1, 'x', 10, 'one'), (2, 'y', 20, 'two'), (3, NULL, NULL, NULL);
INSERT INTO wb (a, q) VALUES (1, 1.25), (1, 2), (2, NULL), (NULL, 4);
"""
    LEFT = "\nSELECT * FROM wa ORDER BY id; SELECT * FROM wb ORDER BY id; ROLLBACK;"

    def __init__(self, dice):
        self.dice = dice

    def number(self):
        return self.dice.choice(["1", "2", "3", "4", "99", "100", "NULL", "n", "n + 1", "id * 2", "coalesce(n, 5)"])

    def plain(self):
        return self.dice.choice(["1", "2", "3", "4", "9", "100", "NULL"])

    def where(self, table="wa"):
        dice = self.dice
        own = {"wa": ["wa.id = 1", "wa.n > 10", "wa.k IS NULL", "wa.v LIKE 't%'", "EXISTS (SELECT FROM wb WHERE wb.a = wa.id)", "true",
                      "wa.id IN (SELECT a FROM wb WHERE q > 1)"],
               "wb": ["wb.id = 2", "wb.q IS NULL", "wb.a = 1", "wb.q < (SELECT avg(q) FROM wb)", "true"]}
        return dice.choice(own[table])

    def change(self):
        dice = self.dice
        returning = dice.choice(["", " RETURNING *", " RETURNING id", " RETURNING id, n, k || '!' AS z", " RETURNING wa.*, 1 AS one"])
        conflict = dice.choice(["", "", " ON CONFLICT DO NOTHING", " ON CONFLICT (id) DO NOTHING", " ON CONFLICT (k) DO UPDATE SET n = wa.n + excluded.n",
                                " ON CONFLICT (id) DO UPDATE SET (k, v) = (excluded.k, 'up') WHERE wa.n IS NOT NULL",
                                " ON CONFLICT ON CONSTRAINT wa_k_key DO UPDATE SET n = 1"])
        which = dice.randrange(9)
        # In which order several rows are told, or refused, is nobody's business.
        where = dice.choice(["wa.id = 1", "wa.k = 'y'", "wa.n = 10"]) if returning or which == 2 else self.where()
        if which == 0:
            return f"INSERT INTO wa (id, k, n) VALUES ({self.plain()}, {dice.choice(['NULL', chr(39) + 'x' + chr(39), chr(39) + 'z' + chr(39)])}, {self.plain()}){conflict}{returning};"
        if which == 1:
            return f"INSERT INTO wa (id, k, v) SELECT a + {dice.randint(0, 4)}, 'k' || id, q::text FROM wb WHERE a IS NOT NULL ORDER BY id{conflict}{returning};"
        if which == 2:
            return f"UPDATE wa SET {dice.choice(['n', 'id'])} = {self.number()} WHERE {where}{returning};"
        if which == 3:
            # Of several rows for one, which is taken is nobody's business.
            one = "(SELECT DISTINCT ON (a) * FROM wb ORDER BY a, id)"
            return f"UPDATE wa SET n = wb.id, v = wb.q::text FROM {one} wb WHERE wb.a = wa.id AND {self.where('wb')};"
        if which == 4:
            return f"DELETE FROM wa WHERE {where}{returning};"
        if which == 5:
            return f"DELETE FROM wb USING wa WHERE wb.a = wa.id AND {self.where()};"
        if which == 6:
            return f"UPDATE wb SET (a, q) = (SELECT max(id), {dice.choice(['sum(n)', 'avg(n)', '1.25'])} FROM wa WHERE {self.where()}) WHERE {self.where('wb')};"
        matched = dice.choice(["WHEN MATCHED THEN UPDATE SET n = s.id", "WHEN MATCHED AND wa.n > 10 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'm'",
                               "WHEN MATCHED THEN DO NOTHING", "WHEN MATCHED THEN DELETE"])
        missing = dice.choice(["WHEN NOT MATCHED THEN INSERT (id, k) VALUES (s.id + 10, 'm' || s.id)", "WHEN NOT MATCHED THEN DO NOTHING",
                               "WHEN NOT MATCHED AND s.id > 3 THEN INSERT VALUES (s.id, 'q', DEFAULT, NULL)", ""])
        source = dice.choice(["wb", "(SELECT DISTINCT a AS id FROM wb WHERE a IS NOT NULL)", "(SELECT id + 2 AS id FROM wa)"])
        return f"MERGE INTO wa USING {source} s ON s.id = wa.id {matched} {missing};"

    def statement(self):
        dice = self.dice
        setup = self.SETUP.format(on_delete=dice.choice(["CASCADE", "SET NULL", "NO ACTION", "RESTRICT"]))
        changes = []
        for _ in range(dice.randint(1, 4)):
            changes += ["SAVEPOINT s;", self.change(), dice.choice(["", "", "ROLLBACK TO s;"])]
            # What failed is undone; what did not fail, now and then.
            changes.append("\\if :ERROR\nROLLBACK TO s;\n\\endif")
        return setup + "\n".join(changes) + self.LEFT


class Prepared:
    """The types that parameters are given, and what comes of values for them."""

    QUERIES = [
        ("SELECT $1", 1), ("SELECT $1 + 1", 1), ("SELECT $1 || 'x'", 1), ("SELECT $1::int + $2", 2), ("SELECT id FROM da WHERE id = $1", 1),
        ("SELECT id FROM da WHERE a > $1 OR b = $2 ORDER BY id", 2), ("SELECT id FROM da WHERE id = ANY ($1) ORDER BY id", 1),
        ("SELECT id FROM da WHERE id IN ($1, $2, 3) ORDER BY id", 2), ("SELECT coalesce($1, 5)", 1), ("SELECT CASE WHEN $1 THEN 'a' ELSE $2 END", 2),
        ("SELECT $1 = $2", 2), ("SELECT upper($1), length($1)", 1), ("SELECT date '2024-01-31' + $1", 1), ("SELECT now() - $1 IS NULL", 1),
        ("SELECT ARRAY[$1, 2]", 1), ("SELECT j -> $1 FROM da WHERE id = 1", 1), ("SELECT j ->> $1 FROM da ORDER BY id", 1), ("SELECT $1 IS NULL", 1),
        ("SELECT id FROM da ORDER BY id LIMIT $1 OFFSET $2", 2), ("SELECT generate_series($1, $2)", 2), ("SELECT x FROM unnest($1::text[]) x", 1),
        ("VALUES ($1, $2), ($2, $1)", 2), ("SELECT * FROM (VALUES ($1)) v(x) WHERE x > 1", 1), ("SELECT greatest($1, 2.5)", 1),
        ("SELECT substring($1 from $2)", 2), ("SELECT $1 LIKE $2", 2), ("SELECT round($1, 1)", 1), ("SELECT sum(v) FROM db WHERE v > $1", 1),
        ("INSERT INTO da (id, a, b) VALUES ($1, $2, 'n') RETURNING id, a", 2), ("UPDATE da SET a = $2 + 1 WHERE id = $1 RETURNING a", 2),
        ("UPDATE da SET a = $1 + 1, b = $2 WHERE a = $1 RETURNING id, a, b", 2), ("DELETE FROM db WHERE fid = $1 AND v < $2 RETURNING id", 2),
        ("INSERT INTO db (id, v, t) VALUES ($1, $2, ARRAY[$3]) ON CONFLICT (id) DO UPDATE SET v = $2 RETURNING *", 3),
        ("SELECT a FROM da WHERE b BETWEEN $1 AND $2 ORDER BY id", 2), ("SELECT row_to_json(r) FROM (SELECT $1 AS x, $2 AS y) r", 2),
        ("SELECT $1 UNION SELECT 2 ORDER BY 1", 1), ("SELECT max($1) OVER () FROM da", 1), ("SELECT (SELECT $1) + 1", 1),
        ("SELECT interval '1 day' * $1", 1), ("SELECT $1 AT TIME ZONE 'UTC'", 1), ("SELECT extract(year from $1)", 1), ("SELECT -$1", 1),
    ]
    TYPES = ["int", "bigint", "text", "numeric", "unknown", "boolean", "date", "timestamptz", "int[]", "varchar", "jsonb", "float8"]
    VALUES = ["1", "2", "-1", "1.5", "'k1'", "'3'", "NULL", "true", "'2024-02-29'", "'{1,3}'", "ARRAY[1,2]", "1 + 1", "''", "'a'", "'t'", "99999999999"]

    def __init__(self, dice):
        self.dice = dice

    def statement(self):
        dice = self.dice
        query, count = dice.choice(self.QUERIES)
        types = f"({', '.join(dice.choice(self.TYPES) for _ in range(dice.randint(1, count)))})" if dice.random() < 0.5 else ""
        execute = lambda: f"EXECUTE q({', '.join(dice.choice(self.VALUES) for _ in range(count))});"
        told = "SELECT parameter_types FROM pg_prepared_statements WHERE name = 'q';"
        lines = [f"PREPARE q{types} AS {query};", told, "BEGIN;", execute(), "ROLLBACK;", "BEGIN;", execute(), "ROLLBACK;"]
        if dice.random() < 0.3:
            change = dice.choice(["ALTER TABLE da ALTER a TYPE bigint", "ALTER TABLE da ADD z int DEFAULT 4", "ALTER TABLE da RENAME b TO bb",
                                  "ALTER TABLE db ALTER v TYPE float8", "ALTER TABLE da DROP COLUMN j"])
            lines += ["BEGIN;", f"{change};", execute(), "ROLLBACK;", "BEGIN;", execute(), "ROLLBACK;"]
        return "\n".join(lines + ["DEALLOCATE ALL;"])


KINDS = {"queries": Queries, "changes": Changes, "paths": Paths, "scalars": Scalars, "windows": Windows, "groups": Groups,
         "tables": Tables, "writes": Writes, "prepared": Prepared}


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
