-- Each second: ask idle and lifetime about the projects whose time has come, and carry out what they say.
--
-- `next.at` is when a project is looked at again: what a policy named (then `next` also says what will happen), or a
-- minute from now. After a new generation of scripts every active project is asked at once.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local common = require "lib.reconcile.common"
local db = require "lib.store"
local explain = require "lib.explain"
local facts_of = require "lib.facts"
local desired = require "lib.desired"
local lifecycle = require "lib.lifecycle"
local policy = require "lib.policy"
local queue = require "lib.queue"

local EVERY_MS, PAGE = 1000, 100
local LOOK_AGAIN_MS = 60000
local DECISIONS = { "lifetime", "idle" }

local function subject(project)
  return { project_id = project._id, user_id = project.user_id }
end

local function stop(project, decision, verdict, facts)
  local row = explain.record(verdict, decision, facts, subject(project))
  desired.write(project, "inactive", { by = row.policy, decision = row, reason = explain.reason(row) })
end

-- More time from the provider. -> the new end, nil when it was refused (the sandbox then ends as planned)
local function extend(project, decision, verdict, facts)
  explain.record(verdict, decision, facts, subject(project))
  local provider, ctx = common.provider_of(project)
  if not provider or not provider.extend then return nil end
  local done, message = provider.extend(ctx, math.floor(verdict.ms))
  if not done then
    log("warn", "a sandbox's time could not be extended", { project = project._id, error = message })
    return nil
  end
  return done.expires_at
end

-- What will happen by itself and when; without such, when to look again.
local function next_of(verdicts, now)
  local first
  for _, verdict in ipairs(verdicts) do
    local at = verdict["until"] or verdict.verdict == "warn" and verdict.at
    if at and (not first or at < first.at) then
      first = { at = math.floor(at), policy = verdict.policy, text = verdict.reason }
    end
  end
  if first and first.at > now then
    return { act = "stop", at = date(first.at), policy = first.policy, text = first.text }
  end
  return { at = date(now + LOOK_AGAIN_MS) }
end

local function same_next(a, b)
  return a and a.act == b.act and a.at == b.at and a.policy == b.policy and a.text == b.text
end

-- A fault of a policy is shown on the project; it keeps what it was asked about.
local function fault_of(verdicts, project, now)
  for _, verdict in ipairs(verdicts) do
    if verdict.failed then
      local last = project.last_error
      if last and last.message == verdict.reason then return last end
      return { code = "internal", message = verdict.reason, step = verdict.policy, at = date(now), retryable = false }
    end
  end
end

local function ask(project)
  local facts, verdicts, expires = facts_of.of_project(project), {}, nil
  for _, decision in ipairs(DECISIONS) do
    local verdict = policy.decide(decision, facts)
    if verdict.verdict == "stop" then
      return stop(project, decision, verdict, facts)
    elseif verdict.verdict == "extend" then
      expires = extend(project, decision, verdict, facts)
    end
    verdicts[#verdicts + 1] = verdict
  end
  local new = next_of(verdicts, facts.now)
  local fault = fault_of(verdicts, project, facts.now)
  if not fault and project.last_error and project.state == "active" then
    fault = json.null -- the policy was mended
  end
  if expires or fault or not same_next(project.next, new) then
    lifecycle.note(project, { next = new, ["sandbox.expires_at"] = expires, last_error = fault })
  end
end

local function look(project)
  if project.state == "active" and project.phase == "healthy" and project.desired == "active" then
    if not common.each("tick", project, ask) then
      lifecycle.note(project, { next = { at = date(sys.now() + LOOK_AGAIN_MS) } })
    end
  else
    queue.push("reconcile", {}, { key = project._id })
    lifecycle.note(project, { next = json.null })
  end
end

return {
  doc = "Asks the idle and lifetime policies about the projects whose time has come.",
  timeout_s = 60,
  every_s = 1,

  run = function(job)
    local generation, data = sys.version.generation, job.data
    local fresh = data.generation ~= generation
    local query = fresh and { state = "active" } or { ["next.at"] = { ["$lte"] = date(sys.now()) } }
    local page, after = assert(db.projects:find(query, { limit = PAGE, after = fresh and data.after or nil }))
    for _, project in ipairs(page) do
      look(project)
    end
    if fresh and after then return { again_ms = 0, data = { generation = data.generation, after = after } } end
    return { again_ms = #page == PAGE and 0 or EVERY_MS, data = { generation = generation } }
  end,
}
