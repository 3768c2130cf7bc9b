-- The policy engine: asks the files of policies/<decision>/ and answers with a verdict.
--
-- Files are asked by `order`, then by name; the first that answers decides. A policy that raises or answers rubbish
-- decides too, on the safe side (FAULT), and its fault is logged and alerted. When none has an opinion the built-in
-- last word stands (LAST). Deciding does nothing else: the caller acts and records (lib/explain).
-- SPDX-License-Identifier: Apache-2.0
local log = require "gander.log"
local sys = require "gander.sys"
local events = require "lib.events"
local guard = require "lib.facts.guard"
local policy_check = require "lib.policy_check"
local verdicts = require "lib.verdicts"

local M = {}

-- Contract and tests of one file under policies/ or cleanup/: a list of {file, line, message}, empty when all is well.
M.check = policy_check.check

-- What holds when no policy has an opinion, and when one is broken.
local LAST = {
  admission = { "allow", "no policy objects" },
  retry = { "give_up", "no policy wants another try" },
  health = { "keep", "no policy acts on it" },
  idle = { "keep", "no policy limits it" },
  lifetime = { "keep", "no policy limits it" },
}
local FAULT =
  { admission = "deny", retry = "give_up", health = "keep", idle = "keep", lifetime = "keep", cleanup = "keep" }

local lists = {} -- decision -> its files in order; a VM holds one generation, so they never go stale
local alerted = {} -- fault -> when it was last alerted by this VM
local ALERT_MS = 60000

local function sort(list)
  table.sort(list, function(a, b)
    if a.order ~= b.order then return a.order < b.order end
    return a.name < b.name
  end)
  return list
end

local function files_of(decision)
  if lists[decision] then return lists[decision] end
  local list = {}
  for _, path in ipairs(sys.script_paths()) do
    local name = path:match("^policies/" .. decision .. "/([%w_-]+)%.lua$")
    if name then
      local ok, policy = pcall(require, "policies." .. decision .. "." .. name)
      list[#list + 1] = {
        name = decision .. "/" .. name,
        path = path,
        policy = ok and policy or nil,
        fault = not ok and policy or nil,
        order = ok and policy.order or 0,
      }
    end
  end
  lists[decision] = sort(list)
  return list
end

-- The files of a decision with `module` in the place of policies/<decision>/<name>.lua, for a trial; as they are
-- without one. -> list for `decide`, and whether there is a file of that name
function M.trial(decision, name, module)
  local list, found = {}, false
  for _, file in ipairs(files_of(decision)) do
    local same = file.name == decision .. "/" .. name
    found = found or same
    if not (same and module) then list[#list + 1] = file end
  end
  if module then
    local path = "policies/" .. decision .. "/" .. name .. ".lua"
    list[#list + 1] = { name = decision .. "/" .. name, path = path, policy = module, order = module.order or 0 }
  end
  return sort(list), found
end

local function alert(decision, file, reason, path, line)
  local now = sys.now()
  if now - (alerted[reason] or 0) <= ALERT_MS then return end
  alerted[reason] = now
  log("error", reason, { file = path, line = line, decision = decision })
  events.alert { kind = "policy", text = reason, policy = file.name, file = path, line = line }
end

local function broken(decision, file, fault, quiet)
  local path, line, text = verdicts.place_of(fault, file.path)
  local reason = "policy " .. file.name .. " failed: " .. text
  if not quiet then alert(decision, file, reason, path, line) end
  return {
    verdict = FAULT[decision],
    reason = reason:sub(1, 500),
    file = path,
    line = line,
    policy = file.name,
    failed = true,
  }
end

-- Ask one file. -> a verdict, or nil when it has no opinion
local function ask(decision, file, guarded, quiet)
  if not file.policy then return broken(decision, file, file.fault, quiet) end
  local ok, answer = pcall(file.policy.decide, guarded)
  if not ok then
    return broken(decision, file, answer, quiet)
  elseif answer == nil then
    return nil
  end
  local fault = verdicts.fault_in(decision, answer)
  if fault then return broken(decision, file, fault, quiet) end
  answer.policy = file.name
  return answer
end

-- Ask one cleanup rule {name, path, rule} about facts.item. -> a verdict; keep when the rule is broken
function M.judge(entry, facts)
  local guarded = guard.wrap(facts)
  local file = {
    name = "cleanup/" .. entry.name,
    path = entry.path,
    policy = {
      decide = function()
        return entry.rule.decide(guarded.item, guarded)
      end,
    },
  }
  local keeps =
    { verdict = "keep", reason = "the rule has no opinion", policy = file.name, file = entry.path, line = 1 }
  local verdict = ask("cleanup", file, guarded) or keeps
  verdict.generation = sys.version.generation
  return verdict
end

-- Decide. With `trial` its files are asked, and a fault is neither logged nor alerted.
-- -> {verdict, reason, file, line, policy, generation, at?, ms?, until?, failed?}; always an answer
function M.decide(decision, facts, trial)
  local last = LAST[decision] or error("there is no decision '" .. tostring(decision) .. "'", 2)
  local guarded = guard.wrap(facts)
  local verdict
  for _, file in ipairs(trial or files_of(decision)) do
    verdict = ask(decision, file, guarded, trial ~= nil)
    if verdict then break end
  end
  verdict = verdict or { verdict = last[1], reason = last[2], policy = "built-in", file = "lib/policy.lua", line = 1 }
  verdict.generation = sys.version.generation
  return verdict
end

return M
