-- A user's projects: list, create, read, change, delete.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local date = require "gander.date"
local sys = require "gander.sys"
local app = require "lib.app"
local S = require "lib.schema"
local db = require "lib.store"
local events = require "lib.events"
local desired = require "lib.desired"
local project_edit = require "lib.project_edit"
local project_schema = require "lib.project_schema"
local projects = require "lib.projects"
local providers = require "lib.providers"
local revision = require "lib.revision"
local users = require "lib.users"
local view = require "lib.view"

local M = {}

local LIST = "/api/users/:user/projects"
local ONE = LIST .. "/:project"
local STATES = { "inactive", "creating", "active", "stopping", "error" }

local function answer(status, doc, headers)
  headers = headers or {}
  headers.ETag = revision.etag(doc)
  return status, view.project(doc), headers
end

local function name_taken(name)
  local message = "there is a project named '" .. tostring(name) .. "' already; names differ in more than case"
  return app.fail("conflict", "A project's name must be unique: " .. message, {
    { field = "name", rule = "unique", reason = "name_taken", message = message },
  })
end

local function invalid(faults)
  table.sort(faults, function(a, b)
    return a.field < b.field
  end)
  local more = #faults > 1 and " (and " .. #faults - 1 .. " more)" or ""
  return app.fail("invalid", faults[1].field .. " " .. faults[1].message .. more, faults)
end

M["GET " .. LIST] = app.route {
  doc = "A user's projects, newest first; q= finds by a part of the name.",
  query = app.page_query { q = S.optional(S.string { max = 64 }), state = S.optional(S.string { enum = STATES }) },
  answers = { [200] = "list of Project" },
  handler = function(req)
    if not users.get(req.params.user) then return app.not_found() end
    local headers = { ["X-Gander-Event-Id"] = bus.cursor { "user:" .. req.params.user } }
    local query = { user_id = req.params.user, gone = { ["$exists"] = false }, state = req.query.state }
    local part = req.query.q and project_edit.name_key(req.query.q)
    query.name_key = part and { ["$contains"] = part } or nil
    local options = { sort = { "-created_at" }, limit = req.query.limit, after = req.query.after }
    local docs, next_page, code = db.projects:find(query, options)
    if not docs then return app.fail(code, next_page) end
    local items = {}
    for i, doc in ipairs(docs) do
      items[i] = view.project(doc)
    end
    return 200, app.page(items, next_page), headers
  end,
}

M["POST " .. LIST] = app.route {
  doc = "A new project. It is inactive until it is activated.",
  body = project_schema.create,
  creates = true,
  answers = { [201] = "Project", [409] = "Error" },
  handler = function(req)
    if not users.get(req.params.user) then return app.not_found() end
    local doc, faults = project_edit.new(req.params.user, req.body, req.body.provider or providers.default())
    faults = faults or project_edit.source_faults(doc)
    if faults then return invalid(faults) end
    doc._id = req.new_id
    local made, message, code = db.projects:insert(doc)
    if code == "conflict" then
      made = projects.load(req.params.user, doc._id) -- by this request's key
      if not made then return name_taken(doc.name) end
      doc = made
    elseif not made then
      return app.fail(code, message)
    end
    events.project(doc)
    return answer(201, doc, { Location = req.path:gsub("/$", "") .. "/" .. doc._id })
  end,
}

M["GET " .. ONE] = app.route {
  doc = "One project.",
  answers = { [200] = "Project" },
  handler = function(req)
    local doc = projects.load(req.params.user, req.params.project)
    if not doc then return app.not_found() end
    return answer(200, doc, { ["X-Gander-Event-Id"] = bus.cursor { "user:" .. req.params.user } })
  end,
}

local function stale(doc)
  local message = "The project was changed since (its revision is " .. doc.revision .. "); read it again"
  return app.fail("conflict", message, { { reason = "stale" } }, 412)
end

local function change(req, replace)
  if not projects.load(req.params.user, req.params.project) then return app.not_found() end
  local faults, seen
  local after, message, code = projects.change(req.params.project, function(doc)
    seen = doc
    if doc.gone then return nil, "it was deleted meanwhile", "not_found" end
    if not revision.fits(doc, req.headers["if-match"]) then return nil, "its revision is another one", "stale" end
    local set, unset = project_edit.change(doc, req.given, replace)
    if not set then
      faults = unset
      return nil, "invalid", "invalid"
    elseif next(set) == nil and next(unset) == nil then
      return nil, "nothing changes", "same"
    end
    if set.source then
      local edited = { provider = doc.provider, source = set.source }
      faults = project_edit.source_faults(edited)
      if faults then return nil, "invalid", "invalid" end
    end
    set.revision, set.updated_at = doc.revision + 1, date(sys.now())
    if doc.state == "active" then
      set.next = { at = date(sys.now()) } -- its policies are asked again with the new settings
    end
    return set, unset
  end)
  if after then
    events.project(after)
    return answer(200, after)
  elseif code == "same" then
    return answer(200, seen)
  elseif code == "not_found" then
    return app.not_found()
  elseif code == "stale" then
    return stale(seen)
  elseif faults then
    return invalid(faults)
  elseif code == "conflict" then
    return name_taken(req.given.name)
  end
  return app.fail(code, message)
end

M["PATCH " .. ONE] = app.route {
  doc = "Change parts of a project (JSON Merge Patch: objects merge, null removes).",
  body = project_schema.change,
  answers = { [200] = "Project" },
  handler = function(req)
    return change(req, false)
  end,
}

M["PUT " .. ONE] = app.route {
  doc = "Change a project; source and settings, where given, replace the old ones whole.",
  body = project_schema.change,
  answers = { [200] = "Project" },
  handler = function(req)
    return change(req, true)
  end,
}

M["DELETE " .. ONE] = app.route {
  doc = "Stop a project, clean up, and remove it with its files, sessions and logs. force=true waits for nothing.",
  query = S.object { force = S.boolean { default = false } },
  answers = { [202] = "Project", [204] = "nothing ran: it is gone" },
  handler = function(req)
    local message, code
    for _ = 1, 3 do
      local doc = projects.load(req.params.user, req.params.project)
      if not doc then return app.not_found() end
      if not revision.fits(doc, req.headers["if-match"]) then return stale(doc) end
      local why = { by = req.by, request_id = req.id, person = true, force = req.query.force or nil }
      local after
      after, message, code = desired.write(doc, "deleted", why)
      if after and after.gone then
        return 204
      elseif after then
        return answer(202, after)
      elseif code ~= "conflict" then
        return app.fail(code, message)
      end
    end
    return app.fail("busy", "The project is changing; try again")
  end,
}

return M
