#!/usr/bin/python3
"""What runs in the container of the Greenlight stand-in: tasks of rake, and `rails runner -`.

    greenlight_rails.py bundle exec rake TASK[ARGUMENTS]
    greenlight_rails.py bundle exec rails runner -

There is no Ruby here. Of a program on standard input only the first line is read, REQUEST = "BASE64", and what
scripts/host/greenlight.rb does with it is done by Greenlight's rules.
"""

import base64
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import greenlight_store as store


def connect():
    return store.Database(store.read_settings())


def colored(number, text):
    return f"\033[{number}m{text}\033[0m"


def fail(*lines):
    for color, line in zip((33, 31), lines):
        print(colored(color, line), file=sys.stderr)
    sys.exit(1)


def rake(task):
    found = re.fullmatch(r"([a-z_:]+)(?:\[(.*)\])?", task)
    name, arguments = (found[1], [one.strip() for one in (found[2] or "").split(",")]) if found else (task, [])
    if name == "admin:create":
        preset = ("Administrator", "admin@example.com", "Administrator1!")
        given = [value or preset[place] for place, value in enumerate([*arguments, "", "", ""][:3])]
        return create_user(given[0], given[1], given[2], "Administrator")
    if name == "user:create":
        given = [*arguments, "", "", "", ""]
        return create_user(given[0], given[1], given[2], given[3])
    if name == "user:set_admin_role":
        return promote(arguments[0] if arguments else "")
    print(f"rake aborted!\nDon't know how to build task '{name}' (stand-in)", file=sys.stderr)
    sys.exit(1)


def create_user(name, email, password, role):
    database = connect()
    if not database.execute("SELECT 1 FROM roles WHERE name = %s", (role,)).fetchone():
        fail(f"Unable to create user: '{name}'", f"   Role '{role}' does not exist, maybe you have not run the DB migrations?")
    try:
        store.create_user(database, name, email, password, role)
    except store.Invalid as invalid:
        fail(f"Unable to create user: '{name}'", f"   Failed to pass the following validations:\n    {json.dumps(invalid.args[0])}")
    print(colored(32, "User account was created successfully!"))
    for label, value in {"Name": name, "Email": email, "Password": password, "Role": role}.items():
        print(colored(36, f"  {label}: {value}"))


def promote(email):
    database = connect()
    if not email:
        fail("", "Please provide an email address of the user you wish to set to Administrator role.")
    if database.execute("UPDATE users SET role = 'Administrator' WHERE email = %s", (email,)).rowcount == 0:
        fail("", f"User with email: {email} not found")
    print(colored(32, f"User role set to Administrator for email: {email}"))


def runner(program):
    found = re.match(r'REQUEST = "([A-Za-z0-9+/=]+)"\n', program)
    if not found or "class User" in program or "User.new(" not in program:
        print("the stand-in has no Ruby: it knows the program scripts/host/greenlight.rb only", file=sys.stderr)
        sys.exit(1)
    print("I, [2026-11-21T00:00:00 #1]  INFO -- : Rails logs here (stand-in)")
    print("BBB_DEPLOY " + json.dumps(answer(json.loads(base64.b64decode(found[1])))))


def answer(request):
    database = connect()
    tables = {"settings": ("site_settings", "name"), "roomLimits": ("room_limits", "role")}
    before = {kind: rows(database, *tables[kind], request[kind]) for kind in tables}
    problems = [f"this version of Greenlight has no setting {name}" for name in request["wanted"]["settings"] if name not in before["settings"]]
    problems += [f"there is no role {name} with a limit of rooms" for name in request["wanted"]["roomLimits"] if name not in before["roomLimits"]]
    roles = [row["name"] for row in database.execute("SELECT name FROM roles")]
    role = request["settings"].get("DefaultRole", roles[0])
    if role not in roles:
        problems.append(f"there is no role {role}; there are {', '.join(roles)}")
    said = {"before": before, "problems": problems}
    if request["admin"]:
        became = administrator(database, request, problems)
        if became:
            said["admin"] = became
    if request["write"] and not problems:
        for kind, (table, key) in tables.items():
            for name in before[kind]:
                database.execute(f"UPDATE {table} SET value = %s WHERE {key} = %s", (request[kind][name], name))
    return said


def rows(database, table, key, names):
    found = {row[key]: row["value"] for row in database.execute(f"SELECT * FROM {table}")}
    return {name: found[name] for name in names if name in found}


def administrator(database, request, problems):
    email = request["admin"]["email"]
    administrators = [row["email"] for row in database.execute("SELECT email FROM users WHERE role = 'Administrator'")]
    if administrators:
        return "there" if email in administrators else "another"
    if database.execute("SELECT 1 FROM users WHERE email = %s", (email,)).fetchone():
        problems.append(f"{email} has an account that is no administrator's")
        return None
    if not request["write"] or problems:
        return "missing"
    try:
        store.create_user(database, request["admin"]["name"], email, request["admin"]["password"], "Administrator")
    except store.Invalid as invalid:
        problems.append(f"the administrator's account was refused: {', '.join(invalid.args[0])}")
        return None
    return "made"


def main():
    words = sys.argv[1:]
    if words[:2] == ["bundle", "exec"]:
        words = words[2:]
    try:
        if words[:1] == ["rake"] and len(words) == 2:
            rake(words[1])
        elif words == ["rails", "runner", "-"]:
            runner(sys.stdin.read())
        else:
            print(f"{' '.join(words)}: not part of the stand-in", file=sys.stderr)
            sys.exit(1)
    except store.Unavailable as error:
        print(f"ActiveRecord::ConnectionNotEstablished: {error} (stand-in)", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
