"use strict";
// Everything that comes from the document or from a response becomes text nodes, never markup.

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const credentials = {};
let api;

const byId = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "text") made.textContent = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

function prose(text) {
  return (text || "").split(/\n\s*\n/).filter(Boolean).map((paragraph) => element("p", { text: paragraph }));
}

function resolved(node) {
  for (let steps = 0; node && node.$ref && steps < 20; steps += 1) {
    const found = node.$ref.slice(2).split("/").reduce(
      (place, step) => (place || {})[decodeURIComponent(step).replace(/~1/g, "/").replace(/~0/g, "~")], api);
    const { $ref, ...rest } = node;
    node = { ...found, ...rest };
  }
  return node || {};
}

// --- Schemas -------------------------------------------------------------------------------------------------------

const nameOf = (schema) => (schema.$ref ? schema.$ref.split("/").pop() : "");

function typeOf(schema) {
  if (schema.$ref) return nameOf(schema);
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.map(typeOf).join(" | ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" & ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.type === "array") return `list of ${typeOf(schema.items || {})}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type || "anything";
  return schema.format ? `${type} (${schema.format})` : type;
}

function limitsOf(schema) {
  const said = [];
  const say = (key, word) => { if (schema[key] !== undefined) said.push(`${word} ${schema[key]}`); };
  say("minimum", "at least");
  say("exclusiveMinimum", "greater than");
  say("maximum", "at most");
  say("exclusiveMaximum", "less than");
  say("multipleOf", "a multiple of");
  say("minLength", "length at least");
  say("maxLength", "length at most");
  say("minItems", "items at least");
  say("maxItems", "items at most");
  say("pattern", "matches");
  if (schema.default !== undefined) said.push(`default ${JSON.stringify(schema.default)}`);
  if (schema.additionalProperties === false) said.push("no other fields");
  return said.join(", ");
}

function fieldsOf(schema, depth = 0) {
  const whole = resolved(schema);
  const inner = whole.type === "array" ? whole.items || {} : whole;
  const shown = resolved(inner);
  const properties = Object.entries(shown.properties || {});
  if (!properties.length || depth > 4) return [];
  const required = new Set(shown.required || []);
  return [element("ul", { class: "fields" }, properties.map(([name, property]) =>
    element("li", {},
      element("code", { text: name }), " ",
      element("span", { class: "mark", text: typeOf(property) }),
      required.has(name) ? element("span", { class: "mark required", text: " required" }) : "",
      limitsOf(resolved(property)) ? element("span", { class: "mark", text: ` ${limitsOf(resolved(property))}` }) : "",
      resolved(property).description ? element("div", { text: resolved(property).description }) : "",
      fieldsOf(property, depth + 1))))];
}

function schemaView(schema) {
  return element("div", {}, element("p", {}, element("code", { text: typeOf(schema) }), " ",
    element("span", { class: "mark", text: limitsOf(resolved(schema)) })), fieldsOf(schema));
}

function sampleOf(schema, depth = 0) {
  const whole = resolved(schema);
  if (whole.examples && whole.examples.length) return whole.examples[0];
  if (whole.default !== undefined) return whole.default;
  if (whole.const !== undefined) return whole.const;
  if (whole.enum) return whole.enum[0];
  const choices = whole.anyOf || whole.oneOf;
  if (choices) return sampleOf(choices.find((one) => resolved(one).type !== "null") || {}, depth);
  if (whole.allOf) return Object.assign({}, ...whole.allOf.map((one) => sampleOf(one, depth + 1)));
  if (depth > 5) return null;
  switch (Array.isArray(whole.type) ? whole.type[0] : whole.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(whole.properties || {}).map(([name, one]) => [name, sampleOf(one, depth + 1)]));
    case "array": return whole.minItems ? [sampleOf(whole.items || {}, depth + 1)] : [];
    case "integer": case "number": return whole.minimum ?? 0;
    case "boolean": return false;
    case "string": return sampleText(whole.format);
    default: return null;
  }
}

function sampleText(format) {
  switch (format) {
    case "date-time": return new Date().toISOString();
    case "date": return new Date().toISOString().slice(0, 10);
    case "uuid": return "00000000-0000-4000-8000-000000000000";
    case "email": return "ada@example.com";
    default: return "";
  }
}

// --- Operations ----------------------------------------------------------------------------------------------------

function operationsOf() {
  const found = [];
  for (const [path, item] of Object.entries(api.paths || {})) {
    for (const method of METHODS) {
      if (item[method]) found.push({ path, method, ...item[method], parameters: [...(item.parameters || []), ...(item[method].parameters || [])].map(resolved) });
    }
  }
  return found.map((one, number) => ({ ...one, id: `operation-${one.operationId || number}` }));
}

function grouped(operations) {
  const groups = new Map((api.tags || []).map((tag) => [tag.name, { ...tag, operations: [] }]));
  for (const one of operations) {
    for (const name of one.tags && one.tags.length ? one.tags : ["Other"]) {
      if (!groups.has(name)) groups.set(name, { name, operations: [] });
      groups.get(name).operations.push(one);
    }
  }
  return [...groups.values()].filter((group) => group.operations.length);
}

function badge(method) {
  return element("span", { class: `verb ${method}`, text: method.toUpperCase() });
}

function operationView(one, id) {
  const body = element("div", {});
  const details = element("details", { class: `operation${one.deprecated ? " deprecated" : ""}`, id },
    element("summary", {}, badge(one.method), element("span", { class: "path", text: one.path }),
      element("span", { text: one.summary || "" }),
      one.deprecated ? element("strong", { class: "bad", text: "deprecated" }) : ""), body);
  details.addEventListener("toggle", () => {
    if (details.open && !body.hasChildNodes()) body.append(...operationBody(one, id));
  });
  return details;
}

function operationBody(one, id) {
  const request = resolved(one.requestBody);
  const media = Object.entries(request.content || {});
  return [
    ...prose(one.description),
    one.security && one.security.length ? element("p", { class: "mark", text: `Needs ${securityText(one.security)}` }) : "",
    ...parameterTable(one.parameters),
    ...(media.length ? [element("h3", { text: `Body${request.required ? "" : " (optional)"}` }), ...prose(request.description)] : []),
    ...media.map(([type, said]) => element("div", {}, element("p", { class: "mark", text: type }), schemaView(said.schema || {}))),
    element("h3", { text: "Responses" }), responseTable(one.responses || {}), tryForm(one, id, media),
  ].filter((child) => child !== "");
}

function securityText(security) {
  return security.map((way) => Object.entries(way).map(([name, scopes]) => (scopes.length ? `${name} with ${scopes.join(", ")}` : name)).join(" and ")).join(", or ");
}

function tableOf(headings, rows) {
  return element("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": headings.join(", ") },
    element("table", {},
      element("thead", {}, element("tr", {}, headings.map((text) => element("th", { scope: "col", text })))),
      element("tbody", {}, rows)));
}

function parameterTable(parameters) {
  if (!parameters.length) return [];
  return [element("h3", { text: "Parameters" }), tableOf(["Name", "In", "Type", "Description"], parameters.map((one) =>
    element("tr", {},
      element("td", {}, element("code", { text: one.name }),
        one.required ? element("span", { class: "mark required", text: " required" }) : "",
        one.deprecated ? element("span", { class: "mark", text: " deprecated" }) : ""),
      element("td", { text: one.in }),
      element("td", {}, element("code", { text: typeOf(one.schema || {}) }), " ", element("span", { class: "mark", text: limitsOf(resolved(one.schema)) })),
      element("td", { text: one.description || "" }))))];
}

function responseTable(responses) {
  return tableOf(["Status", "Description", "Content"], Object.entries(responses).map(([status, raw]) => {
    const said = resolved(raw);
    return element("tr", {}, element("td", {}, element("code", { text: status })), element("td", { text: said.description || "" }),
      element("td", {}, Object.entries(said.content || {}).map(([type, media]) =>
        element("div", {}, element("span", { class: "mark", text: type }), media.schema ? schemaView(media.schema) : ""))));
  }));
}

// --- Trying it out -------------------------------------------------------------------------------------------------

function tryForm(one, id, media) {
  const inputs = one.parameters.filter((parameter) => parameter.in !== "cookie").map((parameter, number) => argumentField(parameter, `${id}-argument-${number}`));
  const kind = media.length ? media[0][0] : "";
  const body = media.length ? bodyField(media[0], `${id}-body`) : null;
  const answer = element("div", { "aria-live": "polite", id: `${id}-answer` });
  const send = async (event) => {
    event.preventDefault();
    answer.replaceChildren(element("p", { text: "Sending …" }));
    answer.replaceChildren(...await sent(requestOf(one, inputs, kind, body)));
  };
  return element("form", { onsubmit: send, novalidate: true, "aria-label": `Try ${one.method.toUpperCase()} ${one.path}` },
    element("h3", { text: "Try it" }), serverField(`${id}-server`), inputs.map((field) => field.view), body ? body.view : "",
    element("button", { type: "submit", text: "Send" }), answer);
}

function serverField(id) {
  const servers = (api.servers || []).map((one) => one.url);
  if (servers.length < 2) return "";
  return element("div", { class: "field" }, element("label", { for: id, text: "Server" }),
    element("select", { id, class: "server" }, servers.map((url) => element("option", { value: url, text: url }))));
}

function argumentField(parameter, id) {
  const schema = resolved(parameter.schema);
  const many = schema.type === "array";
  const example = Object.values(parameter.examples || {})[0];
  const choices = schema.enum || (schema.type === "boolean" ? [true, false] : null);
  const given = example ? example.value : parameter.required && !many ? sampleOf(schema) : undefined;
  const input = choices
    ? element("select", { id }, parameter.required ? "" : element("option", { value: "", text: "(not sent)" }), choices.map((value) => element("option", { value: String(value), text: String(value) })))
    : many ? element("textarea", { id, rows: 2, spellcheck: "false" }) : element("input", { id, type: "text", autocomplete: "off", spellcheck: "false" });
  if (given !== undefined && given !== null) input.value = many ? [].concat(given).join("\n") : String(given);
  const label = `${parameter.name} (${parameter.in}${parameter.required ? ", required" : ""}${many ? ", one per line" : ""})`;
  const values = () => (many ? input.value.split("\n") : [input.value]).filter((value) => value !== "" || (parameter.required && !many));
  return { parameter, values, view: element("div", { class: "field" }, element("label", { for: id, text: label }), input) };
}

function bodyField([kind, said], id) {
  const example = Object.values(said.examples || {})[0];
  const sample = example ? example.value : sampleOf(said.schema || {});
  const isForm = kind !== "application/json";
  const text = isForm ? Object.entries(sample || {}).map(([name, value]) => `${name}=${value ?? ""}`).join("\n") : JSON.stringify(sample, null, 2);
  const input = element("textarea", { id, spellcheck: "false", rows: Math.min(20, text.split("\n").length + 1) });
  input.value = text;
  const label = isForm ? `Body (${kind}, name=value per line)` : `Body (${kind})`;
  return { input, view: element("div", { class: "field" }, element("label", { for: id, text: label }), input) };
}

function requestOf(one, inputs, kind, body) {
  const headers = new Headers({ Accept: "application/json, application/problem+json;q=0.9, */*;q=0.5" });
  const query = new URLSearchParams();
  let path = one.path;
  for (const { parameter, values } of inputs) {
    for (const value of values()) {
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
      else if (parameter.in === "query") query.append(parameter.name, value);
      else headers.append(parameter.name, value);
    }
  }
  authorize(one, headers, query);
  const options = { method: one.method.toUpperCase(), headers, credentials: "same-origin" };
  if (body && body.input.value.trim() !== "") {
    headers.set("Content-Type", kind === "multipart/form-data" ? "application/x-www-form-urlencoded" : kind);
    options.body = kind === "application/json" ? body.input.value : formText(body.input.value);
  }
  const token = /(?:^|; )_xsrf=([^;]+)/.exec(document.cookie);
  if (token && !["GET", "HEAD", "OPTIONS"].includes(options.method)) headers.set("X-XSRFToken", token[1]);
  const text = query.toString();
  return { url: new URL(serverOf(one).replace(/\/$/, "") + path + (text ? `?${text}` : ""), location.href), options };
}

const formText = (text) => new URLSearchParams(text.split("\n").filter(Boolean).map((line) => {
  const [name, ...rest] = line.split("=");
  return [name, rest.join("=")];
})).toString();

function serverOf(one) {
  const chosen = document.querySelector(`#${CSS.escape(one.id)} select.server`);
  return chosen ? chosen.value : (api.servers && api.servers.length ? api.servers[0].url : "");
}

