-- The one writer of a project's state.
--
-- `move` takes a project from one state and phase to the next by compare-and-set, in the same write as all that goes
-- with it; `note` writes fields beside the state. The row of Activity is part of the same write (`moved`) and copied out
-- after it, so a kill in between loses nothing: `settle` copies it again. What is desired is lib/desired's.
-- Illegal moves raise. It starts no sandbox: jobs/reconcile does.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local db = require "lib.store"
local events = require "lib.events"
local logs = require "lib.logs"
local projects = require "lib.projects"
local view = require "lib.view"

local M = {}

local TRIES = 8

M.PHASES = {
  inactive = { stopped = true },
  creating = { queued = true, creating = true, installing = true, starting = true, waiting_retry = true },
  active = { healthy = true, starting = true },
  stopping = { draining = true, saving = true, collecting = true, stopping = true },
  error = {
    queued = true,
    creating = true,
    installing = true,
    starting = true,
    healthy = true,
    draining = true,
    saving = true,
    collecting = true,
    stopping = true,
    waiting_retry = true,
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

-- The name of a project that is going away (`gone`) is free at once. A folded name never begins with a blank.
function M.freed_name(id)
  return " " .. id
end

-- Write what `fields_of(doc)` gives. A lost race is run again while what the decision rested on still stands.
local function write(project, fields_of)
  local doc = project
  for _ = 1, TRIES do
    local after, message, code = projects.swap(doc, split(fields_of(doc)))
    if after or message then return after, message, code end
    doc, message, code = projects.get(project._id)
    if not doc then
      return nil, message or "the project is gone", code or "not_found"
    elseif not same_ground(project, doc) then
      return nil, "the project was changed meanwhile", "conflict"
    end
  end
  return nil, "the project is being changed by others", "conflict"
end

-- What the project's log says of a move, in one line.
local function log_line(doc, row)
  local fault = (row.phase == "waiting_retry" or row.to == "error") and doc.last_error
  local said = doc.reason and row.decision_id == doc.reason.decision_id and doc.reason.text
  local text = row.from == row.to and row.to .. ": " .. row.phase or row.from .. " -> " .. row.to .. ": " .. row.phase
  for _, more in ipairs { fault and fault.message or false, said or false } do
    text = text .. (more and " (" .. more .. ")" or "")
  end
  return text, fault and "error" or "info"
end

-- Copy the row of the last move to `activity` and to the project's log unless it is there.
local function copy_row(doc)
  if not doc.moved then return false end
  local m = doc.moved
  local row = { _id = string.format("%s:%08d", doc._id, m.n), project_id = doc._id, user_id = doc.user_id }
  row.kind, row.at, row.from, row.to, row.phase = "state", m.at, m.from, m.to, m.phase
  row.request_id, row.by, row.decision_id = m.request_id, m.by, m.decision_id
  local made, message, code = db.activity:insert(row)
  if made then
    local text, level = log_line(doc, row)
    logs.append(doc._id, "lifecycle", "stdout", text, level)
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

-- `fields` may be a function of the document, for what is counted on: it is asked again with a newer one.
local function fields_at(fields, doc)
  return type(fields) == "function" and fields(doc) or fields or {}
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
    local set = { state = to, phase = phase }
    for name, value in pairs(fields_at(fields, doc)) do
      set[name] = value
    end
    if to == "inactive" and doc.desired == "deleted" then
      set.gone, set.name_key = true, M.freed_name(doc._id)
    end
    if doc.state ~= to or doc.phase ~= phase then
      local now = date(sys.now())
      set.phase_since = now
      set.moved = {
        n = (doc.moved and doc.moved.n or 0) + 1,
        at = now,
        from = doc.state,
        to = to,
        phase = phase,
        request_id = why and why.request_id,
        by = why and why.by,
        decision_id = why and why.decision and why.decision._id,
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
  local after, message, code = write(project, function(doc)
    return fields_at(fields, doc)
  end)
  if after then events.project(after) end
  return after, message, code
end

return M
