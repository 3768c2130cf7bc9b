-- Which changed fields of a project wait for its next activation.
--
-- At each activation `snapshot` keeps what it starts with, as JSON text; `waiting` compares. Fields that are read
-- while the sandbox runs (idle_minutes, workspace, name, description) never wait.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"

local M = {}

local SETTINGS = { "egress", "engine", "image", "memory_mb", "mode", "model", "runtime", "timeout_s", "vcpus" }
local RUNS = { creating = true, active = true }

local function text(value)
  return value == nil and "" or json.encode(value)
end

local function parts(doc)
  local settings, secrets = doc.settings or {}, doc.secrets or {}
  local out = { source = text(doc.source) .. (secrets.password or ""), ["settings.env"] = secrets.env or "" }
  for _, name in ipairs(SETTINGS) do
    out["settings." .. name] = text(settings[name])
  end
  return out
end

function M.snapshot(doc)
  return json.encode(parts(doc))
end

-- -> the names of the fields, sorted; empty when nothing runs
function M.waiting(doc)
  local names = json.array {}
  if RUNS[doc.state] and doc.applied then
    local now, before = parts(doc), json.decode(doc.applied)
    for name, value in pairs(now) do
      if before[name] ~= value then names[#names + 1] = name end
    end
    table.sort(names)
  end
  return names
end

return M