async function sent({ url, options }) {
  try {
    const started = performance.now();
    const response = await fetch(url, options);
    const text = await response.text();
    const took = Math.round(performance.now() - started);
    const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    return [
      element("h4", { text: "Answer" }), element("p", {}, element("code", { text: `${options.method} ${url.pathname}${url.search}` })),
      element("p", { class: response.ok ? "good" : "bad", text: `${response.status} ${response.statusText}, ${took} ms` }),
      element("pre", { tabindex: "0", "aria-label": "Headers of the answer", text: headers }),
      text ? element("pre", { tabindex: "0", class: "body", "aria-label": "Body of the answer", text: pretty(text) }) : element("p", { text: "No content." }),
    ];
  } catch (error) {
    return [element("p", { class: "bad", text: `The request did not arrive: ${error.message}` })];
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// --- Credentials ---------------------------------------------------------------------------------------------------

function schemeFields(name, scheme) {
  const field = (key, label, type) => {
    const id = `scheme-${name}-${key}`;
    const remember = (event) => { credentials[name] = { ...credentials[name], [key]: event.target.value }; };
    return element("div", { class: "field" }, element("label", { for: id, text: `${name}: ${label}` }), element("input", { id, type, autocomplete: "off", oninput: remember }));
  };
  if (scheme.type === "http" && scheme.scheme.toLowerCase() === "basic") return [field("user", "user", "text"), field("password", "password", "password")];
  if (scheme.type === "http") return [field("token", "token", "password")];
  if (scheme.type === "apiKey" && scheme.in !== "cookie") return [field("token", `${scheme.name} (${scheme.in})`, "password")];
  if (scheme.type === "apiKey") return [element("p", { text: `${name}: the cookie ${scheme.name}, which the browser sends by itself once you are logged in.` })];
  return [element("p", { text: `${name}: ${scheme.description || scheme.type}` })];
}

function authorize(one, headers, query) {
  const schemes = (api.components || {}).securitySchemes || {};
  for (const way of one.security || []) {
    for (const name of Object.keys(way)) {
      const scheme = resolved(schemes[name]);
      const given = credentials[name] || {};
      if (scheme.type === "http" && scheme.scheme.toLowerCase() === "basic" && given.user) headers.set("Authorization", `Basic ${base64(`${given.user}:${given.password || ""}`)}`);
      else if (scheme.type === "http" && given.token) headers.set("Authorization", `Bearer ${given.token}`);
      else if (scheme.type === "apiKey" && scheme.in === "header" && given.token) headers.set(scheme.name, given.token);
      else if (scheme.type === "apiKey" && scheme.in === "query" && given.token) query.set(scheme.name, given.token);
    }
  }
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// --- The page ------------------------------------------------------------------------------------------------------

function show() {
  const info = api.info || {};
  document.title = byId("title").textContent = info.title || "API";
  byId("version").textContent = info.version ? `Version ${info.version}` : "";
  byId("description").append(...prose(info.description));
  const schemes = Object.entries((api.components || {}).securitySchemes || {});
  byId("schemes").append(...schemes.flatMap(([name, scheme]) => schemeFields(name, resolved(scheme))));
  byId("access").hidden = !schemes.length;
  const shown = new Set();
  for (const [number, group] of grouped(operationsOf()).entries()) showGroup(group, `tag-${number}`, shown);
  const schemas = Object.keys((api.components || {}).schemas || {});
  byId("schemas").append(...schemas.map((name) => element("details", { class: "operation" },
    element("summary", {}, element("span", { class: "path", text: name })),
    element("div", {}, schemaView({ $ref: `#/components/schemas/${name}` })))));
  byId("models").hidden = !schemas.length;
  byId("state").textContent = shown.size ? "" : "This application has no typed operations.";
  byId("filter").addEventListener("input", narrow);
  window.addEventListener("hashchange", openTarget);
  openTarget();
}

function showGroup(group, id, shown) {
  const views = group.operations.map((one) => {
    const own = shown.has(one.id) ? `${one.id}-${id}` : one.id;
    shown.add(own);
    return { one: { ...one, id: own }, own };
  });
  byId("tags").append(element("section", { class: "tag", "aria-labelledby": id },
    element("h2", { id, text: group.name }), prose(group.description), views.map(({ one, own }) => operationView(one, own))));
  byId("contents").append(element("div", { class: "tag" }, element("h2", { text: group.name }),
    element("ul", {}, views.map(({ one, own }) => element("li", { "data-for": own },
      element("a", { href: `#${own}`, text: one.summary || `${one.method.toUpperCase()} ${one.path}` }))))));
}

function narrow() {
  const wanted = byId("filter").value.trim().toLowerCase();
  let count = 0;
  for (const item of document.querySelectorAll("#contents li")) {
    const operation = byId(item.dataset.for);
    const fits = !wanted || `${item.textContent} ${operation.querySelector("summary").textContent}`.toLowerCase().includes(wanted);
    item.hidden = operation.hidden = !fits;
    count += fits ? 1 : 0;
  }
  for (const group of document.querySelectorAll(".tag")) group.hidden = !group.querySelector("li:not([hidden]), details.operation:not([hidden])");
  byId("found").textContent = wanted ? `${count} found` : "";
}

function openTarget() {
  const target = location.hash.length > 1 ? byId(decodeURIComponent(location.hash.slice(1))) : null;
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.querySelector("summary").focus();
  }
}

async function load() {
  try {
    const response = await fetch(document.body.dataset.document, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    api = await response.json();
    show();
  } catch (error) {
    byId("state").textContent = `The OpenAPI document could not be shown: ${error.message}`;
  }
}

load();
