// The stand-in's world: users, projects and what an activation does to them.
// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { createBus } from "./events.mjs";
import { createScripts } from "./scripts.mjs";

export const now = (ms = 0) => new Date(Date.now() + ms).toISOString();
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const STEPS = [
  ["queued", "waiting for a place", 250],
  ["creating", "making the sandbox", 600],
  ["installing", "putting the Goose API server in", 900],
  ["starting", "starting the Goose API server", 900],
  ["healthy", "waiting for it to answer", 500],
];

export function createWorld({ speed, projects: extra }) {
  const world = {
    speed,
    bus: createBus(),
    users: [
      { id: "ada", name: "Ada Lovelace" },
      { id: "grace", name: "Grace Hopper" },
    ],
    projects: new Map(),
    sessions: new Map(),
    messages: new Map(),
    logs: new Map(),
    activity: new Map(),
    runs: new Map(),
    startedAt: now(),
  };
  world.scripts = createScripts(world);

  world.publish = (p) => {
    p.updated_at = now();
    world.bus.publish([`user:${p.user_id}`], "project", p);
  };
  world.log = (p, source, text, stream = "stdout", level = "info") => {
    const lines = world.logs.get(p.id);
    const line = { seq: lines.length + 1, at: now(), source, stream, level, text };
    lines.push(line);
    world.bus.publish([`logs:${p.id}`], "log", line);
  };
  world.record = (p, entry) => {
    const a = { id: randomUUID(), at: now(), project_id: p.id, ...entry };
    world.activity.get(p.id).unshift(a);
    world.bus.publish([`user:${p.user_id}`], "activity", a);
    return a;
  };
  world.decide = (p, policy, verdict, reason, facts) => {
    const decision = {
      id: randomUUID(),
      at: now(),
      policy,
      file: `policies/${policy}.lua`,
      line: 12,
      generation: world.scripts.generation,
      project_id: p.id,
      verdict,
      reason,
      facts,
    };
    world.record(p, { kind: "decision", decision });
    return {
      text: reason,
      policy,
      file: decision.file,
      line: 12,
      generation: decision.generation,
      at: decision.at,
      decision_id: decision.id,
    };
  };
  world.move = (p, state, phase, by) => {
    const from = p.state;
    Object.assign(p, { state, phase, phase_since: now() });
    if (from !== state) world.record(p, { kind: "state", from, to: state, phase, by });
    world.publish(p);
  };
  world.create = (user, body, at = now()) => {
    const p = {
      id: randomUUID(),
      user_id: user,
      name: body.name.trim(),
      description: body.description,
      source: body.source ?? { type: "builtin" },
      provider: body.provider ?? "local",
      settings: body.settings ?? {},
      state: "inactive",
      desired: "inactive",
      revision: 1,
      created_at: at,
      updated_at: at,
      last_activity_at: at,
    };
    world.projects.set(p.id, p);
    world.logs.set(p.id, []);
    world.activity.set(p.id, []);
    world.publish(p);
    return p;
  };

  world.activate = async (p, by) => {
    Object.assign(p, { desired: "active", last_error: undefined, retry: undefined });
    p.reason = world.decide(p, "admission/cap", "allow", "2 of 10 places are taken", {
      counts: { total: 2, user: 1 },
      settings: { max_active: 10 },
    });
    p.activation = randomUUID();
    const run = p.activation;
    p.progress = { step: 0, of: STEPS.length, text: "", steps: [] };
    for (const [index, [name, text, ms]] of STEPS.entries()) {
      const step = { name, started_at: now() };
      Object.assign(p.progress, { step: index + 1, text });
      p.progress.steps.push(step);
      world.move(p, "creating", name === "healthy" ? "starting" : name, by);
      world.log(p, "setup", `\u001b[36m${name}\u001b[0m ${text}`);
      await sleep(ms / speed);
      if (p.activation !== run || p.desired !== "active") return;
      if (name === "starting" && p.name.includes("fail")) return fail(p, step);
      step.ended_at = now();
    }
    p.sandbox = {
      id: `gander-dev-${p.id.slice(0, 8)}-1`,
      provider: "local",
      instance_id: "dev-1",
      isolation: { tier: "isolated+limits", statement: STATEMENT },
      limits: { vcpus: 2, memory_mb: 1024 },
      created_at: now(),
      usage: { cpu_pct: 3, memory_mb: 141, disk_mb: 2, at: now() },
    };
    p.health = {
      ok: true,
      at: now(),
      latency_ms: 4,
      failures: 0,
      engine: "goose",
      engine_version: "1.52.0",
      model: { name: "demo", demo: true },
      can_chat: true,
    };
    Object.assign(p, { active_at: now(), last_activity_at: now(), retry: undefined });
    p.next = { act: "stop", at: now(600_000), policy: "idle/after_minutes", text: "idle for 10 minutes" };
    world.log(
      p,
      "goose-api",
      "\u001b[32mlistening\u001b[0m on 127.0.0.1:3001, engine goose 1.52.0, model demo",
    );
    world.move(p, "active", "healthy", by);
  };

  function fail(p, step) {
    step.error = "the start command ended with status 1: cannot find module 'express'";
    step.ended_at = now();
    p.retry = { count: 3, max: 3 };
    p.last_error = { code: "unavailable", message: step.error, step: step.name, at: now(), retryable: true };
    p.reason = world.decide(p, "retry/backoff", "give_up", "3 tries failed the same way", {
      attempt: { n: 3 },
    });
    world.log(p, "setup", "Error: Cannot find module 'express'", "stderr", "error");
    world.move(p, "error", "starting");
  }

  world.deactivate = async (p, by) => {
    p.desired = p.desired === "deleted" ? "deleted" : "inactive";
    p.next = undefined;
    for (const phase of ["draining", "saving", "collecting", "stopping"]) {
      world.move(p, "stopping", phase, by);
      world.log(p, "lifecycle", phase);
      await sleep(300 / speed);
    }
    Object.assign(p, { sandbox: undefined, health: undefined, stopped_at: now() });
    if (p.desired === "deleted") return world.remove(p);
    world.move(p, "inactive", "stopped", by);
  };
  world.remove = (p) => {
    world.projects.delete(p.id);
    world.bus.publish([`user:${p.user_id}`], "project_deleted", { id: p.id, user_id: p.user_id });
  };

  seed(world, extra);
  return world;
}

const STATEMENT =
  "Own namespaces, seccomp and cgroup limits on this machine; no network but the model's; the kernel is shared.";
export const providers = () => [
  {
    name: "local",
    kind: "local",
    default: true,
    isolation: { tier: "isolated+limits", statement: STATEMENT },
    caps: { slots: 200, used: 1 },
  },
];

function seed(world, extra) {
  const day = 86_400_000;
  const a = world.create(
    "ada",
    { name: "swan-api", description: "The public API of the swan service." },
    now(-6 * day),
  );
  const f = world.create(
    "ada",
    { name: "etl-fail", source: { type: "git", url: "https://example.org/etl.git" } },
    now(-3 * day),
  );
  world.create("ada", { name: "notes" }, now(-3 * day));
  world.create("grace", { name: "compiler" }, now(-day));
  for (let i = 0; i < extra; i++)
    world.create("ada", { name: `load-${String(i).padStart(4, "0")}` }, now(-day - i * 1000));
  void world.activate(a, "ada");
  void world.activate(f, "ada");
}
