// A project's settings as a form holds them, and the JSON Merge Patch that a form's changes make.
// SPDX-License-Identifier: Apache-2.0
import type { Project, Settings, Source } from "@/api/schema";

export interface EnvRow {
  key: string;
  value: string;
  /** Stored on the host; its value is never sent back. */
  kept: boolean;
}
export interface Draft {
  name: string;
  description: string;
  source: Source;
  provider: string;
  engine: string;
  mode: string;
  model: string;
  env: EnvRow[];
  egress: "" | "allow" | "deny" | "list";
  allow: string;
  workspace: string;
  idle_minutes: string;
  timeout_s: string;
  vcpus: string;
  memory_mb: string;
}

const word = (v: unknown) => (v === undefined || v === null ? "" : String(v));

export function draftOf(p: Project): Draft {
  const s = p.settings ?? {};
  const list = typeof s.egress === "object" ? s.egress : undefined;
  return {
    name: p.name,
    description: p.description ?? "",
    source: p.source ?? { type: "builtin" },
    provider: p.provider ?? "",
    engine: s.engine ?? "",
    mode: s.mode ?? "",
    model: s.model ?? "",
    env: Object.keys(s.env ?? {})
      .sort()
      .map((key) => ({ key, value: "", kept: true })),
    egress: list ? "list" : ((s.egress as "allow" | "deny" | undefined) ?? ""),
    allow: list?.allow?.join("\n") ?? "",
    workspace: s.workspace ?? "",
    idle_minutes: word(s.idle_minutes),
    timeout_s: word(s.timeout_s),
    vcpus: word(s.vcpus),
    memory_mb: word(s.memory_mb),
  };
}

type Patch = Record<string, unknown>;

/** What the host must be told; `null` removes. A number that is none goes as text: the host names the fault. */
export function changesOf(p: Project, d: Draft): Patch {
  const was = draftOf(p);
  const patch: Patch = {};
  const settings: Patch = {};
  if (d.name.trim() !== was.name) patch.name = d.name.trim();
  if (d.description.trim() !== was.description) patch.description = d.description.trim();
  if (JSON.stringify(d.source) !== JSON.stringify(was.source))
    patch.source = sourcePatch(was.source, d.source);
  if (d.provider !== was.provider) patch.provider = d.provider;
  for (const key of ["engine", "mode", "model", "workspace"] as const)
    if (d[key].trim() !== was[key]) settings[key] = d[key].trim() || null;
  for (const key of ["idle_minutes", "timeout_s", "vcpus", "memory_mb"] as const)
    if (d[key].trim() !== was[key]) settings[key] = numberOf(d[key]);
  if (d.egress !== was.egress || (d.egress === "list" && d.allow !== was.allow))
    settings.egress = egressOf(d, p.settings);
  const env = envPatch(was.env, d.env);
  if (Object.keys(env).length) settings.env = env;
  if (Object.keys(settings).length) patch.settings = settings;
  return patch;
}

function numberOf(text: string): number | string | null {
  const t = text.trim();
  if (t === "") return null;
  return /^-?\d+(\.\d+)?$/.test(t) ? Number(t) : t;
}

function egressOf(d: Draft, s: Settings | undefined): unknown {
  if (d.egress === "") return null;
  if (d.egress !== "list") return d.egress;
  const deny = typeof s?.egress === "object" ? s.egress.deny : undefined;
  return { allow: d.allow.split(/\s+/).filter(Boolean), ...(deny && { deny }) };
}

/** A merge patch keeps what it does not name, so what went away is named as null. */
function sourcePatch(was: Source, now: Source): Patch {
  const patch: Patch = { ...now };
  for (const key of Object.keys(was)) if ((now as unknown as Patch)[key] === undefined) patch[key] = null;
  return patch;
}

function envPatch(was: EnvRow[], now: EnvRow[]): Patch {
  const patch: Patch = {};
  for (const row of now) {
    const key = row.key.trim();
    if (key && (!row.kept || row.value !== "")) patch[key] = row.value;
  }
  for (const row of was) if (!now.some((r) => r.key.trim() === row.key)) patch[row.key] = null;
  return patch;
}
