-- Whether the agent's server in a sandbox answers, and what its failures lead to.
--
-- `probe` asks /health once. `judge` puts a failing project before the health policy and carries out what it says.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local http = require "gander.http"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local events = require "lib.events"
local explain = require "lib.explain"
local facts_of = require "lib.facts"
local desired = require "lib.desired"
local lifecycle = require "lib.lifecycle"
local policy = require "lib.policy"
local progress = require "lib.reconcile.progress"
local queue = require "lib.queue"

local M = {}

M.PORT = 3001
local PROBE_MS = 3000
local BODY_MAX = 64 * 1024

local function text(value, max)
  return type(value) == "string" and value:sub(1, max) or nil
end

-- What the API shows of a /health answer. It comes out of a sandbox: each field is checked.
local function shown(body, ms)
  local model = type(body.model) == "table" and body.model or {}
  return {
    ok = body.status == "ok" or body.status == "degraded",
    at = date(sys.now()),
    latency_ms = math.floor(ms),
    failures = 0,
    server_id = text(body.instance_id, 64),
    engine = text(body.engine, 40),
    engine_version = text(body.engine_version, 80),
    can_chat = body.can_chat == true,
    reason = text(body.reason, 500),
    model = text(model.name, 200) and { name = text(model.name, 200), demo = model.demo == true } or nil,
  }
end

-- -> health (ok may be false) | nil, message, code     it does not answer
function M.probe(provider, ctx)
  local endpoint, message, code = provider.endpoint(ctx, M.PORT)
  if not endpoint then return nil, message, code end
  local netns <close> = endpoint.netns
  local answer
  answer, message, code = http.request {
    method = "GET",
    url = endpoint.url .. "/health",
    headers = endpoint.headers,
    netns = netns,
    timeout_ms = PROBE_MS,
    connect_ms = PROBE_MS,
    max_body = BODY_MAX,
  }
  if not answer then
    return nil, message, code
  elseif answer.status ~= 200 and answer.status ~= 503 then
    return nil, "its /health answered " .. answer.status, "unavailable"
  end
  local body = json.decode(answer.body)
  if type(body) ~= "table" then return nil, "its /health answered no JSON object", "unavailable" end
  return shown(body, answer.ms or 0)
end

local acts = {}

-- A new start of the server in the same sandbox.
function acts.restart(project, row)
  return lifecycle.move(project, "active", "starting", {
    ["sandbox.restarts"] = (project.sandbox.restarts or 0) + 1,
    ["sandbox.starts"] = (project.sandbox.starts or 1) + 1,
    reason = explain.reason(row),
    next = json.null,
  }, { by = row.policy, decision = row })
end

-- A new sandbox for the old one.
function acts.replace(project, row)
  return lifecycle.move(project, "creating", "creating", {
    ["sandbox.doomed"] = true,
    replaced = (project.replaced or 0) + 1,
    reason = explain.reason(row),
    next = json.null,
    health = json.null,
    progress = progress.begin(progress.fresh(), "creating"),
  }, { by = row.policy, decision = row })
end

function acts.stop(project, row)
  return desired.write(project, "inactive", { by = row.policy, decision = row, reason = explain.reason(row) })
end

function acts.warn(project, row)
  events.alert { kind = "health", text = row.reason, project_id = project._id, policy = row.policy }
  return project
end

-- What a provider says of the sandbox, in one word: running, created, stopped … missing, or unknown.
function M.sandbox_state(provider, ctx)
  local status, _, code = provider.status(ctx)
  return status and status.state or code == "not_found" and "missing" or "unknown"
end

-- Ask the health policy about an active project whose check failed; `sandbox_state` is the provider's word.
-- -> the project after the act
function M.judge(project, sandbox_state)
  local facts = facts_of.of_project(project)
  facts.sandbox.state = sandbox_state
  local verdict = policy.decide("health", facts)
  local act = acts[verdict.verdict]
  if not act then return project end
  local row = explain.record(verdict, "health", facts, { project_id = project._id, user_id = project.user_id })
  local after, message = act(project, row)
  if not after then
    log("info", "a health decision came too late", { project = project._id, error = message })
    return project
  end
  queue.push("reconcile", {}, { key = project._id })
  return after
end

return M
