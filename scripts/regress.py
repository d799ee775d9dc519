#!/usr/bin/env python3
"""Runs files of SQL statement by statement on PostgreSQL and on Quorate and tells what is answered otherwise, and why.

    scripts/regress.py [--all] POSTGRES QUORATE FILE...

POSTGRES and QUORATE are connection strings, as a superuser of the same name in databases of the same name that may be spoilt.
The files are PostgreSQL's own, from `src/test/regress/sql` of its source; they are no part of this repository. Of psql's commands
`\\c` and `\\set` are understood; statements with others are passed over. What the files copy from their data directory is
sent by this script. OIDs of what was made, and passwords' verifiers, are not compared; nor is the order of rows where the
statement asks for none. At the end stand the causes: the errors by SQLSTATE and message without its names, other rows, what
PostgreSQL refuses, and EXPLAIN, whose plans cannot be alike.
Needs the package psycopg.
"""
import collections
import os
import re
import sys

import psycopg
from psycopg import pq

OID = 26


def statements(text):
    """The statements of a file: (kind, text, data of COPY)."""
    out, at, start, depth = [], 0, 0, 0
    while at < len(text):
        if text.startswith("--", at):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            if not text[start:at].strip():
                start = end
            at = end
        elif text.startswith("/*", at):
            at = text.find("*/", at) + 2
        elif text[at] in "'\"":
            quote, at = text[at], at + 1
            escapes = quote == "'" and text[at - 2 : at - 1].lower() == "e"
            while text[at] != quote or text[at + 1 : at + 2] == quote:
                at += 2 if text[at] == quote or escapes and text[at] == "\\" else 1
            at += 1
        elif found := re.match(r"\$\w*\$", text[at:]):
            at = text.index(found[0], at + len(found[0])) + len(found[0])
        elif text[at] == "\\":
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            before, command = text[start:at].strip(), text[at:end].strip()
            out.append(("psql", (before + " " + command).strip(), ""))
            at = start = end
        elif text[at] in "()":
            depth += 1 if text[at] == "(" else -1
            at += 1
        elif text[at] == ";" and depth <= 0 and not re.search(r"begin\s+atomic(?!.*\bend\b)", text[start:at], re.I | re.S):
            sql, at, depth = text[start:at].strip(), at + 1, 0
            data = ""
            if re.match(r"copy\b.*\bfrom\s+stdin", sql, re.I | re.S):
                end = re.search(r"^\\\.$", text[at:], re.M)
                line = text.find("\n", at) + 1
                data = text[line : at + end.start()] if end else ""
                at += end.end() if end else 0
            start = at
            if sql:
                out.append(("sql", sql, data))
        else:
            at += 1
    return out


class Server:
    def __init__(self, info, directory):
        self.info, self.notices, self.directory = info, [], directory
        self.variables = {"abs_srcdir": directory}
        self.connect(None)

    def connect(self, user):
        self.connection = psycopg.connect(self.info, autocommit=True, **({"user": user} if user else {}))
        self.connection.add_notice_handler(lambda n: self.notices.append(f"{n.severity}: {n.message_primary}"))

    def filled(self, text):
        """A text with psql's variables in it."""

        def value(found):
            quote, name = found[1], found[2]
            if name not in self.variables:
                return found[0]
            shown = self.variables[name]
            return quote + shown.replace(quote, quote * 2) + quote if quote else shown

        return re.sub(r"(?<![:\w]):(['\"]?)(\w+)\1", value, text)

    def set(self, text):
        words = re.findall(r"'((?:[^']|'')*)'|(\S+)", self.filled(text))
        self.variables[words[1][1]] = "".join(a.replace("''", "'") or b for a, b in words[2:])

    def run(self, sql, data=""):
        """What a client sees of it."""
        self.notices = []
        sql = self.filled(sql)
        if found := re.match(r"(copy\b.*\bfrom\s+)'([^']*)'", sql, re.I | re.S):
            if found[2].startswith(self.directory + "/data/"):
                sql, data = found[1] + "stdin" + sql[found.end() :], open(found[2], encoding="utf-8").read()
        pgconn = self.connection.pgconn
        result = pgconn.exec_(sql.encode())
        status = result.status
        if status == pq.ExecStatus.COPY_IN:
            pgconn.put_copy_data(data.encode())
            pgconn.put_copy_end()
            while last := pgconn.get_result():
                result = last
        elif status == pq.ExecStatus.COPY_OUT:
            while pgconn.get_copy_data(0)[0] > 0:
                pass
            while last := pgconn.get_result():
                result = last
        answer = list(self.notices)
        if result.status == pq.ExecStatus.FATAL_ERROR:
            field = lambda f: (result.error_field(f) or b"").decode()
            code, message = field(pq.DiagnosticField.SQLSTATE), field(pq.DiagnosticField.MESSAGE_PRIMARY)
            answer.append(f"ERROR {code}: {message}")
            if detail := field(pq.DiagnosticField.MESSAGE_DETAIL):
                answer.append(f"DETAIL: {detail}")
            return answer
        if result.status == pq.ExecStatus.TUPLES_OK:
            answer.append(" | ".join(result.fname(i).decode() for i in range(result.nfields)))
            for row in range(result.ntuples):
                values = []
                for i in range(result.nfields):
                    value = result.get_value(row, i)
                    shown = "∅" if value is None else value.decode()
                    if result.ftype(i) == OID and shown.isdigit() and int(shown) >= 16384:
                        shown = "oid"
                    values.append(re.sub(r"SCRAM-SHA-256\$\S+", "SCRAM", shown))
                answer.append(" | ".join(values))
        answer.append((result.command_status or b"").decode())
        return [re.sub(r"permission denied for sequence \d+", "permission denied for sequence", a) for a in answer]


