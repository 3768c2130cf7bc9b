-- A step of an activation failed: the retry policy says when to try again, or that it is over.
--
-- The failed sandbox is marked `doomed` in the same write; reconcile discards it before anything else, so a name is
-- never used again. A crash of the host is no failure: its step is simply run again.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local common = require "lib.reconcile.common"
local explain = require "lib.explain"
local facts_of = require "lib.facts"
local lifecycle = require "lib.lifecycle"
local policy = require "lib.policy"
local progress = require "lib.reconcile.progress"
local verdicts = require "lib.verdicts"

local M = {}

local WAIT_MAX_MS = 3600000

-- -> when the policy wants the next try, in bounds
local function time_of(at, now)
  at = verdicts.time_of(math.floor(at or 0), now)
  return math.min(math.max(at, now), now + WAIT_MAX_MS)
end

-- Record the failure of the project's present step. `extra` = {retry_after_ms?, retryable?} from the provider.
-- -> the job's answer
function M.step(project, message, code, extra)
  extra, code = extra or {}, code or "internal"
  local now, count = sys.now(), (project.retry and project.retry.count or 0) + 1
  local facts = facts_of.of_project(project, {
    attempt = {
      n = count,
      code = code,
      message = message,
      step = project.phase,
      retry_after_ms = extra.retry_after_ms,
      retryable = extra.retryable,
    },
  })
  local verdict = policy.decide("retry", facts)
  local row = explain.record(verdict, "retry", facts, { project_id = project._id, user_id = project.user_id })
  local again = verdict.verdict == "retry"
  local at = again and time_of(verdict.at, now) or nil
  local fields = {
    retry = { count = again and count or count - 1, max = facts.settings.retries or 3, next_at = at and date(at) },
    last_error = { code = code, message = message, step = project.phase, at = date(now), retryable = again },
    progress = progress.broken(project.progress, message),
    reason = explain.reason(row),
    queue = json.null,
    health = json.null,
    next = again and { act = "start", at = date(at), policy = row.policy, text = row.reason } or json.null,
    ["sandbox.doomed"] = project.sandbox and true or nil,
  }
  local why = { by = row.policy, decision = row }
  if again then return common.recorded(lifecycle.move(project, "creating", "waiting_retry", fields, why)) end
  return common.recorded(lifecycle.move(project, "error", project.phase, fields, why))
end

return M
