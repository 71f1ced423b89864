// Renders /openapi.json and lets the reader try a call. No framework, nothing fetched from elsewhere.
"use strict";
const el = (tag, attrs, ...kids) => {
  const node = Object.assign(document.createElement(tag), attrs);
  node.append(...kids);
  return node;
};
const deref = (doc, s) => (s && s.$ref ? doc.definitions[s.$ref.split("/").pop()] : s);

function fields(doc, schema) {
  const s = deref(doc, schema);
  if (!s || !s.properties) return "";
  const rows = Object.entries(s.properties).map(([name, p]) => {
    const type = p.$ref ? p.$ref.split("/").pop().replace(/^v1/, "") : p.type === "array" ? "list" : p.format || p.type || "";
    return el("tr", {}, el("td", {}, el("code", { textContent: name })), el("td", { textContent: type }),
      el("td", { textContent: p.description || p.title || "" }));
  });
  return el("table", {}, ...rows);
}

function operation(doc, path, verb, op) {
  const params = (op.parameters || []).filter((p) => p.in !== "body");
  const body = (op.parameters || []).find((p) => p.in === "body");
  const inputs = {};
  const form = params.map((p) => {
    inputs[p.name] = el("input", { placeholder: p.type || "", ariaLabel: p.name });
    return el("tr", {}, el("td", {}, el("code", { textContent: p.name })), el("td", {}, inputs[p.name]),
      el("td", { textContent: p.description || "" }));
  });
  const text = body ? el("textarea", { rows: 5, value: "{}", ariaLabel: "body" }) : null;
  const out = el("pre", { textContent: "" });
  const button = el("button", { textContent: "Call" });
  button.onclick = async () => {
    let url = path;
    const query = new URLSearchParams();
    for (const p of params) {
      const v = inputs[p.name].value;
      if (p.in === "path") url = url.replace(`{${p.name}}`, v.split("/").map(encodeURIComponent).join("/")); // names have slashes
      else if (v !== "") query.set(p.name, v);
    }
    if ([...query].length) url += "?" + query;
    const headers = { Authorization: "Bearer " + document.getElementById("token").value };
    out.textContent = "…";
    try {
      const r = await fetch(url, { method: verb.toUpperCase(), headers, body: text ? text.value : undefined });
      const reader = r.body.getReader();
      const decode = new TextDecoder();
      out.textContent = r.status + "\n";
      for (let chunk; !(chunk = await reader.read()).done;) out.textContent += decode.decode(chunk.value, { stream: true });
    } catch (e) { out.textContent = String(e); }
  };
  return el("details", { id: verb + path },
    el("summary", {}, el("span", { className: "verb " + verb, textContent: verb.toUpperCase() }), " ", el("code", { textContent: path }),
      " " + (op.summary || "")),
    form.length ? el("table", {}, ...form) : "", text || "", body ? fields(doc, body.schema) : "", button, out);
}

const api = document.getElementById("api");

// A link such as /docs#get/v1/runs opens that call.
function openLinked() {
  const linked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!linked) return;
  linked.open = true;
  linked.scrollIntoView();
}

fetch("/openapi.json").then((r) => r.json()).then((doc) => {
  const groups = {};
  for (const [path, verbs] of Object.entries(doc.paths))
    for (const [verb, op] of Object.entries(verbs)) (groups[op.tags[0]] ||= []).push(operation(doc, path, verb, op));
  api.textContent = "";
  for (const [name, ops] of Object.entries(groups).sort()) api.append(el("h2", { textContent: name }), ...ops);
  openLinked();
}).catch((e) => { api.textContent = "The reference could not be read: " + e; });
addEventListener("hashchange", openLinked);
