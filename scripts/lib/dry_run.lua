-- What a changed policy would decide: the verdicts of the rules in force and of those with one text replaced, on the
-- same facts. Nothing is done, stored, logged or alerted.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local sys = require "gander.sys"
local db = require "lib.store"
local facts_of = require "lib.facts"
local policy = require "lib.policy"
local policy_check = require "lib.policy_check"
local verdicts = require "lib.verdicts"

local M = {}

-- Which projects a decision is about now.
local ABOUT = {
  admission = {},
  health = { state = "active" },
  idle = { state = "active" },
  lifetime = { state = "active" },
  retry = { last_error = { ["$exists"] = true } },
}

function M.known(decision)
  return ABOUT[decision] ~= nil
end

-- -> the module that `text` gives | nil, {{file, line, message}}
function M.load(path, text)
  local module, message = sys.scripts.load_pure(path, text)
  if not module then
    local file, line, fault = verdicts.place_of(message, path)
    return nil, { { file = file, line = line, message = fault } }
  end
  local faults = policy_check.contract(path, module)
  if #faults > 0 then return nil, faults end
  return module
end

-- The failure that a retry would be about: the project's last one, or its first.
local function attempt(project)
  local last, retry = project.last_error or {}, project.retry or {}
  local n = (retry.count or 0) + (retry.next_at and 0 or 1)
  return { n = n, code = last.code, message = last.message, step = last.step }
end

local function facts(project, decision, now)
  return facts_of.of_project(project, { now = now, attempt = decision == "retry" and attempt(project) or {} })
end

local function time(ms)
  return ms and date(math.floor(ms)) or nil
end

local function shown(verdict, now)
  return {
    verdict = verdict.verdict,
    reason = verdict.reason,
    policy = verdict.policy,
    file = verdict.file,
    line = verdict.line,
    at = time(verdict.at and verdicts.time_of(verdict.at, now)),
    ms = verdict.ms,
    ["until"] = time(verdict["until"]),
    failed = verdict.failed,
  }
end

-- Another act, or the same at another time; the words and the file may differ.
local function differs(a, b)
  return a.verdict ~= b.verdict or a.at ~= b.at or a.ms ~= b.ms or a["until"] ~= b["until"]
end

-- `trial` = {decision, name, module?, now?}. -> {project_id, before, after, differs}
local function judge(trial, project)
  local asked = facts(project, trial.decision, trial.now)
  local before = policy.decide(trial.decision, asked, (policy.trial(trial.decision, trial.name)))
  local after = policy.decide(trial.decision, asked, (policy.trial(trial.decision, trial.name, trial.module)))
  return {
    project_id = project._id,
    before = shown(before, asked.now),
    after = shown(after, asked.now),
    differs = differs(before, after),
  }
end

-- One project by its id, or a page of all that the decision is about. -> items, next | nil, message, code
function M.page(trial, id, limit, after)
  local query = { gone = { ["$exists"] = false }, _id = id }
  for field, condition in pairs(id and {} or ABOUT[trial.decision]) do
    query[field] = condition
  end
  local docs, next_page, code = db.projects:find(query, { sort = { "-created_at" }, limit = limit, after = after })
  if not docs then
    return nil, next_page, code
  elseif id and not docs[1] then
    return nil, "There is no project " .. id, "not_found"
  end
  local items = {}
  for i, project in ipairs(docs) do
    items[i] = judge(trial, project)
  end
  return items, next_page
end

return M
