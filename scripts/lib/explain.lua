-- Decisions that changed or held something are stored with all that explains them.
--
-- A verdict comes from lib/policy. `record` stores it; `reason` is what the project shows of it.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local db = require "lib.store"

local M = {}

-- Store a verdict about a subject {project_id?, user_id?, item?}. -> the decision's row
-- A store that fails must not turn a decision into another one: the row then comes back unstored and is logged.
function M.record(verdict, decision, facts, subject)
  local row = {
    _id = sys.uuid(),
    at = date(sys.now()),
    decision = decision,
    policy = verdict.policy,
    file = verdict.file,
    line = verdict.line,
    generation = verdict.generation,
    verdict = verdict.verdict,
    reason = verdict.reason,
    project_id = subject.project_id,
    user_id = subject.user_id,
    facts = json.encode(json.object(facts)),
  }
  local stored, message = db.decisions:insert(row)
  if not stored then
    log("error", "a decision could not be stored", { decision = decision, verdict = row.verdict, error = message })
  end
  return row
end

-- What the project shows of a stored decision.
function M.reason(row)
  return {
    text = row.reason,
    policy = row.policy,
    file = row.file,
    line = row.line,
    generation = row.generation,
    at = row.at,
    decision_id = row._id,
  }
end

return M
