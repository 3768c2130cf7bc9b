// The objects of the REST contract, as the host sends them. Written by hand from the contract;
// `/api/openapi.json` describes the same shapes.
// SPDX-License-Identifier: Apache-2.0

export type State = "inactive" | "creating" | "active" | "stopping" | "error";
export type Phase =
  | "queued"
  | "creating"
  | "installing"
  | "starting"
  | "healthy"
  | "draining"
  | "saving"
  | "collecting"
  | "stopping"
  | "stopped"
  | "waiting_retry";

export interface Model {
  name: string;
  demo: boolean;
}
export interface User {
  id: string;
  name: string;
  projects: { total: number; active: number };
}
export interface Isolation {
  tier: string;
  statement: string;
}
export interface Step {
  name: string;
  started_at: string;
  ended_at?: string;
  error?: string;
}
export interface Progress {
  step: number;
  of: number;
  text: string;
  steps: Step[];
}
export type Source =
  | { type: "builtin" }
  | {
      type: "git";
      url: string;
      revision?: string;
      username?: string;
      password?: string;
      directory?: string;
      install?: string[];
      start?: string[];
    }
  | { type: "tarball"; url: string; install?: string[]; start?: string[] }
  | { type: "image"; image: string; start?: string[] }
  | { type: "snapshot"; snapshot_id: string };
export type Mode = "approve" | "smart_approve" | "auto" | "chat";
export type Egress = "allow" | "deny" | { allow?: string[]; deny?: string[] };
export interface Settings {
  engine?: string;
  mode?: Mode;
  model?: string;
  env?: Record<string, string>;
  egress?: Egress;
  vcpus?: number;
  memory_mb?: number;
  timeout_s?: number;
  idle_minutes?: number;
  workspace?: "keep" | "discard";
}
export interface Reason {
  text: string;
  policy?: string;
  file?: string;
  line?: number;
  generation?: number;
  at?: string;
  decision_id?: string;
}
export interface Health {
  ok: boolean;
  at?: string;
  latency_ms?: number;
  failures?: number;
  engine?: string;
  engine_version?: string;
  model?: Model;
  can_chat?: boolean;
  reason?: string;
}
export interface Sandbox {
  id: string;
  provider: string;
  instance_id?: string;
  isolation?: Isolation;
  limits?: { cpus?: number; memory_mb?: number; processes?: number };
  created_at?: string;
  expires_at?: string;
  endpoint?: string;
  usage?: { cpu_pct?: number; memory_mb?: number; disk_mb?: number; at?: string };
}
export interface Project {
  id: string;
  user_id: string;
  name: string;
  description?: string;
  source?: Source;
  provider?: string;
  settings?: Settings;
  state: State;
  phase?: Phase;
  phase_since?: string;
  progress?: Progress;
  desired: "active" | "inactive" | "deleted";
  reason?: Reason;
  last_error?: { code: string; message: string; step?: string; at?: string; retryable?: boolean };
  retry?: { count: number; max: number; next_at?: string };
  queue?: { position: number; since?: string; expires_at?: string };
  sandbox?: Sandbox;
  health?: Health;
  next?: { act: "stop" | "start" | "delete"; at: string; policy?: string; text?: string };
  applies?: string[];
  revision: number;
  created_at: string;
  updated_at?: string;
  active_at?: string;
  stopped_at?: string;
  last_activity_at?: string;
}
export interface Contents {
  sessions: number;
  messages: number;
  log_lines: number;
  file_bytes: number;
  running: boolean;
}
export interface LogLine {
  seq: number;
  at: string;
  source: "system" | "setup" | "goose-api" | "command" | "lifecycle";
  stream: "stdout" | "stderr";
  level?: string;
  text: string;
}
export type Answer = "allow_once" | "allow_always" | "reject_once" | "reject_always";
export interface Permission {
  permission_id: string;
  tool_call_id?: string;
  name?: string;
  title?: string;
  input?: unknown;
  cwd?: string;
  options?: (string | { id?: string; optionId?: string; name?: string })[];
  expires_at?: string;
}
export interface Session {
  id: string;
  project_id: string;
  title?: string;
  status: "idle" | "running" | "waiting_permission" | "interrupted";
  mode?: Mode;
  engine?: string;
  model?: Model;
  run?: { run_id: string; message_id?: string; started_at?: string } | null;
  pending_permissions?: Permission[];
  message_count?: number;
  last_message?: unknown;
  memory?: "live" | "restored" | "lost";
  created_at: string;
  updated_at?: string;
}
export interface ToolPart {
  type: "tool";
  tool_call_id: string;
  name?: string;
  title?: string;
  input?: unknown;
  output?: unknown;
  status?: string;
  started_at?: string;
  ended_at?: string;
  truncated?: boolean;
  permission?: { decision: string; by?: string; at?: string };
}
export type Part =
  | { type: "text"; text: string }
  | { type: "thought"; text: string }
  | { type: "notice"; kind: string; text: string }
  | ToolPart;
export interface Message {
  id: string;
  session_id?: string;
  seq?: number;
  event_seq?: number;
  role: "user" | "assistant" | "notice";
  parts: Part[];
  status?: "complete" | "partial" | "failed";
  model?: Model;
  created_at?: string;
}
export interface Decision {
  id: string;
  at: string;
  policy: string;
  file?: string;
  line?: number;
  generation?: number;
  project_id?: string;
  verdict: string;
  reason?: string;
  facts?: unknown;
  would_differ?: string;
}
export interface Activity {
  id: string;
  at: string;
  kind: "decision" | "state";
  project_id?: string;
  from?: string;
  to?: string;
  phase?: string;
  request_id?: string;
  by?: string;
  decision?: Decision;
}
export interface ProviderInfo {
  name: string;
  kind: string;
  default?: boolean;
  isolation?: Isolation;
  plan?: unknown;
  caps?: unknown;
  capabilities?: unknown;
}
export interface System {
  version: string;
  commit?: string;
  generation?: number;
  node?: string;
  started_at?: string;
  store: { kind: string; ok: boolean };
  providers: ProviderInfo[];
  goose?: { engine: string; version?: string; model?: Model };
  users?: unknown;
  limits?: Record<string, unknown>;
  trust_network?: boolean;
  warnings?: (string | { message?: string; text?: string })[];
}
export interface ScriptFault {
  file?: string;
  line?: number;
  message: string;
  severity?: string;
}
export interface ScriptInfo {
  path: string;
  kind?: string;
  doc?: string;
  size?: number;
  etag?: string;
  modified_at?: string;
}
export interface ScriptList {
  generation: number;
  loaded_at?: string;
  error: ScriptFault | null;
  items: ScriptInfo[];
  /** What may be written over HTTP: the rules alone, or every script. */
  writable?: "all" | "rules";
}
export interface ScriptVersion {
  generation: number;
  at?: string;
  who?: string;
  good?: boolean;
}
export interface Page<T> {
  items: T[];
  next: string | null;
}
export interface Reference {
  modules: { name: string; doc: string; functions: { name: string; signature: string; doc: string }[] }[];
  facts: { name: string; type: string; doc: string; policies?: string[] }[];
  verdicts: { name: string; signature: string; doc: string; policies?: string[] }[];
}
export interface DryVerdict {
  verdict?: string;
  reason?: string;
  file?: string;
  line?: number;
  failed?: boolean;
}
export interface DryItem {
  project_id: string;
  before?: DryVerdict | null;
  after?: DryVerdict | null;
  differs: boolean;
}
