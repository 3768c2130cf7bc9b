-- Which facts there are, and the read-only view of them that a policy gets. Pure.
--
-- A name that is not known raises, naming the nearest one; so does any attempt to set one.
-- SPDX-License-Identifier: Apache-2.0
local nearest = require "lib.nearest"

local M = {}

-- Settings that policies may read even when neither configuration nor project names them.
local SETTINGS = {}
for name in
  ([[
    idle_minutes max_active max_active_per_user retries retry_base_ms max_lifetime_s timeout_s workspace log_days log_mb
    decision_days orphan_minutes queue_minutes health_failures engine mode model egress vcpus memory_mb runtime image
  ]]):gmatch "%S+"
do
  SETTINGS[name] = true
end

-- true is a value, a table is a group. `settings` has more names when configuration or project give them.
M.KNOWN = {
  now = true,
  project = {
    id = true,
    name = true,
    user_id = true,
    state = true,
    phase = true,
    desired = true,
    provider = true,
    source = true,
    created_at = true,
    active_at = true,
    replaced = true,
  },
  user = { id = true, name = true },
  sandbox = { id = true, provider = true, state = true, created_at = true, expires_at = true, restarts = true },
  health = { ok = true, failures = true, latency_ms = true, can_chat = true, reason = true },
  counts = { total = true, user = true, provider = true },
  attempt = { n = true, code = true, message = true, step = true, retry_after_ms = true, retryable = true },
  idle_ms = true,
  activity = { chat = true, exec = true, preview = true, agent = true, running = true },
  usage = { cpu_pct = true, memory_mb = true, disk_mb = true, at = true },
  settings = SETTINGS,
  random = true,
  item = {
    id = true,
    kind = true,
    project_id = true,
    age_ms = true, -- of all
    day = true,
    size = true,
    newer = true,
    lines = true, -- log_day
    name = true,
    provider = true,
    state = true,
    known = true,
    project_known = true,
    orphan_ms = true, -- instance
  },
}

-- Which decisions have a fact; the others find it empty. Those named nowhere here: all but cleanup.
local EVERYWHERE = { "admission", "cleanup", "health", "idle", "lifetime", "retry" }
local OF_PROJECT = { "admission", "health", "idle", "lifetime", "retry" }
local DECISIONS =
  { now = EVERYWHERE, random = EVERYWHERE, settings = EVERYWHERE, item = { "cleanup" }, attempt = { "retry" } }

-- The decisions that have the fact or group of this name.
function M.decisions(name)
  return DECISIONS[name] or OF_PROJECT
end

-- A copy that the policy may do with as it likes: a list or a map that a setting holds.
local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for name, item in pairs(value) do
    out[name] = copy(item)
  end
  return out
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

local function guard(group, allowed, path)
  return setmetatable({}, {
    __index = function(_, name)
      local value = group[name]
      if type(value) == "table" and type(allowed[name]) == "table" then
        return guard(value, allowed[name], path .. name .. ".")
      elseif type(allowed[name]) == "table" then
        return guard({}, allowed[name], path .. name .. ".")
      elseif type(value) == "table" then
        return copy(value)
      elseif value == nil and not allowed[name] then
        unknown(name, path, allowed, group)
      end
      return value
    end,
    __newindex = function(_, name)
      error("facts are read-only: " .. path .. tostring(name) .. " cannot be set", 2)
    end,
    __pairs = function(self)
      return function(_, last)
        local name = next(group, last)
        if name ~= nil then return name, self[name] end
      end,
        self,
        nil
    end,
    __metatable = false,
  })
end

-- The read-only view of facts that a policy gets.
function M.wrap(facts)
  return guard(facts, M.KNOWN, "")
end

return M
