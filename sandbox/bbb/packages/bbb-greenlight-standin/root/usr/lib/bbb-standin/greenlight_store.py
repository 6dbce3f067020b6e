"""Data of the Greenlight stand-in: accounts, roles, site settings and rooms, in its PostgreSQL.

The tables are fewer and smaller than Greenlight's.
"""

import hashlib
import hmac
import os
import re
import secrets
import sys
import time
import urllib.parse

sys.path.append(os.environ.get("BBB_STANDIN_POSTGRES", "/var/lib/bbb-greenlight-standin/images/postgres") + "/usr/lib/python3/dist-packages")
import psycopg2
import psycopg2.extras

# What the container was made of: .env as it was then.
ENVIRONMENT = os.environ.get("BBB_STANDIN_GREENLIGHT", "/var/lib/bbb-greenlight-standin/greenlight-v3.env")
# The containers' names, as their network knows them.
ADDRESSES = {"postgres": "127.18.0.2"}
EMAIL = re.compile(r"[\w\-.+]+@[\w\-.]+\.[a-z]+", re.IGNORECASE)
PASSWORD = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[`@%~!#£$\\^&*()\]\[+={}/|:;\"'<>\-,.?_ ]).{8,}")
LIFE = 86400
TABLES = """
CREATE TABLE roles (name text PRIMARY KEY);
INSERT INTO roles VALUES ('Administrator'), ('User'), ('Guest');
CREATE TABLE users (id text PRIMARY KEY, name text, email text UNIQUE, password text, role text, status text, session text, expires float);
CREATE TABLE site_settings (name text PRIMARY KEY, value text);
INSERT INTO site_settings VALUES ('RegistrationMethod', 'open'), ('DefaultRole', 'User'), ('ShareRooms', 'true'), ('AllowedDomains', ''),
  ('Terms', ''), ('PrivacyPolicy', '');
CREATE TABLE room_limits (role text PRIMARY KEY, value text);
INSERT INTO room_limits SELECT name, '100' FROM roles;
CREATE TABLE rooms (friendly_id text PRIMARY KEY, meeting_id text, name text, user_id text);
CREATE TABLE recordings (id text PRIMARY KEY, room_id text);
CREATE TABLE browsers (cookie text PRIMARY KEY, token text, session text);
"""


class Invalid(Exception):
    """Reasons for which Greenlight refuses a record."""


# Unreachable, unknown, refused: whatever keeps from the data.
Unavailable = psycopg2.Error


def read_settings():
    with open(ENVIRONMENT, encoding="utf-8") as lines:
        pairs = (line.strip().split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return {key: value[1:-1] if value[:1] == value[-1:] and value[:1] in ("'", '"') else value for key, value in pairs}


class Database:
    """Connection to the database of DATABASE_URL, closed with the `with` of it. Each statement is a transaction. @raise Unavailable"""

    def __init__(self, settings, name=None):
        url = settings.get("DATABASE_URL")
        if not url:
            raise psycopg2.OperationalError("no DATABASE_URL")
        place = {"hostaddr": ADDRESSES.get(urllib.parse.urlsplit(url).hostname), "dbname": name}
        self.connection = psycopg2.connect(
            url, connect_timeout=5, cursor_factory=psycopg2.extras.DictCursor, **{key: value for key, value in place.items() if value}
        )
        self.connection.autocommit = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def execute(self, query, parameters=()):
        cursor = self.connection.cursor()
        cursor.execute(query, parameters)
        return cursor


def migrate(settings):
    """Makes the database and its tables where they are missing, as each start of Greenlight does. @raise Unavailable"""
    name = urllib.parse.urlsplit(settings["DATABASE_URL"]).path.lstrip("/")
    with Database(settings, "postgres") as database:
        if not database.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            database.execute(f'CREATE DATABASE "{name}"')
    with Database(settings) as database:
        if not database.execute("SELECT to_regclass('users')").fetchone()[0]:
            database.execute(TABLES)


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
    if database.execute("SELECT 1 FROM users WHERE lower(email) = lower(%s)", (email,)).fetchone():
        reasons.append("Email has already been taken")
    if not PASSWORD.fullmatch(password) or len(password) > 255:
        reasons.append("Password is invalid")
    if reasons:
        raise Invalid(reasons)
    row = (secrets.token_hex(16), name, email, digest(password), role, status)
    made = database.execute("INSERT INTO users (id, name, email, password, role, status) VALUES (%s, %s, %s, %s, %s, %s) RETURNING *", row)
    return made.fetchone()


def renew_session(database, user):
    """Gives an account a new session, which ends its former one."""
    session = secrets.token_hex(32)
    database.execute("UPDATE users SET session = %s, expires = %s WHERE id = %s", (session, time.time() + LIFE, user["id"]))
    return session


def setting(database, name):
    return database.execute("SELECT value FROM site_settings WHERE name = %s", (name,)).fetchone()["value"]


def create_room(database, name, user):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    friendly = "-".join("".join(secrets.choice(letters) for _ in range(3)) for _ in range(4))
    meeting = "".join(secrets.choice(letters) for _ in range(40))
    database.execute("INSERT INTO rooms VALUES (%s, %s, %s, %s)", (friendly, meeting, name, user))
    return friendly