def alike(text, answers):
    """Whether two answers are the same to somebody who reads the statement."""
    first, second = answers
    ordered = re.search(r"\border\s+by\b", text, re.I) or not re.match(r"\s*(select|with|values|table|\()", text, re.I)
    return first == second if ordered else sorted(first) == sorted(second)


def cause(text, answers):
    """Why two answers differ, in few words."""
    if re.match(r"\s*explain\b", text, re.I):
        return "EXPLAIN"
    postgres, quorate = ([line for line in answer if line.startswith("ERROR")] for answer in answers)
    unnamed = lambda line: re.sub(r'"[^"]*"|\d{2,}(?!\w)', "…", line[6:])
    if quorate and postgres and quorate[0][:11] == postgres[0][:11]:
        return "another text or detail of " + quorate[0][6:11]
    if quorate:
        return unnamed(quorate[0])
    return "accepted here: " + unnamed(postgres[0]) if postgres else "other rows or tags"


def reconnect(servers, command):
    words = command.split()[1:]
    user = words[1] if len(words) > 1 and words[1] != "-" else None
    for server in servers:
        server.connect(user)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    everything = "--all" in sys.argv
    total = same = 0
    causes = collections.Counter()
    for path in arguments[2:]:
        directory = os.path.dirname(os.path.dirname(os.path.abspath(path)))
        servers = [Server(info, directory) for info in arguments[:2]]
        equal = count = 0
        for kind, text, data in statements(open(path, encoding="utf-8").read()):
            if kind == "psql":
                if re.match(r"\\c(onnect)?\b", text):
                    reconnect(servers, text)
                elif re.match(r"\\set\s+\w", text):
                    for server in servers:
                        server.set(text)
                continue
            answers = []
            for server in servers:
                try:
                    answers.append(server.run(text, data))
                except psycopg.Error as error:
                    answers.append([f"the connection: {error}"])
                    server.connect(None)
            count += 1
            good = alike(text, answers)
            equal += good
            if not good:
                causes[cause(text, answers)] += 1
                print(f"-- {path.split('/')[-1]}\n{text};")
                print("\n".join(f"  postgres> {line}" for line in answers[0]))
                print("\n".join(f"  quorate > {line}" for line in answers[1]))
            elif everything:
                print(f"-- equal\n{text};")
        print(f"== {path.split('/')[-1]}: {equal} of {count} equal")
        total, same = total + count, same + equal
    for what, times in causes.most_common():
        print(f"=== {times:5} {what}")
    plans = causes["EXPLAIN"]
    print(f"== all: {same} of {total} equal ({100 * same / max(total, 1):.1f} %; {100 * same / max(total - plans, 1):.1f} % without EXPLAIN)")


main()
