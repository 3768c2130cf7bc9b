-- Runs the rules of cleanup/ over what they are about, and removes what they say.
--
-- A rule that raises or answers rubbish keeps. Each removal is a stored decision, but for decisions themselves. One
-- page of one rule a run; where it stands is the job's data.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local caps = require "lib.caps"
local explain = require "lib.explain"
local facts_of = require "lib.facts"
local idempotency = require "lib.idempotency"
local policy = require "lib.policy"

local EVERY_S = 20
local RULE_EVERY_S = 3600 -- of a rule that names none

local function rules()
  local list = {}
  for _, path in ipairs(sys.script_paths()) do
    local name = path:match "^cleanup/([%w_-]+)%.lua$"
    local ok, rule = pcall(require, "cleanup." .. tostring(name))
    if name and ok then list[#list + 1] = { name = name, path = path, rule = rule } end
  end
  return list
end

-- The rule that is due and has waited longest, or nil.
local function due(state, now)
  local first, waited
  for _, entry in ipairs(rules()) do
    local at = state.ran[entry.name] or 0
    local late = now - at - 1000 * (entry.rule.every_s or RULE_EVERY_S)
    if late >= 0 and (not waited or late > waited) then
      first, waited = entry, late
    end
  end
  return first
end

local function judge(entry, source, item, now)
  local facts = facts_of.of_item(item, now)
  local verdict = policy.judge(entry, facts)
  if verdict.verdict ~= "remove" then return false end
  local done, message = source.remove(item)
  if not done then
    log("warn", "a cleanup rule could not remove its item", { rule = entry.name, item = item.id, error = message })
    return false
  end
  if item.kind ~= "decision" then explain.record(verdict, "cleanup", facts, { project_id = item.project_id }) end
  return true
end

-- One page of a rule's items. -> whether there is a next one, and its cursor
local function run_page(entry, state, now)
  local source = require("lib.clean." .. entry.rule.of)
  local context = { now = now, after = state.after, seen = state.seen }
  local items, after, more = source.items(context)
  local removed = 0
  for _, item in ipairs(items) do
    if judge(entry, source, item, now) then removed = removed + 1 end
  end
  if context.still then state.seen = json.object(context.still) end
  if more and removed > 0 then return true, state.after end -- the same page again: what was removed made room
  return after ~= nil, after
end

return {
  doc = "Runs the cleanup rules and removes what they say.",
  timeout_s = 120,
  every_s = EVERY_S,

  run = function(job)
    local now = sys.now()
    local state =
      { ran = json.object(job.data.ran or {}), seen = json.object(job.data.seen or {}), rule = job.data.rule }
    state.after = job.data.after
    local entry
    for _, candidate in ipairs(state.rule and rules() or {}) do
      entry = candidate.name == state.rule and candidate or entry
    end
    entry = entry or due(state, now)
    if not entry then
      caps.sweep()
      idempotency.sweep()
      return { again_ms = 1000 * EVERY_S, data = { ran = state.ran, seen = state.seen } }
    end
    local goes_on, after = run_page(entry, state, now)
    if goes_on then
      return { again_ms = 0, data = { ran = state.ran, seen = state.seen, rule = entry.name, after = after } }
    end
    state.ran[entry.name] = now
    return { again_ms = 0, data = { ran = state.ran, seen = state.seen } }
  end,
}
