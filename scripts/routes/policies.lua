-- Trying a policy before it is saved.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local app = require "lib.app"
local S = require "lib.schema"
local dry_run = require "lib.dry_run"
local policy = require "lib.policy"

local M = {}

local function invalid(faults)
  local first = faults[1]
  return app.fail("invalid", string.format("%s:%d: %s", first.file, first.line, first.message), faults)
end

local function run(req)
  local decision, name, text = req.params.decision, req.params.name, req.body.text
  if not dry_run.known(decision) then return app.fail("not_found", "There is no decision " .. decision) end
  if not name:find "^[a-z0-9_-]+$" or #name > 64 then
    return app.fail("invalid", "A policy's name has 1 to 64 of the characters a-z 0-9 _ -; this one is " .. name)
  end
  local path = "policies/" .. decision .. "/" .. name .. ".lua"
  local module, faults
  if text then
    module, faults = dry_run.load(path, text)
    if not module then return invalid(faults) end
  end
  local _, exists = policy.trial(decision, name)
  if not exists and not text then return app.fail("not_found", "There is no script " .. path) end
  local trial = { decision = decision, name = name, module = module, now = req.body.now and date(req.body.now).ms }
  local items, next_page, code = dry_run.page(trial, req.body.project, req.query.limit, req.query.after)
  if not items then return app.fail(code, next_page) end
  return 200, app.page(items, next_page)
end

M["POST /api/policies/:decision/:name/dry-run"] = app.route {
  doc = "What this policy would decide with another text, beside what holds now, on live facts. Nothing is done.",
  query = app.page_query(),
  body = S.object {
    text = S.optional(S.string { max = 1048576 }),
    project = S.optional(S.string { format = "uuid" }),
    now = S.optional(S.string { format = "date" }),
  },
  answers = { [200] = "list of DryRun", [400] = "Error", [404] = "Error" },
  handler = run,
}

return M
