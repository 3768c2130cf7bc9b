-- The steps of an activation as the page shows them. Pure: each function makes a new `progress`.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"

local M = {}

local STEPS = { "queued", "creating", "installing", "starting", "healthy" }
local TEXT = {
  queued = "waiting for admission",
  creating = "creating the sandbox",
  installing = "putting the agent's server in place",
  starting = "starting the agent's server",
  healthy = "the agent answers",
}

local function number_of(name)
  for i, step in ipairs(STEPS) do
    if step == name then return i end
  end
end

-- The steps so far, the last one ended now; `fault` is why it broke.
local function ended(progress, fault)
  local steps = json.array {}
  for i, step in ipairs(progress and progress.steps or {}) do
    steps[i] = step
  end
  local last = steps[#steps]
  if last and not last.ended_at then
    steps[#steps] = { name = last.name, started_at = last.started_at, ended_at = date(sys.now()), error = fault }
  end
  return steps
end

-- A new attempt: only the queue is behind it.
function M.fresh()
  local steps = json.array { { name = "queued", started_at = date(sys.now()) } }
  return { step = 1, of = #STEPS, text = TEXT.queued, steps = steps }
end

-- The next step begins. A step that begins again (a retry) starts the list anew up to it.
function M.begin(progress, name)
  local n = number_of(name)
  local steps = ended(progress)
  for i = #steps, 1, -1 do
    if number_of(steps[i].name) >= n then steps[i] = nil end
  end
  local now = date(sys.now())
  steps[#steps + 1] = { name = name, started_at = now, ended_at = n == #STEPS and now or nil }
  return { step = n, of = #STEPS, text = TEXT[name], steps = steps }
end

-- The activation is given up on the way: its present step ends here, with no fault.
function M.cut(progress)
  if not progress then return nil end
  return { step = progress.step, of = progress.of, text = "given up on request", steps = ended(progress) }
end

-- The present step broke.
function M.broken(progress, fault)
  local steps = ended(progress, fault)
  return { step = progress and progress.step or 1, of = #STEPS, text = fault, steps = steps }
end

return M
