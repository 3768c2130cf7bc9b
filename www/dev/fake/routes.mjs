// The stand-in's routes, in the order of the contract.
// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { announce, createSession, run } from "./agent.mjs";
import { etag } from "./scripts.mjs";
import { now, providers } from "./world.mjs";

class Refusal extends Error {
  constructor(status, code, message, details) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}
const U = "/api/users/:user";
const P = `${U}/projects/:project`;
const S = `${P}/sessions/:session`;

const project = (world, user, id) => {
  const p = world.projects.get(id);
  if (!p || p.user_id !== user) throw new Refusal(404, "not_found", "There is no such project.");
  return p;
};
const session = (world, id) => {
  const s = world.sessions.get(id);
  if (!s) throw new Refusal(404, "not_found", "There is no such session.");
  return s;
};
const list = (items, query) => {
  const limit = Number(query.get("limit") ?? 50);
  const from = Number(query.get("after") ?? 0);
  const page = items.slice(from, from + limit);
  return { body: { items: page, next: from + limit < items.length ? String(from + limit) : null } };
};
/** Pages of things with a `seq`: newest or oldest first, before or after one. */
const bySeq = (items, query) => {
  const limit = Number(query.get("limit") ?? 50);
  const before = Number(query.get("before") ?? Number.POSITIVE_INFINITY);
  const after = Number(query.get("after") ?? 0);
  let fit = items.filter((x) => x.seq < before && x.seq > after);
  const more = fit.length > limit;
  fit = query.get("order") === "desc" ? fit.slice(-limit).reverse() : fit.slice(0, limit);
  return { items: fit, next: more ? String(fit.at(-1).seq) : null };
};
const checkName = (world, user, name, self) => {
  const bad = (rule, message) =>
    new Refusal(400, "invalid", "The project cannot be saved.", [{ field: "name", rule, message }]);
  if (typeof name !== "string" || !name.trim()) throw bad("required", "A project needs a name.");
  if (name.trim().length > 64) throw bad("length", "A name has at most 64 characters.");
  for (const p of world.projects.values())
    if (p !== self && p.user_id === user && p.name.toLowerCase() === name.trim().toLowerCase())
      throw new Refusal(409, "conflict", `There is already a project named "${name.trim()}".`, [
        { field: "name", rule: "unique", message: `"${name.trim()}" is taken.` },
      ]);
};

