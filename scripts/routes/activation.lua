-- A project's life: activate, deactivate, keep alive, and what can be seen of it.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local app = require "lib.app"
local S = require "lib.schema"
local activity = require "lib.activity"
local explain = require "lib.explain"
local facts_of = require "lib.facts"
local desired = require "lib.desired"
local policy = require "lib.policy"
local projects = require "lib.projects"
local providers = require "lib.providers"
local settings_of = require "lib.settings"
local talk = require "lib.talk"
local view = require "lib.view"

local M = {}

local ONE = "/api/users/:user/projects/:project"
local RACES = 3

local function load(req)
  return projects.load(req.params.user, req.params.project)
end

local function going_away()
  return app.fail("conflict", "The project is being deleted", { { reason = "deleted" } })
end

-- Write a wish; `fits(doc)` gives an answer when there is nothing to write, or one that refuses.
local function wish(req, wanted, force, fits)
  local message, code
  for _ = 1, RACES do
    local doc = load(req)
    if not doc then return app.not_found() end
    local status, body = fits(doc)
    if status then return status, body end
    local after
    after, message, code = desired.write(doc, wanted, {
      by = req.by,
      request_id = req.id,
      person = true,
      force = force or nil,
    })
    if after then
      return 202, view.project(after)
    elseif code ~= "conflict" then
      return app.fail(code, message)
    end
  end
  return app.fail("busy", "The project is changing; try again")
end

-- Admission's first question, before anything is written: a denial leaves the project as it is.
local function refused(doc)
  local provider, message, code = providers.get(doc.provider)
  local ok = provider
  if provider then
    ok, message, code = providers.takes(provider, settings_of.bare_source(doc))
  end
  if not ok then return app.fail(code == "not_found" and "invalid" or code, message) end
  local facts = facts_of.of_project(doc)
  local verdict = policy.decide("admission", facts)
  if verdict.verdict == "deny" then
    local row = explain.record(verdict, "admission", facts, { project_id = doc._id, user_id = doc.user_id })
    return app.fail(
      "denied",
      "Not admitted: " .. row.reason,
      { { reason = "admission", decision = view.decision(row) } }
    )
  end
end

M["POST " .. ONE .. "/activate"] = app.route {
  doc = "Want the project active; after an error this is the manual retry.",
  body = S.object {},
  answers = { [200] = "Project", [202] = "Project" },
  handler = function(req)
    return wish(req, "active", nil, function(doc)
      if doc.desired == "deleted" then
        return going_away()
      elseif doc.desired == "active" and doc.state == "active" then
        return 200, view.project(doc)
      elseif doc.desired == "active" and doc.state ~= "error" then
        return 202, view.project(doc)
      end
      return refused(doc)
    end)
  end,
}

M["POST " .. ONE .. "/deactivate"] = app.route {
  doc = "Want the project inactive: it drains, saves its sessions, collects its logs and stops. force waits for nothing.",
  body = S.object { force = S.boolean { default = false } },
  answers = { [200] = "Project", [202] = "Project" },
  handler = function(req)
    return wish(req, "inactive", req.body.force, function(doc)
      if doc.desired == "deleted" then
        return going_away()
      elseif doc.desired == "inactive" and doc.state == "inactive" then
        return 200, view.project(doc)
      elseif doc.desired == "inactive" and doc.state ~= "error" and not req.body.force then
        return 202, view.project(doc)
      end
    end)
  end,
}

M["POST " .. ONE .. "/keepalive"] = app.route {
  doc = "Counts as activity.",
  body = S.object {},
  answers = { [204] = "noted" },
  handler = function(req)
    local doc = load(req)
    if not doc then return app.not_found() end
    local noted, message, code = projects.touch(doc._id, "preview")
    if not noted then return app.fail(code, message) end
    return 204
  end,
}

M["GET " .. ONE .. "/status"] = app.route {
  doc = "Only what changes of a project. Reads the store alone; never touches a sandbox.",
  answers = { [200] = "Status" },
  handler = function(req)
    local doc = load(req)
    if not doc then return app.not_found() end
    return 200, view.status(doc)
  end,
}

M["GET " .. ONE .. "/activity"] = app.route {
  doc = "Decisions and changes of state, newest first.",
  query = app.page_query(),
  answers = { [200] = "list of Activity" },
  handler = function(req)
    local cursor = bus.cursor { "user:" .. req.params.user }
    local doc = load(req)
    if not doc then return app.not_found() end
    local items, next_page, code = activity.page(doc._id, req.query.limit, req.query.after)
    if not items then return app.fail(code, next_page) end
    return 200, app.page(items, next_page), { ["X-Gander-Event-Id"] = cursor }
  end,
}

M["GET " .. ONE .. "/contents"] = app.route {
  doc = "What a delete would take.",
  answers = { [200] = "Contents" },
  handler = function(req)
    local doc = load(req)
    if not doc then return app.not_found() end
    local contents = talk.contents(doc._id)
    contents.file_bytes = providers.workspace_bytes(doc)
    contents.running = doc.state ~= "inactive"
    return 200, contents
  end,
}

return M
