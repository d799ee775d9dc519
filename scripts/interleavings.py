#!/usr/bin/env python3
"""Random interleavings of three sessions beside a PostgreSQL 15: the first step that is answered otherwise is printed.

    interleavings.py POSTGRES QUORATE… [--seed N] [--rounds M] [--steps MAX] [--known]

The servers are given as connection strings; sessions are spread over those of QUORATE, so name all nodes of a cluster. Needs psycopg 3.
A round is a plan: what which session says, in which order. The same seed gives the same plans. No step waits longer than
`lock_timeout`, so one thread plays them all, and a step that has to wait says 55P03 on both sides. SQLSTATE, rows and counts of each
step are compared, and what the tables hold in the end. Where a step differs, steps are left out of the plan one by one as long
as it still differs, and what remains is printed as a script for `tests/sql/isolation`, for PostgreSQL's answers to be recorded there.

What docs/consistency.md says about differences is known here as rules (`Known`): such a plan ends there, and is only counted;
with --known the first of each rule is printed, too.
"""

import argparse
import random
import sys
from collections import Counter

import psycopg

TIMEOUT = "150ms"
SESSIONS = "abc"
TABLES = ["a", "b", "a_of", "b_of", "tree"]
SETUP = [
    "DROP TABLE IF EXISTS a_of, b_of, a, b, tree, made CASCADE",
    "CREATE TABLE a (id int PRIMARY KEY, v int, u int UNIQUE, x int, y int, UNIQUE (x, y))",
    "CREATE TABLE b (id int PRIMARY KEY, v int CHECK (v < 50), t text)",
    "CREATE TABLE a_of (id int PRIMARY KEY, a int REFERENCES a, n int REFERENCES b ON DELETE SET NULL)",
    "CREATE TABLE b_of (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE tree (id text PRIMARY KEY, up text REFERENCES tree DEFERRABLE INITIALLY DEFERRED, v int)",
    "INSERT INTO a VALUES (1, 10, 1, 1, 1), (2, 20, 2, 1, 2), (3, 30, 3, 2, 1)",
    "INSERT INTO b VALUES (1, 1, 'p'), (2, 2, 'q')",
    "INSERT INTO a_of VALUES (1, 1, 1), (2, 2, 2)",
    "INSERT INTO b_of VALUES (1, 1), (2, 2)",
    "INSERT INTO tree VALUES ('r', NULL, 0), ('s', 'r', 1)",
]
FINAL = [f"SELECT * FROM {table} ORDER BY id" for table in TABLES]


