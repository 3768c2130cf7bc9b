-- The one writer of a project's state.
--
-- `move` takes a project from one state and phase to the next by compare-and-set, in the same write as all that goes
-- with it; `want` writes what is desired and, where the state table says so, the first state on the way there. The row
-- of Activity is part of the same write (`move`) and copied out after it, so a kill in between loses nothing: `settle`
-- copies it again. Illegal moves raise. It starts no sandbox: jobs/reconcile does.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local applies = require "lib.applies"
local db = require "lib.store"
local events = require "lib.events"
local projects = require "lib.projects"
local queue = require "lib.queue"
local view = require "lib.view"

local M = {}

local TRIES = 8

M.PHASES = {
  inactive = { stopped = true },
  creating = { queued = true, creating = true, installing = true, starting = true, waiting_retry = true },
  active = { healthy = true, starting = true },
  stopping = { draining = true, saving = true, collecting = true, stopping = true },
  error = {
    queued = true, creating = true, installing = true, starting = true, healthy = true, draining = true,
    saving = true, collecting = true, stopping = true, waiting_retry = true,
  },
}

local LEGAL = {
  inactive = { creating = true },
  creating = { creating = true, active = true, stopping = true, inactive = true, error = true },
  active = { active = true, creating = true, stopping = true, error = true },
  stopping = { stopping = true, inactive = true, error = true },
  error = { creating = true, stopping = true, error = true },
}

-- What a decision rested on: if another writer changed it, the move is off.
local function same_ground(a, b)
  local before, after = a.sandbox or {}, b.sandbox or {}
  return a.state == b.state and a.phase == b.phase and a.desired == b.desired and before.id == after.id
end

-- json.null among the fields removes one.
local function split(fields)
  local set, unset = {}, {}
  for name, value in pairs(fields or {}) do
    if value == json.null then
      unset[name] = true
    else
      set[name] = value
    end
  end
  return set, unset
end

-- The name of a project that is going away is free at once. A folded name never begins with a blank.
local function tombstone(id)
  return { gone = true, name_key = " " .. id }
end

local function merge(into, fields)
  for name, value in pairs(fields) do
    into[name] = value
  end
  return into
end

-- Write what `fields_of(doc)` gives. A lost race is run again while what the decision rested on still stands.
local function write(project, fields_of)
  local doc = project
  for _ = 1, TRIES do
    local after, message, code = projects.swap(doc, split(fields_of(doc)))
    if after or message then
      return after, message, code
    end
    doc, message, code = projects.get(project._id)
    if not doc then
      return nil, message or "the project is gone", code or "not_found"
    elseif not same_ground(project, doc) then
      return nil, "the project was changed meanwhile", "conflict"
    end
  end
  return nil, "the project is being changed by others", "conflict"
end

-- Copy the row of the last move to `activity` unless it is there. -> true when it was missing
local function copy_row(doc)
  if not doc.moved then
    return false
  end
  local m = doc.moved
  local row = { _id = string.format("%s:%08d", doc._id, m.n), project_id = doc._id, user_id = doc.user_id }
  row.kind, row.at, row.from, row.to, row.phase = "state", m.at, m.from, m.to, m.phase
  row.request_id, row.by, row.decision_id = m.request_id, m.by, m.decision_id
  local made, message, code = db.activity:insert(row)
  if made then
    local decision = m.decision_id and db.decisions:find_one { _id = m.decision_id }
    events.activity(doc, view.activity(row, decision))
  elseif code ~= "conflict" then
    log("warn", "a change of state could not be copied to activity", { project = doc._id, error = message })
  end
  return made ~= nil
end

-- Say again what is stored: the first act of each reconcile, so that no kill between two writes hides a change.
function M.settle(doc)
  copy_row(doc)
  events.project(doc)
end

-- Move a project. -> the new document
--                 -> nil, message, "conflict"     somebody else changed what this rested on
--                 -> nil, message, code           the store failed, or the project is gone
function M.move(project, to, phase, fields, why)
  if not (LEGAL[project.state] and LEGAL[project.state][to]) then
    error("a project cannot go from " .. tostring(project.state) .. " to " .. tostring(to), 2)
  elseif not M.PHASES[to][phase] then
    error("state " .. to .. " has no phase " .. tostring(phase), 2)
  end
  local after, message, code = write(project, function(doc)
    local set = merge({ state = to, phase = phase }, fields or {})
    if to == "inactive" and doc.desired == "deleted" then
      merge(set, tombstone(doc._id))
    end
    if doc.state ~= to or doc.phase ~= phase then
      local now = date(sys.now())
      set.phase_since = now
      set.moved = {
        n = (doc.moved and doc.moved.n or 0) + 1, at = now, from = doc.state, to = to, phase = phase,
        request_id = why and why.request_id, by = why and why.by, decision_id = why and why.decision and why.decision._id,
      }
    end
    return set
  end)
  if after then
    copy_row(after)
    events.project(after)
  end
  return after, message, code
end

-- Write fields beside the state (health, sandbox, next) and publish; the state stays as it is.
-- -> the new document | nil, message, code (as move)
function M.note(project, fields)
  local after, message, code = write(project, function()
    return fields
  end)
  if after then
    events.project(after)
  end
  return after, message, code
end

-- The state a wish leads to at once; other wishes are met at the next recorded step (seams.md section 4).
local FIRST = {
  inactive = { active = { "creating", "queued" } },
  active = { inactive = { "stopping", "draining" }, deleted = { "stopping", "draining" } },
  error = {
    active = { "creating", "queued" },
    inactive = { "stopping", "stopping" },
    deleted = { "stopping", "stopping" },
  },
}

-- A new activation starts with clean counters.
local function fresh(doc)
  local started = { name = "queued", started_at = date(sys.now()) }
  return {
    progress = { step = 1, of = 5, text = "waiting for admission", steps = json.array { started } },
    applied = applies.snapshot(doc), last_error = json.null, retry = json.null, queue = json.null,
    reason = json.null, next = json.null, health = json.null, force = json.null, replaced = json.null,
  }
end

-- Want a project active, inactive or deleted, and queue the job that brings it there.
-- `why` = {by, request_id, person=true (counts as a revision), force=true, decision=row, reason=reason}.
-- -> the new document | nil, message, code
function M.want(project, desired, why)
  local first = FIRST[project.state] and FIRST[project.state][desired]
  local fields = first and desired == "active" and fresh(project) or {}
  fields.desired = desired
  fields.force = why.force or fields.force
  fields.reason = why.reason or fields.reason
  if desired ~= "active" then
    fields.next = json.null
  end
  if project.state == "active" then
    fields.last_error = json.null -- that of a policy that failed; the activation's own is over
  end
  if why.person and project.desired ~= desired then
    fields.revision = project.revision + 1
  end
  if desired == "deleted" and project.state == "inactive" then
    merge(fields, tombstone(project._id))
  end
  local after, message, code
  if first then
    after, message, code = M.move(project, first[1], first[2], fields, why)
  else
    after, message, code = M.note(project, fields)
  end
  if after then
    queue.push("reconcile", {}, { key = project._id })
  end
  return after, message, code
end

return M
