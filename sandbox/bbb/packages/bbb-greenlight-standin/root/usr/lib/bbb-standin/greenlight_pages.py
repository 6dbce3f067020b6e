"""Pages of the Greenlight stand-in, for browsers: a form to sign in, and the rooms of whoever has, to make and to start."""

import html

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>BigBlueButton</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="csrf-param" content="authenticity_token"><meta name="csrf-token" content="{token}">
<style>body {{ margin: 0; font: 16px/1.5 sans-serif; color: #1c2733; background: #f3f6f9 }}
body > * {{ max-width: 36rem; margin: 1.5rem auto; padding: 0 1rem }} main {{ padding: 1rem 2rem; background: #fff; border-radius: .5rem }}
h1 {{ font-size: 1.5rem }} label {{ display: block; margin: .8rem 0 }} ul {{ padding: 0 }}
input {{ display: block; width: 100%; padding: .5rem; box-sizing: border-box; font: inherit }} button {{ padding: .4rem 1rem; font: inherit }}
li {{ display: flex; justify-content: space-between; align-items: center; padding: .5rem 0; border-bottom: 1px solid #dde4ea }}
#problem {{ color: #b00 }}</style></head>
<body><p>This is a stand-in for Greenlight.</p><main>{content}</main>
<script>
const call = async (method, path, body) => {{
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const headers = {{ Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": token }};
  const answer = await fetch("/api/v1/" + path, {{ method, headers, body: body && JSON.stringify(body) }});
  if (!answer.ok) throw new Error("HTTP status " + answer.status);
  return (await answer.json()).data;
}};
const on = (id, event, work) => document.getElementById(id)?.addEventListener(event, (happened) => {{
  happened.preventDefault();
  work().catch((error) => {{ document.getElementById("problem").textContent = error.message; }});
}});
on("signin", "submit", async () => {{
  const [email, password] = ["email", "password"].map((id) => document.getElementById(id).value);
  const session = {{ email, password, extend_session: false }};
  await call("POST", "sessions.json", {{ session }}).catch((error) => {{ throw new Error("Not signed in: " + error.message); }});
  location.href = "/rooms";
}});
on("newroom", "submit", async () => {{
  const room = await call("POST", "rooms.json", {{ room: {{ name: document.getElementById("name").value }} }});
  location.href = room;
}});
document.querySelectorAll("button[data-start]").forEach((button) => on(button.id, "click", async () => {{
  location.href = await call("POST", "meetings/" + button.dataset.start + "/start.json");
}}));
on("signout", "click", async () => {{ await call("DELETE", "sessions/signout.json"); location.href = "/"; }});
</script></body></html>
"""
SIGN_IN = """<h1>Sign in</h1><form id="signin"><label>Email <input id="email" type="email" required></label>
<label>Password <input id="password" type="password" required></label><button type="submit">Sign in</button></form>
<p id="problem" role="alert"></p><p>{registration}</p>"""
EXTERNAL = '<h1>Sign in</h1><form method="post" action="/auth/openid_connect"><button type="submit">Sign in at {issuer}</button></form>'
ROOMS = """<h1>Rooms</h1><p id="account">{name} ({role})</p><ul id="rooms">{rooms}</ul>
<form id="newroom"><label>Name of a new room <input id="name" required></label><button type="submit">New room</button></form>
<p id="problem" role="alert"></p><button id="signout">Sign out</button>"""
ROOM = '<li>{name} <button id="start-{id}" data-start="{id}">Start meeting</button></li>'
REGISTRATION = {"open": "Everybody can register.", "invite": "Only who is invited can register.", "approval": "Who registers waits for approval."}


def page(token, content):
    return PAGE.format(token=token, content=content).encode()


def signed_out(token, registration, issuer):
    if issuer:
        return page(token, EXTERNAL.format(issuer=html.escape(issuer)))
    return page(token, SIGN_IN.format(registration=REGISTRATION.get(registration, "")))


def signed_in(token, user, rooms):
    listed = "".join(ROOM.format(name=html.escape(room["name"]), id=room["friendly_id"]) for room in rooms)
    return page(token, ROOMS.format(name=html.escape(user["name"]), role=html.escape(user["role"]), rooms=listed))
