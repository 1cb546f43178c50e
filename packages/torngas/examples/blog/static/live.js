// Comments of the open post: shown as they come, sent by the form.
const script = document.currentScript;
const list = document.getElementById("comments");
const form = document.getElementById("comment-form");
const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}${script.dataset.path}`);

socket.addEventListener("message", (event) => {
  const { author, text } = JSON.parse(event.data);
  const item = document.createElement("li");
  const name = document.createElement("b");
  const said = document.createElement("span");
  name.textContent = author;
  said.textContent = text;
  item.append(name, " ", said);
  list.append(item);
});

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(form.text.value);
  form.reset();
});
