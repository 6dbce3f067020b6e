"""Data of the Greenlight stand-in: accounts, roles, site settings and rooms, in SQLite.

Greenlight has PostgreSQL. Here is a file of SQLite, where that would have its own: under data/postgres of Greenlight's
directory.
"""

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import time

HOME = os.environ.get("BBB_STANDIN_GREENLIGHT", "/root/greenlight-v3")
FILE = "data/postgres/14/database_data/standin.sqlite3"
# PostgreSQL keeps the password with which it was made, whatever it is told later.
PASSWORD_FILE = "data/postgres/14/database_data/password"
EMAIL = re.compile(r"[\w\-.+]+@[\w\-.]+\.[a-z]+", re.IGNORECASE)
PASSWORD = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[`@%~!#£$\\^&*()\]\[+={}/|:;\"'<>\-,.?_ ]).{8,}")
LIFE = 86400
TABLES = """
CREATE TABLE roles (name TEXT PRIMARY KEY);
CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT, email TEXT UNIQUE, password TEXT, role TEXT, status TEXT, session TEXT, expires REAL);
CREATE TABLE site_settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE room_limits (role TEXT PRIMARY KEY, value TEXT);
CREATE TABLE rooms (friendly_id TEXT PRIMARY KEY, meeting_id TEXT, name TEXT, user TEXT);
CREATE TABLE browsers (cookie TEXT PRIMARY KEY, token TEXT, session TEXT);
"""
SETTINGS = {"RegistrationMethod": "open", "DefaultRole": "User", "ShareRooms": "true", "AllowedDomains": "", "Terms": "", "PrivacyPolicy": ""}
ROLES = ("Administrator", "User", "Guest")


class Invalid(Exception):
    """Reasons for which Greenlight refuses a record."""


def path():
    return os.path.join(HOME, FILE)


def connect():
    if not os.path.exists(path()):
        raise sqlite3.OperationalError("there is no database")
    database = sqlite3.connect(path(), timeout=10, isolation_level=None)
    database.row_factory = sqlite3.Row
    return database


def has_password(password):
    """True for the password of the database; one of before this file has any."""
    try:
        with open(os.path.join(HOME, PASSWORD_FILE), encoding="utf-8") as file:
            return file.read() == password
    except FileNotFoundError:
        return True


def migrate(password=""):
    """Makes the tables and their first rows, as each start of Greenlight does."""
    if os.path.exists(path()):
        return
    os.makedirs(os.path.dirname(path()), exist_ok=True)
    with open(os.path.join(HOME, PASSWORD_FILE), "w", encoding="utf-8") as file:
        file.write(password)
    # A start that was cut off has left its own.
    if os.path.exists(path() + ".new"):
        os.remove(path() + ".new")
    database = sqlite3.connect(path() + ".new", isolation_level=None)
    database.executescript(TABLES)
    database.executemany("INSERT INTO roles VALUES (?)", [(name,) for name in ROLES])
    database.executemany("INSERT INTO site_settings VALUES (?, ?)", SETTINGS.items())
    database.executemany("INSERT INTO room_limits VALUES (?, '100')", [(name,) for name in ROLES])
    database.close()
    os.rename(path() + ".new", path())


def digest(password, salt=None):
    salt = salt or secrets.token_hex(16)
    return f"{salt}:{hashlib.pbkdf2_hmac('sha256', password.encode(), salt.encode(), 10_000).hex()}"


def is_password(user, password):
    salt = user["password"].partition(":")[0]
    return hmac.compare_digest(user["password"], digest(password, salt))


def create_user(database, name, email, password, role, status="active"):
    """Returns the new account. @raise Invalid"""
    reasons = []
    if not 1 <= len(name) <= 255:
        reasons.append("Name is invalid")
    if not EMAIL.fullmatch(email) or not 5 <= len(email) <= 255:
        reasons.append("Email is invalid")
    if database.execute("SELECT 1 FROM users WHERE lower(email) = lower(?)", (email,)).fetchone():
        reasons.append("Email has already been taken")
    if not PASSWORD.fullmatch(password) or len(password) > 255:
        reasons.append("Password is invalid")
    if reasons:
        raise Invalid(reasons)
    row = (secrets.token_hex(16), name, email, digest(password), role, status)
    database.execute("INSERT INTO users (id, name, email, password, role, status) VALUES (?, ?, ?, ?, ?, ?)", row)
    return database.execute("SELECT * FROM users WHERE email = ?", (email,)).fetchone()


def renew_session(database, user):
    """Gives an account a new session, which ends its former one."""
    session = secrets.token_hex(32)
    database.execute("UPDATE users SET session = ?, expires = ? WHERE id = ?", (session, time.time() + LIFE, user["id"]))
    return session


def setting(database, name):
    return database.execute("SELECT value FROM site_settings WHERE name = ?", (name,)).fetchone()["value"]


def create_room(database, name, user):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    friendly = "-".join("".join(secrets.choice(letters) for _ in range(3)) for _ in range(4))
    meeting = "".join(secrets.choice(letters) for _ in range(40))
    database.execute("INSERT INTO rooms VALUES (?, ?, ?, ?)", (friendly, meeting, name, user))
    return friendly
