-- The facts policies decide on: which there are, how they are gathered, how they are guarded.
--
-- `known` is the one list; the reference and the stubs are checked against it. Times in facts are integers
-- (milliseconds since 1970), so that a snapshot stored as JSON replays exactly. `guard` makes the read-only view a
-- policy sees: a name that is not known raises, naming the nearest one.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local caps = require "lib.caps"
local db = require "lib.store"
local nearest = require "lib.nearest"

local M = {}

-- true is a value, a table is a group. `settings` takes its names from the configuration and the project.
M.known = {
  now = true,
  project = {
    id = true, name = true, user_id = true, state = true, phase = true, desired = true, provider = true, source = true,
    created_at = true, active_at = true, replaced = true,
  },
  user = { id = true, name = true },
  sandbox = { id = true, provider = true, state = true, created_at = true, expires_at = true, restarts = true },
  health = { ok = true, failures = true, latency_ms = true, can_chat = true, reason = true },
  counts = { total = true, user = true, provider = true },
  attempt = { n = true, code = true, message = true, step = true, retry_after_ms = true, retryable = true },
  idle_ms = true,
  activity = { chat = true, exec = true, preview = true, agent = true, running = true },
  usage = { cpu_pct = true, memory_mb = true, disk_mb = true, at = true },
  settings = {},
  random = true,
  item = {
    id = true, kind = true, project_id = true, age_ms = true, -- of all
    day = true, size = true, newer = true, lines = true, -- log_day
    name = true, provider = true, state = true, known = true, project_known = true, orphan_ms = true, -- instance
  },
}

-- Settings that policies may read even when neither configuration nor project names them.
local SETTINGS = {
  "idle_minutes", "max_active", "max_active_per_user", "retries", "retry_base_ms", "max_lifetime_s", "timeout_s",
  "workspace", "log_days", "log_mb", "decision_days", "orphan_minutes", "queue_minutes", "health_failures", "engine",
  "mode", "model", "egress", "vcpus", "memory_mb", "runtime", "image",
}

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
  local running = db.sessions:count { project_id = project._id, status = { ["$in"] = { "running", "waiting_permission" } } }
  if running and running > 0 then
    return 0, running
  end
  local last = math.max(
    project.last_activity_at and project.last_activity_at.ms or 0,
    project.active_at and project.active_at.ms or 0
  )
  return math.max(0, now - last), 0
end

-- Facts about a project. `extra` adds or replaces groups (attempt, counts, health).
function M.of_project(project, extra)
  local now = sys.now()
  local facts = {
    now = now, random = random(), settings = M.settings(project),
    project = pick(project, M.known.project), sandbox = pick(project.sandbox, M.known.sandbox),
    health = pick(project.health, M.known.health), activity = plain(project.activity or {}),
    usage = pick(project.sandbox and project.sandbox.usage, M.known.usage),
    user = { id = project.user_id, name = project.user_id }, attempt = {},
  }
  facts.project.id = project._id
  facts.project.source = project.source and project.source.type
  facts.idle_ms, facts.activity.running = idle(project, now)
  for _, user in ipairs(sys.config.users or {}) do
    if user.id == project.user_id then
      facts.user.name = user.name
    end
  end
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

local function unknown(name, path, allowed, group)
  local names = {}
  for _, source in ipairs { allowed, group } do
    for known in pairs(source) do
      names[known] = true
    end
  end
  local near = nearest.of(name, names)
  local hint = near and ("; did you mean " .. path .. near .. "?") or ""
  error("there is no fact '" .. path .. tostring(name) .. "'" .. hint, 3)
end

local function guard(group, known, path)
  local is_settings = path == "settings."
  local allowed = {}
  for _, name in ipairs(is_settings and SETTINGS or {}) do
    allowed[name] = true
  end
  for name, value in pairs(known) do
    allowed[name] = value
  end
  return setmetatable({}, {
    __index = function(_, name)
      local value = group[name]
      if type(value) == "table" and type(allowed[name]) == "table" then
        return guard(value, allowed[name], path .. name .. ".")
      elseif type(allowed[name]) == "table" then
        return guard({}, allowed[name], path .. name .. ".")
      elseif type(value) == "table" then
        return plain(value) -- a copy: a list or a map that a setting holds
      elseif value == nil and not allowed[name] then
        unknown(name, path, allowed, group)
      end
      return value
    end,
    __newindex = function(_, name)
      error("facts are read-only: " .. path .. tostring(name) .. " cannot be set", 2)
    end,
    __pairs = function()
      return next, group, nil
    end,
    __metatable = false,
  })
end

-- The read-only view of facts that a policy gets.
function M.guard(facts)
  return guard(facts, M.known, "")
end

return M