class Plans:
    def __init__(self, dice):
        self.dice = dice

    def statement(self):
        dice = self.dice
        k, new, low = dice.randint(1, 4), dice.randint(3, 7), dice.choice([5, 15, 25])
        strength = dice.choice(["UPDATE", "UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"])
        how = dice.choice(["", "", "", " NOWAIT", " SKIP LOCKED"])
        lock, few = f"FOR {strength}{how}", dice.choice([1, 2, 3])
        mode = dice.choice(["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
                            "EXCLUSIVE", "ACCESS EXCLUSIVE"])
        node = dice.choice("rstw")
        groups = [
            (10, [f"UPDATE a SET v = v + 1 WHERE id = {k}", f"UPDATE b SET v = v + 1 WHERE id = {few}",
                  f"UPDATE a SET v = v * 2 WHERE v > {low}", f"UPDATE a SET v = v + 1 WHERE id = {k} AND v > {low} RETURNING v",
                  f"UPDATE a SET u = {dice.randint(1, 7)} WHERE id = {k}", f"UPDATE a SET id = {new} WHERE id = {k}",
                  f"UPDATE a SET x = {few}, y = {dice.randint(1, 2)} WHERE id = {k}",
                  f"UPDATE a SET v = b.v FROM b WHERE b.id = a.id AND a.id <= {few}",
                  f"UPDATE a SET v = (SELECT sum(v) FROM b) WHERE id = {k} RETURNING id, v",
                  f"UPDATE b SET v = 60 WHERE id = {few}", f"UPDATE b SET t = t || 'z' WHERE t LIKE 'p%' RETURNING *",
                  f"UPDATE a_of SET a = {k} WHERE id = {few}", f"UPDATE a_of SET n = {few} WHERE id = {few}",
                  f"UPDATE b_of SET b = {few} WHERE id = {dice.choice([1, 2])}", f"UPDATE b SET id = {new} WHERE id = {few}",
                  f"UPDATE tree SET v = v + 1 WHERE id = '{node}'", f"UPDATE tree SET up = '{node}' WHERE id = 's'"]),
            (6, [f"SELECT * FROM a WHERE id = {k}", "SELECT * FROM a ORDER BY id", "SELECT sum(v) FROM b", "SELECT * FROM a_of ORDER BY id",
                 "SELECT * FROM tree ORDER BY id", f"SELECT count(*) FROM a WHERE v > {low}",
                 "SELECT a.id, o.id FROM a LEFT JOIN a_of o ON o.a = a.id ORDER BY 1, 2"]),
            (6, [f"SELECT v FROM a WHERE id = {k} {lock}", f"SELECT id FROM a WHERE v > {low} ORDER BY id {lock}",
                 f"SELECT id FROM a ORDER BY id LIMIT {few} {lock}", f"SELECT * FROM b WHERE id = {few} {lock}",
                 f"SELECT a.id, o.id FROM a JOIN a_of o ON o.a = a.id WHERE a.id = {few} FOR {strength} OF a{how}",
                 f"SELECT id FROM tree WHERE id = '{node}' {lock}", f"SELECT id FROM a WHERE u = {few} {lock}",
                 f"UPDATE b SET v = 0 WHERE id = (SELECT id FROM b ORDER BY id LIMIT 1 {lock}) RETURNING id"]),
            (6, [f"INSERT INTO a VALUES ({new}, 1, {new})", f"INSERT INTO a VALUES ({new}, 1, {dice.randint(3, 7)}, {few}, 1)",
                 f"INSERT INTO a (id, u) VALUES ({new}, {new}), ({new + 1}, {new + 1}) RETURNING id",
                 f"INSERT INTO b VALUES ({dice.randint(2, 5)}, 0, 'p')", f"INSERT INTO a_of VALUES ({dice.randint(3, 6)}, {k})",
                 f"INSERT INTO a_of VALUES ({dice.randint(3, 6)}, {k}, {few})",
                 f"INSERT INTO b_of VALUES ({dice.randint(3, 6)}, {few})", "INSERT INTO a_of (id, a) SELECT id + 5, id FROM a WHERE v < 15",
                 f"INSERT INTO tree VALUES ('{node}', '{dice.choice('rstw')}', 5)", f"INSERT INTO b SELECT id + 10, v, 'i' FROM b WHERE id = {few}"]),
            (5, [f"INSERT INTO a VALUES ({new}, 1, {new}) ON CONFLICT DO NOTHING",
                 f"INSERT INTO a VALUES ({new}, 1, {dice.randint(3, 7)}) ON CONFLICT (u) DO NOTHING RETURNING id",
                 f"INSERT INTO a VALUES ({k}, 1, {new}) ON CONFLICT (id) DO UPDATE SET v = a.v + 100",
                 f"INSERT INTO a VALUES ({new}, 1, NULL, {few}, 1) ON CONFLICT (x, y) DO UPDATE SET v = a.v + excluded.v RETURNING id, v",
                 f"INSERT INTO tree VALUES ('{node}', NULL, 1) ON CONFLICT (id) DO UPDATE SET v = tree.v + 1 RETURNING v"]),
            (4, [f"DELETE FROM a WHERE id = {k}", f"DELETE FROM a_of WHERE a = {k}", f"DELETE FROM b WHERE id = {few}",
                 f"DELETE FROM a USING b WHERE a.id = b.id AND b.v = {few}", f"DELETE FROM tree WHERE id = '{node}'",
                 f"DELETE FROM b WHERE id IN (SELECT id FROM b ORDER BY id LIMIT 1 {lock}) RETURNING id", f"DELETE FROM a_of WHERE id > {few}"]),
            (5, ["SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "SAVEPOINT q", "ROLLBACK TO q"]),
            (2, ["SELECT 1 / 0", "SELECT * FROM nowhere", "SET CONSTRAINTS ALL IMMEDIATE", "SET TRANSACTION READ ONLY",
                 "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"]),
            (2, [f"SELECT pg_try_advisory_lock({few})", f"SELECT pg_advisory_unlock({few})", f"SELECT pg_advisory_xact_lock({few})",
                 f"SELECT pg_try_advisory_xact_lock_shared({few})", f"SELECT pg_advisory_lock_shared({few})", "SELECT pg_advisory_unlock_all()",
                 f"SELECT pg_advisory_unlock_shared({few})"]),
            (2, ["CREATE TEMPORARY TABLE IF NOT EXISTS tmp (id int PRIMARY KEY)", f"INSERT INTO tmp VALUES ({few}) ON CONFLICT DO NOTHING",
                 "SELECT * FROM tmp ORDER BY id", "DROP TABLE tmp", f"INSERT INTO tmp SELECT id + {few} FROM a",
                 "CREATE TEMPORARY TABLE tmp ON COMMIT DROP AS SELECT id FROM a"]),
            (2, ["CREATE TABLE made (id int PRIMARY KEY, a int REFERENCES a)", "DROP TABLE made", f"INSERT INTO made VALUES ({few}, {few})",
                 "ALTER TABLE a ADD COLUMN more int DEFAULT 5", "CREATE INDEX ON b (v)",
                 "TRUNCATE a_of", "ALTER TABLE b ADD CONSTRAINT positive CHECK (v >= 0)", "ALTER TABLE b DROP CONSTRAINT positive",
                 "CREATE OR REPLACE VIEW seen AS SELECT id, v FROM a", "SELECT * FROM seen ORDER BY id", "DROP VIEW seen"]),
            (1, [f"LOCK TABLE {dice.choice(TABLES)} IN {mode} MODE{dice.choice(['', ' NOWAIT'])}"]),
            (1, ["DECLARE c CURSOR FOR SELECT id, v FROM a ORDER BY id", "FETCH c", "FETCH 2 FROM c", "CLOSE c",
                 "DECLARE f CURSOR FOR SELECT id FROM a FOR UPDATE", "FETCH f", "UPDATE a SET v = v + 7 WHERE CURRENT OF f"]),
        ]
        return dice.choice(dice.choices([g for _, g in groups], [w for w, _ in groups])[0])

    def plan(self, steps):
        dice, plan, inside = self.dice, [], set()
        levels = {s: dice.choice(["READ COMMITTED"] * 6 + ["REPEATABLE READ"] * 3 + ["SERIALIZABLE"]) for s in SESSIONS}
        for _ in range(dice.randint(8, steps)):
            s = dice.choice(SESSIONS)
            if s not in inside and dice.random() < 0.7:
                plan.append((s, f"BEGIN ISOLATION LEVEL {levels[s]}"))
                inside.add(s)
            elif s in inside and dice.random() < 0.12:
                plan.append((s, dice.choice(["COMMIT", "COMMIT", "ROLLBACK", "COMMIT AND CHAIN"])))
                if plan[-1][1] != "COMMIT AND CHAIN":
                    inside.remove(s)
            else:
                plan.append((s, self.statement()))
        return plan + [(s, "COMMIT") for s in SESSIONS if s in inside]


class Known:
    """Why two answers to a step may differ: rules of docs/consistency.md. What a rule looks at is in its name."""

    def __init__(self, plan, theirs, ours, at):
        self.plan, self.theirs, self.ours, self.at = plan, theirs, ours, at
        self.session, self.sql = plan[at]
        self.mine = [n for n in range(at) if plan[n][0] == self.session]

    def level(self):
        """The level of the block that the step stands in, if any."""
        level = None
        for n in self.mine:
            sql = self.plan[n][1]
            if sql.startswith("BEGIN") and "ISOLATION LEVEL" in sql and level is None:
                level = sql.split("LEVEL ")[1]
            elif sql.startswith("SET TRANSACTION ISOLATION") and self.ours[n][0] == "00000" and level is not None:
                level = "REPEATABLE READ"
            elif sql in ("COMMIT", "ROLLBACK"):
                level = None
        return level

    def others_committed(self):
        """Whether another session has changed something while this block was open."""
        begin = max((n for n in self.mine if self.plan[n][1].startswith("BEGIN") or "CHAIN" in self.plan[n][1]), default=self.at)
        return any(s != self.session for s, _ in self.plan[begin:self.at])

    def locks_by_cursor(self):
        return any(sql.startswith("DECLARE") and "FOR UPDATE" in sql for _, sql in self.plan[: self.at + 1])

    def rule(self):
        theirs, ours = self.theirs[self.at], self.ours[self.at]
        level = self.level()
        high = level in ("REPEATABLE READ", "SERIALIZABLE")
        words = self.sql.split()
        if theirs[0] == "55P03" and ours[0] in ("23505", "23503", "23514"):
            return "a constraint that committed rows violate fails at once"
        if theirs[0] == "55P03" and ours[1] == "INSERT 0 0":
            return "ON CONFLICT DO NOTHING does nothing at once beside a committed row"
        if theirs[0] == "55P03" and ours[0] != "55P03":
            if words[0] in ("ALTER", "CREATE", "DROP", "LOCK", "TRUNCATE"):
                return "definitions do not wait for who has only read, or found no row"
            if words[0] in ("INSERT", "UPDATE") and "a_of" in self.sql and any("LOCK" in sql for _, sql in self.plan[: self.at]):
                return "a reference that is NULL looks at no table"
            if words[0] in ("SELECT", "FETCH", "DECLARE") and " FOR " not in self.sql:
                return "readers do not wait for definitions"
        if ours[0] == "55P03" and words[0] in ("ALTER", "CREATE", "DROP", "TRUNCATE"):
            return "definitions wait for each other"
        if self.locks_by_cursor() and (ours[0] == "55P03" or "SKIP LOCKED" in self.sql):
            return "a cursor FOR UPDATE locks its rows when it is declared"
        if theirs[0] == "55P03" and ours[0] == "40001" and high:
            return "above READ COMMITTED, 40001 instead of a wait"
        if level == "SERIALIZABLE" and "40001" in (theirs[0], ours[0]):
            return "SERIALIZABLE: who fails, and when"
        if high and ours[0] == "40001" and self.others_committed():
            return "REPEATABLE READ: something that was told is not true any more"
        if high and theirs[0] == "40001" and ours[0] != "40001":
            return "REPEATABLE READ: the snapshot has moved on"
        if high and theirs[0] == ours[0] == "00000" and self.others_committed() and not self.sql.startswith("COMMIT"):
            return "REPEATABLE READ: the snapshot has moved on, seen"
        if level == "READ COMMITTED" and ours[0] == "40001" and self.others_committed():
            return "READ COMMITTED: rows have begun to fit a condition before COMMIT"
        return None


def answer(connection, sql):
    try:
        cursor = connection.execute(sql)
        rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        return ("00000", cursor.statusmessage, rows)
    except psycopg.Error as error:
        return (error.sqlstate or str(error).split("\n", maxsplit=1)[0], "", [])


def play(servers, plan):
    """What each step answers, and what the tables hold in the end."""
    first = psycopg.connect(servers[0], autocommit=True, prepare_threshold=None)
    first.execute("SET client_min_messages = error")
    for sql in SETUP:
        first.execute(sql)
    sessions = {}
    for number, name in enumerate(SESSIONS):
        sessions[name] = psycopg.connect(servers[number % len(servers)], autocommit=True, prepare_threshold=None)
        sessions[name].execute(f"SET lock_timeout = '{TIMEOUT}'")
        sessions[name].execute("SET client_min_messages = error")
    answers = [answer(sessions[s], sql) for s, sql in plan]
    for session in sessions.values():
        session.close()
    answers += [answer(first, sql) for sql in FINAL]
    first.close()
    return answers


class Servers:
    def __init__(self, postgres, quorate):
        self.postgres, self.quorate = [postgres], quorate

    def differs(self, plan):
        """The first step that is answered otherwise: its number, both answers to it, and the rule that explains it."""
        theirs, ours = play(self.postgres, plan), play(self.quorate, plan)
        steps = plan + [(" ", sql) for sql in FINAL]
        for at, (p, q) in enumerate(zip(theirs, ours)):
            if p != q:
                return at, p, q, Known(steps, theirs, ours, at).rule()
        return None

    def shorten(self, plan, found):
        """Leaves steps out as long as the same kind of difference remains."""
        kind = lambda f: f and (f[1][0], f[2][0], f[3])
        plan, at = plan[: found[0] + 1], len(plan[: found[0] + 1]) - 1
        at -= 1
        while at >= 0:
            shorter = plan[:at] + plan[at + 1:]
            again = self.differs(shorter)
            if kind(again) == kind(found):
                plan, found = shorter[: again[0] + 1], again
                at = min(at, len(plan) - 1)
            at -= 1
        return plan, found


def script(plan, found, title):
    lines = [f"-- {title}", f"-- Last step: PostgreSQL {found[1]}, Quorate {found[2]}", ""]
    lines += [f"s: {sql}\n" for sql in SETUP[1:]]
    lines += [f"{s}: SET lock_timeout = '{TIMEOUT}'\n" for s in sorted({s for s, _ in plan})]
    lines += [f"{s}: {sql}\n" for s, sql in plan]
    if found[0] >= len(plan):
        lines += [f"s: {sql}\n" for sql in FINAL]
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("postgres")
    options.add_argument("quorate", nargs="+")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rounds", type=int, default=100)
    options.add_argument("--steps", type=int, default=26, help="steps of a plan at most")
    options.add_argument("--known", action="store_true", help="print the first plan of each known difference")
    options = options.parse_args()
    servers, kinds, rules, steps = Servers(options.postgres, options.quorate), Counter(), Counter(), 0
    for seed in range(options.seed, options.seed + options.rounds):
        plan = Plans(random.Random(f"interleaving {seed}")).plan(options.steps)
        found = servers.differs(plan)
        steps += len(plan) + len(FINAL) if found is None else found[0] + 1
        if found is None:
            continue
        rule = found[3]
        kind = (found[1][0], found[2][0], plan[found[0]][1].split()[0] if found[0] < len(plan) else "the end")
        (rules if rule else kinds)[rule or kind] += 1
        first = rules[rule] == 1 if rule else kinds[kind] <= 2
        if first and (options.known or not rule):
            short, again = servers.shorten(plan, found)
            print(script(short, again, f"Seed {seed}: {rule or 'unexplained'}"), flush=True)
    for rule, count in rules.most_common():
        print(f"known {count}: {rule}")
    for kind, count in kinds.most_common():
        print(f"unexplained {count}: {kind}")
    print(f"{options.rounds} plans, {steps} steps, {sum(rules.values())} end at known differences, {sum(kinds.values())} at others")
    sys.exit(bool(kinds))


if __name__ == "__main__":
    main()
