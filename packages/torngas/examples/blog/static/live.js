// Comments of the open post: shown as they come, sent by the form. A lost connection is made anew.
const path = document.currentScript.dataset.path;
const list = document.getElementById("comments");
const form = document.getElementById("comment-form");
let socket;

function connect() {
  allowSending(false);
  socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}${path}`);
  socket.addEventListener("open", () => allowSending(true));
  socket.addEventListener("message", (event) => show(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    allowSending(false);
    setTimeout(connect, 2000);
  });
}

function allowSending(allowed) {
  if (form) form.elements.send.disabled = !allowed;
}

function show({ author, text }) {
  const item = document.createElement("li");
  const name = document.createElement("b");
  const said = document.createElement("span");
  name.textContent = author;
  said.textContent = text;
  item.append(name, " ", said);
  list.append(item);
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(form.elements.text.value);
  form.reset();
});

connect();
