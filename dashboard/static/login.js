// Asks for the password, then goes where one wanted to go. Needs nothing of the other modules: strangers do not get them.

const form = document.getElementById("login");
const password = document.getElementById("password");
const problem = document.getElementById("problem");
const button = form.querySelector("button");

// Only a path of this very server: ?next=https://elsewhere.example leads to the first page.
function wanted() {
  const next = URL.parse?.(new URLSearchParams(location.search).get("next") ?? "/", location.href);
  const isOurs = next?.origin === location.origin && next.pathname !== location.pathname;
  return isOurs ? next.pathname + next.search + next.hash : "/";
}

async function ask(method, body) {
  const headers = { "X-Rekstream": "1", "Content-Type": "application/json" };
  const answer = await fetch("/api/session", { method, headers, body: body && JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error.message);
  return content;
}

async function skipIfPossible() {
  const session = await ask("GET").catch(() => null);
  if (session && (session.signed_in || !session.needed)) location.replace(wanted());
}

async function signIn(event) {
  event.preventDefault();
  button.disabled = true;
  problem.textContent = "";
  try {
    await ask("POST", { password: password.value });
    location.replace(wanted());
  } catch (error) {
    problem.textContent = error instanceof TypeError ? "rekstream does not answer: is it running, and is the network there?" : error.message;
    button.disabled = false;
    password.select();
  }
}

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
form.addEventListener("submit", signIn);
skipIfPossible();
