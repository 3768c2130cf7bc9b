-- The facts policies decide on, gathered from the store.
--
-- Times in facts are integers (milliseconds since 1970), so that a snapshot stored as JSON replays exactly. Which facts
-- there are, and the guarded view that a policy gets: lib/facts/guard.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local caps = require "lib.caps"
local db = require "lib.store"
local guard = require "lib.facts.guard"
local users = require "lib.users"

local M = {}

-- Milliseconds of every Date, all the way down: facts are plain numbers.
local function plain(value)
  if type(value) == "userdata" then
    local ok, ms = pcall(function()
      return value.ms
    end)
    return ok and ms or nil
  elseif type(value) ~= "table" then
    return value
  end
  local out = {}
  for name, item in pairs(value) do
    out[name] = plain(item)
  end
  return out
end

local function pick(doc, names)
  local out = {}
  for name in pairs(names) do
    out[name] = plain(doc and doc[name])
  end
  return out
end

-- The policy numbers of the configuration, under the settings of the project.
function M.settings(project)
  local out = {}
  for name, value in pairs(sys.config.policy or {}) do
    out[name] = value
  end
  local sandbox = sys.config.sandbox or {}
  out.max_lifetime_s, out.timeout_s = sandbox.max_lifetime_s, sandbox.timeout_s
  for name, value in pairs(project and project.settings or {}) do
    out[name] = plain(value)
  end
  return out
end

local function random()
  return (string.unpack("<I8", sys.random(8)) >> 11) / (1 << 53)
end

-- When the project was last used; a run of the agent, also one that waits for a permission, is use until it ends.
local function idle(project, now)
  local running =
    db.sessions:count { project_id = project._id, status = { ["$in"] = { "running", "waiting_permission" } } }
  if running and running > 0 then return 0, running end
  local last = math.max(
    project.created_at.ms,
    project.last_activity_at and project.last_activity_at.ms or 0,
    project.active_at and project.active_at.ms or 0
  )
  return math.max(0, now - last), 0
end

-- Facts about a project. `extra` adds or replaces groups (attempt, counts, health), or asks about another time (now).
function M.of_project(project, extra)
  local now = extra and extra.now or sys.now()
  local facts = {
    now = now,
    random = random(),
    settings = M.settings(project),
    project = pick(project, guard.KNOWN.project),
    sandbox = pick(project.sandbox, guard.KNOWN.sandbox),
    health = pick(project.health, guard.KNOWN.health),
    activity = plain(project.activity or {}),
    usage = pick(project.sandbox and project.sandbox.usage, guard.KNOWN.usage),
    user = { id = project.user_id, name = project.user_id },
    attempt = {},
  }
  facts.project.id = project._id
  facts.project.source = project.source and project.source.type
  facts.idle_ms, facts.activity.running = idle(project, now)
  local user = users.get(project.user_id)
  if user then facts.user.name = user.name end
  for name, value in pairs(extra or {}) do
    facts[name] = value
  end
  facts.counts = facts.counts or caps.counts(project)
  return facts
end

-- Facts about something a cleanup rule judges.
function M.of_item(item, now)
  return { now = now or sys.now(), random = random(), settings = M.settings(), item = item }
end

return M
