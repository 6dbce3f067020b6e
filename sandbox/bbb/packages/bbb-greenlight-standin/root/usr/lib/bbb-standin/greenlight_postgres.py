#!/usr/bin/python3
"""Programs of PostgreSQL in the Greenlight stand-in, whose database is SQLite: dumps, their reading, and questions.

    greenlight_postgres.py pg_dump -U USER --format=c DATABASE
    greenlight_postgres.py pg_restore --list|--file=/dev/null|-U USER … -d DATABASE <DUMP
    greenlight_postgres.py psql -U USER -d DATABASE -At -c QUERY

A dump begins as PostgreSQL's do, and its last line tells that it is whole: one that was cut off is refused only by what reads
all of it.
"""

import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import greenlight_store as store

NAME = "greenlight-v3-production"
HEAD = "PGDMP (stand-in)"
END = "-- end of the dump"
# Greenlight has it; the stand-in keeps none.
EMPTY = ("recordings",)


def fail(text):
    print(f"{os.path.basename(sys.argv[1])}: error: {text}", file=sys.stderr)
    sys.exit(1)


def tables(database):
    return [row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


def dump():
    database = store.connect()
    print(HEAD)
    print(json.dumps(tables(database)))
    for line in database.iterdump():
        print(json.dumps(line))
    print(END)


def read(whole):
    lines = sys.stdin.read().splitlines()
    if not lines or lines[0] != HEAD:
        fail("input file does not appear to be a valid archive")
    if whole and lines[-1] != END:
        fail("could not read from input file: end of file")
    return lines


def restore(options):
    lines = read(whole="--list" not in options)
    if "--list" in options:
        for number, name in enumerate(json.loads(lines[1])):
            print(f"{number}; 0 0 TABLE DATA public {name} postgres")
        return
    if "-d" not in options:
        return
    if options[options.index("-d") + 1] != NAME:
        fail(f'database "{options[options.index("-d") + 1]}" does not exist')
    # In one transaction: SQLite's own, over tables that are made anew.
    script = "".join(f"DROP TABLE IF EXISTS {name};" for name in tables(store.connect()))
    statements = [json.loads(line) for line in lines[2:-1]]
    store.connect().executescript("BEGIN;" + script + "".join(one for one in statements if one not in ("BEGIN TRANSACTION;", "COMMIT;")) + "COMMIT;")


def ask(query):
    database = store.connect()
    if "pg_database_size" in query:
        return print(os.path.getsize(store.path()))
    if any(query.endswith(f"FROM {name}") for name in EMPTY):
        return print(0)
    for row in database.execute(query):
        print("|".join(str(value) for value in row))
    return None


def main():
    program, *options = sys.argv[1:]
    try:
        if program == "pg_dump":
            if options[-1] != NAME:
                fail(f'connection to server failed: FATAL:  database "{options[-1]}" does not exist')
            return dump()
        if program == "pg_restore":
            return restore(options)
        if program == "psql" and "-c" in options:
            return ask(options[options.index("-c") + 1])
    except sqlite3.Error as error:
        fail(f"{error} (stand-in)")
    print(f"{' '.join(sys.argv[1:])}: not part of the stand-in", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
