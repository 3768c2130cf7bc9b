-- Contracts and tests of the files an operator writes: policies/<decision>/<name>.lua and cleanup/<name>.lua.
--
-- The host calls `check` for each of them in a trial VM before a set goes live. It runs the file's own `tests`; it
-- reads no store and acts on nothing.
-- SPDX-License-Identifier: Apache-2.0
local guard = require "lib.facts.guard"
local nearest = require "lib.nearest"
local verdicts = require "lib.verdicts"

local M = {}

M.KINDS = { "decision", "instance", "log_day" } -- what cleanup rules can be about

local POLICY_FIELDS = { decide = "function", doc = "string", on = "string", order = "number", tests = "table" }
local RULE_FIELDS = { decide = "function", doc = "string", every_s = "number", of = "string", tests = "table" }
local OPTIONAL = { order = true, tests = true, every_s = true }
local TEST_FIELDS = { name = true, facts = true, item = true, expect = true }

local function suggest(name, known)
  local near = nearest.of(name, known)
  return near and ("; did you mean '" .. near .. "'?") or ""
end

-- The fields of a table against a contract; `add(message)` takes each fault.
local function check_fields(file, fields, add)
  for name in pairs(file) do
    if not fields[name] then add("unknown field '" .. tostring(name) .. "'" .. suggest(name, fields)) end
  end
  for name, wanted in pairs(fields) do
    local value = file[name]
    if value == nil and not OPTIONAL[name] then
      add("field '" .. name .. "' is missing")
    elseif value ~= nil and type(value) ~= wanted then
      add("field '" .. name .. "' must be a " .. wanted .. ", not a " .. type(value))
    end
  end
end

-- Run one test case of the file. -> nil, or what is wrong and the line of the verdict
local function run_test(file, decision, test)
  local facts = { now = 0, random = 0.5 }
  for name, value in pairs(test.facts or {}) do
    facts[name] = value
  end
  local ok, answer
  if decision == "cleanup" then
    facts.item = test.item
    local guarded = guard.wrap(facts)
    ok, answer = pcall(file.decide, guarded.item, guarded)
  else
    ok, answer = pcall(file.decide, guard.wrap(facts))
  end
  if not ok then return tostring(answer) end
  local fault = answer ~= nil and verdicts.fault_in(decision, answer)
  if fault then return fault end
  local got, want = answer and answer.verdict or "none", test.expect or "none"
  if got ~= want then
    local reason = answer and (" (" .. answer.reason .. ")") or ""
    return "expected " .. want .. ", got " .. got .. reason, answer and answer.line
  end
end

local function check_tests(file, decision, add)
  for i, test in ipairs(file.tests or {}) do
    local name = type(test) == "table" and test.name or i
    if type(test) ~= "table" then
      add("test " .. i .. " is no table")
    else
      for field in pairs(test) do
        if not TEST_FIELDS[field] then
          add("test '" .. name .. "': unknown field '" .. tostring(field) .. "'" .. suggest(field, TEST_FIELDS))
        end
      end
      local fault, line = run_test(file, decision, test)
      if fault then add("test '" .. name .. "': " .. fault, line) end
    end
  end
end

local function check_policy(file, decision, add)
  if not verdicts.TAKES[decision] or decision == "cleanup" then
    return add("there is no decision '" .. decision .. "'" .. suggest(decision, verdicts.TAKES))
  end
  check_fields(file, POLICY_FIELDS, add)
  if type(file.on) == "string" and file.on ~= decision then
    add("'on' says '" .. file.on .. "', but the file lies in policies/" .. decision)
  end
end

local function check_rule(file, add)
  check_fields(file, RULE_FIELDS, add)
  if type(file.of) == "string" and not verdicts.contains(M.KINDS, file.of) then
    add("there is no kind of thing '" .. file.of .. "'; 'of' takes " .. table.concat(M.KINDS, ", "))
  end
  if type(file.every_s) == "number" and file.every_s < 1 then add "every_s must be 1 or more" end
end

local function collector(path)
  local faults = {}
  return faults,
    function(message, line)
      local file, at, text = verdicts.place_of(message, path)
      faults[#faults + 1] = { file = file, line = line or at, message = text }
    end
end

local function decision_of(path)
  return path:match "^policies/([%w_-]+)/[%w_-]+%.lua$" or path:match "^cleanup/[%w_-]+%.lua$" and "cleanup"
end

-- The contract alone, of a module that a text at `path` gave. -> {{file, line, message}}, empty when it is kept
function M.contract(path, file)
  local faults, add = collector(path)
  local decision = decision_of(path)
  if not decision then
    add(path .. " is neither policies/<decision>/<name>.lua nor cleanup/<name>.lua")
  elseif type(file) ~= "table" then
    add "the file must return a table"
  elseif decision == "cleanup" then
    check_rule(file, add)
  else
    check_policy(file, decision, add)
  end
  return faults
end

-- `path` is the file's, with or without .lua.
-- -> {{file, line, message}}, empty when the file keeps its contract and passes its tests
function M.check(path)
  path = path:gsub("%.lua$", "") .. ".lua"
  local faults, add = collector(path)
  local ok, file = true, nil
  if decision_of(path) then
    ok, file = pcall(require, (path:gsub("%.lua$", ""):gsub("/", ".")))
  end
  if not ok then
    add(file)
    return faults
  end
  local broken = M.contract(path, file)
  if #broken > 0 then return broken end
  check_tests(file, decision_of(path), add)
  return faults
end

return M
