-- What a decision may answer, and what is wrong with an answer. Pure.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

-- Which verdicts each decision takes. `cleanup` stands for the rules under cleanup/.
M.TAKES = {
  admission = { "allow", "deny", "queue" },
  retry = { "retry", "give_up" },
  health = { "keep", "restart", "replace", "stop", "warn" },
  idle = { "keep", "stop", "warn" },
  lifetime = { "keep", "stop", "warn", "extend" },
  cleanup = { "keep", "remove" },
}

M.TIME_MAX = 1e15 -- milliseconds; beyond it is a mistake

local ABSOLUTE_MS = 1000000000000 -- an `at` from here on is a time, below it a wait

-- The time that a verdict's `at` means.
function M.time_of(at, now)
  return at < ABSOLUTE_MS and now + at or at
end

function M.contains(list, word)
  for _, item in ipairs(list) do
    if item == word then return true end
  end
  return false
end

local function fault_in_time(answer, name)
  local value = answer[name]
  if value == nil or (type(value) == "number" and value >= 0 and value <= M.TIME_MAX) then return nil end
  return "its '" .. name .. "' is no time or duration in milliseconds"
end

-- -> what is wrong with the answer of a decision, or nil
function M.fault_in(decision, answer)
  if type(answer) ~= "table" or type(answer.verdict) ~= "string" then
    return "answered with a " .. type(answer) .. ", which is no verdict"
  elseif not M.contains(M.TAKES[decision], answer.verdict) then
    local takes = table.concat(M.TAKES[decision], ", ")
    return "answered '" .. answer.verdict .. "'; " .. decision .. " takes " .. takes
  end
  return fault_in_time(answer, "at") or fault_in_time(answer, "ms") or fault_in_time(answer, "until")
end

-- Split "file:line: text"; another text belongs to the first line of `path`.
function M.place_of(fault, path)
  local text = tostring(fault)
  local file, line, rest = text:match "^([%w_/.-]+%.lua):(%d+): (.*)$"
  return file or path, tonumber(line) or 1, rest or text
end

return M
