-- What is wanted of a project: active, inactive or deleted.
--
-- `write` puts the wish into the document and, where the table of states says so, the first state on the way there in
-- the same write; then it queues the job that goes the rest. Requests and policies write wishes; nothing here asks
-- admission or starts anything.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local applies = require "lib.applies"
local lifecycle = require "lib.lifecycle"
local progress = require "lib.reconcile.progress"
local queue = require "lib.queue"

local M = {}

-- The state a wish leads to at once; other wishes are met at the next recorded step (seams.md section 4).
local FIRST = {
  inactive = { active = { "creating", "queued" } },
  active = { inactive = { "stopping", "draining" }, deleted = { "stopping", "draining" } },
  error = {
    active = { "creating", "queued" },
    inactive = { "stopping", "stopping" },
    deleted = { "stopping", "stopping" },
  },
}

-- A new activation starts with clean counters.
local function fresh(doc)
  return {
    progress = progress.fresh(),
    applied = applies.snapshot(doc),
    last_error = json.null,
    retry = json.null,
    queue = json.null,
    reason = json.null,
    next = json.null,
    health = json.null,
    force = json.null,
    replaced = json.null,
  }
end

-- What the wish writes into the document.
local function fields_of(project, desired, why, first)
  local fields = first and desired == "active" and fresh(project) or {}
  fields.desired = desired
  fields.force = why.force or fields.force
  fields.reason = why.reason or fields.reason
  if desired ~= "active" then
    fields.next = json.null
    if first then fields.retry = json.null end
  end
  if project.state == "active" then
    fields.last_error = json.null -- that of a policy that failed; the activation's own is over
  end
  if why.person and project.desired ~= desired then fields.revision = project.revision + 1 end
  if desired == "deleted" and project.state == "inactive" then
    fields.gone, fields.name_key = true, lifecycle.freed_name(project._id)
  end
  return fields
end

-- Want a project active, inactive or deleted, and queue the job that brings it there.
-- `why` = {by, request_id, person=true (counts as a revision), force=true, decision=row, reason=reason}.
-- -> the new document | nil, message, code
function M.write(project, desired, why)
  local first = FIRST[project.state] and FIRST[project.state][desired]
  local function fields(doc)
    return fields_of(doc, desired, why, first)
  end
  local after, message, code
  if first then
    after, message, code = lifecycle.move(project, first[1], first[2], fields, why)
  else
    after, message, code = lifecycle.note(project, fields)
  end
  if after then queue.push("reconcile", {}, { key = project._id }) end
  return after, message, code
end

return M
