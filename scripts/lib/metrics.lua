-- metrics: the figures that the store knows: projects by state, activations and their time.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"

local M = {}

local STATES = { "inactive", "creating", "active", "stopping", "error" }

function M.text()
  local out = { "# HELP gander_projects Projects by state.\n# TYPE gander_projects gauge\n" }
  for _, state in ipairs(STATES) do
    out[#out + 1] = string.format('gander_projects{state="%s"} %d\n', state, db.projects:count { state = state } or 0)
  end
  local counter = db.counters:find_one { _id = "activations" } or {}
  out[#out + 1] = string.format(
    "# HELP gander_activation_seconds Time from a wish to an active project.\n"
      .. "# TYPE gander_activation_seconds summary\n"
      .. "gander_activation_seconds_sum %.3f\ngander_activation_seconds_count %d\n",
    (counter.total_ms or 0) / 1000,
    counter.count or 0
  )
  return table.concat(out)
end

return M
