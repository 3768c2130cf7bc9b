-- A deleted project's last act: its files and all that the store holds of it, then the document itself.
--
-- Run again it goes on where it was. Decisions stay until their retention ends (cleanup/decisions).
-- SPDX-License-Identifier: Apache-2.0
local caps = require "lib.caps"
local common = require "lib.reconcile.common"
local db = require "lib.store"
local events = require "lib.events"
local providers = require "lib.providers"
local talk = require "lib.talk"

local M = {}

local function gone(n, message)
  return n or error("the project's data cannot be removed: " .. tostring(message))
end

function M.purge(project)
  local provider = providers.get(project.provider)
  if provider then -- a provider that left config.lua takes its files with it
    local done, message, code = provider.remove_workspace(project)
    if not done and code ~= "not_found" and not project.force then
      error("the project's files cannot be removed: " .. tostring(message))
    end
  end
  talk.forget(project._id)
  gone(db.activity:delete({ project_id = project._id }, { many = true }))
  gone(db.usage:delete({ project_id = project._id }, { many = true }))
  caps.release(project._id)
  gone(db.projects:delete { _id = project._id })
  events.deleted(project)
  return common.DONE
end

return M