export const routes = Object.entries({
  "GET /api/system": (w) => ({
    body: {
      version: "0.1.0",
      commit: "stand-in",
      generation: w.scripts.generation,
      node: "dev",
      started_at: w.startedAt,
      store: { kind: "memory", ok: true },
      providers: providers(),
      goose: { engine: "goose", version: "1.52.0", model: { name: "demo", demo: true } },
      limits: { body: 1048576, workers: 64, call_ms: 5000 },
      warnings: ["This is the stand-in for development, not a Gander host."],
    },
  }),
  "GET /api/users": (w, { query }) =>
    list(
      w.users.map((u) => {
        const mine = [...w.projects.values()].filter((p) => p.user_id === u.id);
        return {
          ...u,
          projects: { total: mine.length, active: mine.filter((p) => p.state === "active").length },
        };
      }),
      query,
    ),
  [`GET ${U}/sessions`]: (w, { query }, user) =>
    list(
      [...w.sessions.values()].filter((s) => w.projects.get(s.project_id)?.user_id === user),
      query,
    ),
  [`GET ${U}/projects`]: (w, { query }, user) =>
    list(
      [...w.projects.values()].filter((p) => p.user_id === user),
      query,
    ),
  [`POST ${U}/projects`]: (w, { body }, user) => {
    checkName(w, user, body.name);
    const p = w.create(user, body);
    return { status: 201, body: p, headers: { Location: `/api/users/${user}/projects/${p.id}` } };
  },
  [`GET ${P}`]: (w, _c, user, id) => ({ body: project(w, user, id) }),
  [`PATCH ${P}`]: (w, { body }, user, id) => {
    const p = project(w, user, id);
    if (body.name !== undefined) checkName(w, user, body.name, p);
    if (body.settings?.idle_minutes < 0)
      throw new Refusal(400, "invalid", "The settings cannot be saved.", [
        { field: "settings.idle_minutes", rule: "min", message: "idle_minutes is 0 or more; 0 means never." },
      ]);
    const { settings, ...rest } = body;
    Object.assign(p, rest);
    p.settings = { ...p.settings, ...settings };
    for (const [k, v] of Object.entries(p.settings)) if (v === null) delete p.settings[k];
    if (p.settings.env)
      p.settings.env = Object.fromEntries(
        Object.entries(p.settings.env)
          .filter(([, v]) => v !== null)
          .map(([k]) => [k, "***"]),
      );
    if (p.state === "active" && (settings || rest.source)) p.applies = Object.keys(settings ?? { source: 1 });
    p.revision++;
    w.publish(p);
    return { body: p };
  },
  [`DELETE ${P}`]: (w, { by }, user, id) => {
    const p = project(w, user, id);
    if (p.state === "inactive") {
      w.remove(p);
      return { status: 204 };
    }
    p.desired = "deleted";
    void w.deactivate(p, by);
    return { status: 202, body: p };
  },
  [`POST ${P}/activate`]: (w, { by }, user, id) => {
    const p = project(w, user, id);
    if (p.state === "active") return { body: p };
    void w.activate(p, by);
    return { status: 202, body: p };
  },
  [`POST ${P}/deactivate`]: (w, { by }, user, id) => {
    const p = project(w, user, id);
    if (p.state === "inactive") return { body: p };
    void w.deactivate(p, by);
    return { status: 202, body: p };
  },
  [`GET ${P}/activity`]: (w, { query }, user, id) => list(w.activity.get(project(w, user, id).id), query),
  [`GET ${P}/contents`]: (w, _c, user, id) => {
    const p = project(w, user, id);
    const mine = [...w.sessions.values()].filter((s) => s.project_id === id);
    return {
      body: {
        sessions: mine.length,
        messages: mine.reduce((n, s) => n + s.message_count, 0),
        log_lines: w.logs.get(id).length,
        file_bytes: p.active_at ? 12_582_912 : 0,
        running: p.state === "active",
      },
    };
  },
  [`GET ${P}/logs`]: (w, { query, headers }, user, id) => {
    project(w, user, id);
    const q = (query.get("q") ?? "").toLowerCase();
    const fit = w.logs
      .get(id)
      .filter(
        (l) =>
          l.text.toLowerCase().includes(q) &&
          ["source", "stream", "level"].every((k) => !query.get(k) || l[k] === query.get(k)),
      );
    if ((headers.accept ?? "").includes("text/plain"))
      return { raw: `${fit.map((l) => `${l.at} ${l.source} ${l.stream} ${l.text}`).join("\n")}\n` };
    return { body: bySeq(fit, query) };
  },
  [`POST ${P}/messages`]: (w, { body }, user, id) => {
    const p = project(w, user, id);
    if (p.state !== "active")
      throw new Refusal(
        409,
        "conflict",
        "The project is not active. Activate it, then send the message again.",
      );
    const s = body.session_id ? session(w, body.session_id) : createSession(w, p, {});
    if (s.status !== "idle")
      throw new Refusal(409, "conflict", "The agent is still answering.", [{ reason: "session_busy" }]);
    void run(w, p, s, body.message_id ?? randomUUID(), body.content);
    return { body: { session_id: s.id, run_id: s.run?.run_id, status: "running" } };
  },
  [`GET ${P}/sessions`]: (w, { query }, user, id) => {
    project(w, user, id);
    const mine = [...w.sessions.values()].filter((s) => s.project_id === id);
    return list(
      mine.sort((a, b) => b.updated_at.localeCompare(a.updated_at)),
      query,
    );
  },
  [`POST ${P}/sessions`]: (w, { body }, user, id) => ({
    status: 201,
    body: createSession(w, project(w, user, id), body),
  }),
  [`GET ${S}`]: (w, _c, _u, _p, id) => ({ body: session(w, id) }),
  [`PATCH ${S}`]: (w, { body }, user, pid, id) => {
    const s = Object.assign(session(w, id), body);
    announce(w, project(w, user, pid), s);
    return { body: s };
  },
  [`DELETE ${S}`]: (w, _c, user, pid, id) => {
    session(w, id);
    w.sessions.delete(id);
    const data = { id, project_id: pid };
    w.bus.publish([`user:${user}`], "session_deleted", data);
    return { status: 204 };
  },
  [`GET ${S}/messages`]: (w, { query }, _u, _p, id) => {
    session(w, id);
    return { body: bySeq(w.messages.get(id).list, query) };
  },
  [`POST ${S}/cancel`]: (w, _c, _u, _p, id) => {
    const state = w.runs.get(id);
    if (state) state.cancelled = true;
    state?.answer?.({ decision: "cancelled", by: "cancel" });
    return { status: 202, body: { cancelled: !!state } };
  },
  [`POST ${S}/permissions/:permission`]: (w, { body, by }, _u, _p, id, permission) => {
    const s = session(w, id);
    if (!s.pending_permissions.some((p) => p.permission_id === permission))
      throw new Refusal(409, "conflict", "This question is already answered.");
    w.runs.get(id).answer({ decision: body.decision, by });
    return { body: { decision: body.decision, at: now() } };
  },
  "GET /api/scripts": (w) => ({ body: w.scripts.list() }),
  "POST /api/scripts/check": (w, { body }) => ({ body: w.scripts.check(body.files) }),
  "GET /api/scripts/*": (w, { query }, path) => {
    if (query.has("history"))
      return { body: { items: (w.scripts.history.get(path) ?? []).map(({ text, ...v }) => v), next: null } };
    const of = Number(query.get("generation"));
    const text = of
      ? w.scripts.history.get(path)?.find((v) => v.generation === of)?.text
      : w.scripts.texts.get(path);
    if (text === undefined) throw new Refusal(404, "not_found", `There is no script ${path}.`);
    return { raw: text, headers: { ETag: etag(text) } };
  },
  "PUT /api/scripts/*": (w, { headers, text, by }, path) => {
    if (!/^(policies|cleanup)\//.test(path))
      throw new Refusal(403, "denied", `${path} runs with the host's rights: it is changed on disk only.`);
    const old = w.scripts.texts.get(path);
    if (old !== undefined && headers["if-match"] !== etag(old))
      throw new Refusal(412, "conflict", `${path} was changed by someone else.`);
    const { ok, diagnostics } = w.scripts.check({ [path]: text });
    if (!ok) throw new Refusal(400, "invalid", "The script has a fault; nothing was written.", diagnostics);
    w.scripts.publish(path, text, by);
    return { body: { generation: w.scripts.generation, live: true }, headers: { ETag: etag(text) } };
  },
});
