-- Documents as the API shows them. Pure: reads no store, hides what is internal or secret.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local applies = require "lib.applies"

local M = {}

local HIDDEN = "***"

-- Fields of a project that are shown as they are stored: those that change by themselves, and the others.
local SEEN = {
  "state",
  "phase",
  "phase_since",
  "progress",
  "desired",
  "reason",
  "last_error",
  "retry",
  "queue",
  "health",
}
local SET = {
  "user_id",
  "name",
  "description",
  "provider",
  "revision",
  "created_at",
  "updated_at",
  "active_at",
  "stopped_at",
  "last_activity_at",
}
local SANDBOX = {
  "id",
  "provider",
  "instance_id",
  "isolation",
  "limits",
  "created_at",
  "expires_at",
  "endpoint",
}
local USAGE = { "cpu_pct", "memory_mb", "disk_mb", "at" }

local function pick(doc, names)
  local out = json.object {}
  for _, name in ipairs(names) do
    out[name] = doc[name]
  end
  return out
end

local function shown_settings(doc)
  local out = json.object {}
  for name, value in pairs(doc.settings or {}) do
    out[name] = value
  end
  local names = doc.secrets and doc.secrets.env_names
  if names and #names > 0 then
    out.env = json.object {}
    for _, name in ipairs(names) do
      out.env[name] = HIDDEN
    end
  end
  return out
end

local function shown_source(doc)
  if not doc.source then return nil end
  local out =
    pick(doc.source, { "type", "url", "revision", "username", "directory", "install", "start", "image", "snapshot_id" })
  if doc.secrets and doc.secrets.password then out.password = HIDDEN end
  return out
end

local function shown_sandbox(sandbox)
  if not sandbox then return nil end
  local out = pick(sandbox, SANDBOX)
  out.usage = sandbox.usage and pick(sandbox.usage, USAGE)
  return out
end

-- Only what changes by itself.
function M.status(doc)
  local out = pick(doc, SEEN)
  out.id = doc._id
  out.sandbox = shown_sandbox(doc.sandbox)
  out.next = doc.next and doc.next.act and doc.next or nil
  return out
end

-- A Project (api.md section 2).
function M.project(doc)
  local out = M.status(doc)
  for _, name in ipairs(SET) do
    out[name] = doc[name]
  end
  out.source = shown_source(doc)
  out.settings = shown_settings(doc)
  out.applies = applies.waiting(doc)
  return out
end

-- A Decision; `facts` is stored as text so that it replays exactly.
function M.decision(row)
  local out = pick(row, { "at", "policy", "file", "line", "generation", "project_id", "verdict", "reason" })
  out.id = row._id
  out.decision = row.decision
  out.facts = row.facts and json.decode(row.facts) or nil
  return out
end

-- A row of Activity from a change of state; `decision` is the stored one that caused it, if any.
function M.activity(row, decision)
  local out = pick(row, { "at", "kind", "from", "to", "phase", "request_id", "by", "project_id" })
  out.id = row._id
  out.decision = decision and M.decision(decision)
  return out
end

-- A decision as a row of Activity of its own.
function M.decided(row)
  local out = json.object { id = row._id, at = row.at, kind = "decision", project_id = row.project_id }
  out.decision = M.decision(row)
  return out
end

return M
