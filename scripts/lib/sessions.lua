-- Chat sessions: the documents and what is said of them to the world.
--
-- A session's `event_seq` is the last event of the Goose contract folded into it; `message_seq` counts its messages;
-- `run` is what goes on, `outbox` the user's message that was stored but not yet taken by the agent; `sandbox_id` is
-- the sandbox that knows this session. All changes go through `change` (compare-and-set).
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local db = require "lib.store"
local events = require "lib.events"
local projects = require "lib.projects"

local M = {}

local TRIES = 20
local QUIET_MS = 1000 -- a session is published at most this often, but for changes of status

M.RUNNING = { running = true, waiting_permission = true }

function M.topic(id)
  return "session:" .. id
end

function M.get(id)
  return db.sessions:find_one { _id = id }
end

-- The session under its project, or nil. Raises when the store fails, as lib/projects does.
function M.load(project_id, id)
  local doc, message = db.sessions:find_one { _id = id, project_id = project_id }
  if message then error("the session cannot be read: " .. message) end
  return doc
end

-- The project and the session that a route's parameters name; nothing unless both are there.
function M.find(params)
  local project = projects.load(params.user, params.project)
  local session = project and M.load(project._id, params.session)
  if session then return project, session end
end

function M.create(project, fields)
  local now = date(sys.now())
  local goose = sys.config.goose or {}
  local health = project.health or {}
  return db.sessions:insert {
    _id = fields.id or sys.uuid(),
    project_id = project._id,
    user_id = project.user_id,
    title = fields.title or "",
    status = "idle",
    mode = fields.mode or (project.settings or {}).mode or goose.mode or "approve",
    engine = health.engine,
    model = health.model,
    pending_permissions = json.array {},
    memory = "live",
    message_count = 0,
    message_seq = 0,
    event_seq = 0,
    created_at = now,
    updated_at = now,
    _rev = 1,
  }
end

local FIXED = { _id = true, _rev = true, project_id = true, user_id = true, created_at = true, message_seq = true }

local function difference(before, after)
  local set, unset = {}, {}
  for name, value in pairs(after) do
    if not FIXED[name] then set[name] = value end
  end
  for name in pairs(before) do
    if not FIXED[name] and after[name] == nil then unset[name] = true end
  end
  return set, next(unset) and unset
end

-- Change a session: `edit(copy)` changes the copy it is given, or returns false to leave the session as it is (a second
-- value says why). It is called again on a newer document when another writer came first.
-- -> the new document | nil when it is gone or was left | nil, message, code
function M.change(id, edit)
  for _ = 1, TRIES do
    local doc, message, code = M.get(id)
    if not doc then return nil, message, code end
    local copy = {}
    for name, value in pairs(doc) do
      copy[name] = value
    end
    local kept, why = edit(copy)
    if kept == false then return nil, why end
    copy.updated_at = date(math.max(sys.now(), doc.updated_at.ms))
    local set, unset = difference(doc, copy)
    local update = { ["$set"] = set, ["$inc"] = { _rev = 1 } }
    update["$unset"] = unset or nil
    local after, fault, kind = db.sessions:find_and_update({ _id = id, _rev = doc._rev }, update)
    if after or fault then return after, fault, kind end
  end
  return nil, "the session is being changed by others; try again", "busy"
end

-- The number of the session's next message: taken once, never given twice.
function M.next_seq(id)
  local doc = db.sessions:find_and_update({ _id = id }, { ["$inc"] = { message_seq = 1, _rev = 1 } })
  return doc and doc.message_seq
end

local function question(stored, with_input)
  local out = {}
  for _, name in ipairs { "permission_id", "tool_call_id", "name", "title", "cwd", "options", "expires_at" } do
    out[name] = stored[name]
  end
  out.options = json.array(out.options or {})
  if with_input then out.input = json.decode(stored.input or "{}") end
  return out
end

-- A Session of the API; `brief` leaves out the inputs of open questions (for events).
function M.view(doc, brief)
  local questions = json.array {}
  for i, stored in ipairs(doc.pending_permissions or {}) do
    questions[i] = question(stored, not brief)
  end
  local run = doc.run
  return {
    id = doc._id,
    project_id = doc.project_id,
    title = doc.title,
    status = doc.status,
    mode = doc.mode,
    engine = doc.engine,
    model = doc.model,
    run = run and { run_id = run.run_id, message_id = run.message_id, started_at = run.started_at } or json.null,
    pending_permissions = questions,
    message_count = doc.message_count,
    last_message = doc.last_message,
    memory = doc.memory,
    created_at = doc.created_at,
    updated_at = doc.updated_at,
  }
end

function M.publish(doc)
  events.session(M.view(doc, true), doc.user_id)
end

-- Inside an edit: is this change worth telling now? Notes that it will be.
function M.tell(before, copy)
  local loud = before.status ~= copy.status
    or before.title ~= copy.title
    or before.message_count ~= copy.message_count
    or #(before.pending_permissions or {}) ~= #(copy.pending_permissions or {})
  local now = sys.now()
  if loud or not copy.told_at or now - copy.told_at.ms >= QUIET_MS then
    copy.told_at = date(now)
    return true
  end
  return false
end

function M.list(query, limit, after)
  return db.sessions:find(query, { sort = { "-created_at" }, limit = limit, after = after })
end

-- Sessions of a project in which something goes on.
function M.busy(project_id)
  return assert(
    db.sessions:find(
      { project_id = project_id, status = { ["$in"] = { "running", "waiting_permission" } } },
      { limit = 200 }
    )
  )
end

return M
