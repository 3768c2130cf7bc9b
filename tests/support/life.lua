-- What the specs of the life cycle share: a fake provider in place, a clock that is set, projects, and jobs run by hand.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local follow = require "gander.follow"
local http = require "gander.http"
local json = require "gander.json"
local sys = require "gander.sys"
local db = require "lib.store"
local desired = require "lib.desired"
local projects = require "lib.projects"
local providers = require "lib.providers"
local queue = require "lib.queue"
local talk = require "lib.talk"

local M = {}

local real_now = sys.now

-- A fresh world: an injected provider "fake", talk that only notes what it was told.
function M.new(t, options)
  local fake = t.load("tests/support/fake_provider.lua").new(options)
  local w = { fake = fake, told = {}, skew = 0, t = t }
  sys.now = function()
    return real_now() + w.skew
  end
  http.request = fake.request
  providers.inject("fake", fake.provider)
  for _, name in ipairs { "created", "started", "stopped" } do
    talk[name] = function(project)
      w.told[#w.told + 1] = name .. " " .. project._id
    end
  end
  talk.draining = function()
    return not w.busy
  end
  follow.list = function() -- nothing is followed in a spec
    return {}
  end
  db.jobs:delete({}, { many = true })
  db.caps:delete({}, { many = true })
  db.projects:delete({}, { many = true })
  return setmetatable(w, { __index = M })
end

function M:later(ms)
  self.skew = self.skew + ms
end

function M:project(fields)
  local now = date(sys.now())
  local id = sys.uuid()
  local doc = {
    _id = id,
    _rev = 1,
    user_id = "ada",
    name = "p" .. id,
    name_key = "p" .. id,
    provider = "fake",
    settings = json.object {},
    desired = "inactive",
    revision = 1,
    state = "inactive",
    created_at = now,
    updated_at = now,
  }
  for name, value in pairs(fields or {}) do
    doc[name] = value
  end
  assert(db.projects:insert(doc))
  return doc
end

function M:get(id)
  return projects.get(id)
end

function M:want(id, wanted, why)
  why = why or {}
  why.by = why.by or "api"
  return desired.write(projects.get(id), wanted, why)
end

-- Run one reconcile of the project as the queue would, without the queue. -> again_ms or nil
function M:step(id)
  local result = require("jobs.reconcile").run { id = id, name = "reconcile", data = {}, fence = 1, tries = 0 }
  return result.again_ms
end

-- Run reconcile until it is done, letting the clock run over its waits. -> the project
function M:settle(id, max)
  for _ = 1, max or 100 do
    local again = self:step(id)
    if not again then return projects.get(id) end
    self:later(again)
  end
  error("reconcile does not come to an end: " .. json.encode(projects.get(id)))
end

-- Run what is due of the queue once. -> how many jobs ran
function M:work()
  local claimed = queue.claim { owner = "boot-1", limit = 100 }
  for _, job in ipairs(claimed.jobs) do
    job.owner = "boot-1"
    queue.run(job)
  end
  return #claimed.jobs
end

return M
