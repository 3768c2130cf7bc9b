-- Sandboxes that carry Gander's label, for cleanup rules.
--
-- Rules see only those whose label is this installation's, exactly, and only after every provider's whole list was
-- read without an error, and not in the first minutes after a start. What else was seen goes to `warnings`, shown by
-- /api/system. Removing stops and destroys a sandbox; it never touches a workspace.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local db = require "lib.store"
local installation = require "lib.installation"
local providers = require "lib.providers"
local warnings = require "lib.warnings"
local workspaces = require "lib.clean.workspaces"

local M = {}

local CALM_MS = 180000 -- after a start of the host nothing is an orphan yet
local PAGES, CALL_MS = 100, 60000

-- All sandboxes of a provider. -> list | nil, message
local function list_all(provider)
  local all, after = {}, nil
  for _ = 1, PAGES do
    local page, next_page = provider.list(nil, after)
    if not page then return nil, next_page end
    table.move(page, 1, #page, #all + 1, all)
    after = next_page
    if not after then return all end
  end
  return nil, "its list has more than " .. PAGES .. " pages"
end

-- A store that cannot be read must never look like a project that is not there.
local function is_claimed(entry)
  if not entry.project_id then return false, false end
  local project, message = db.projects:find_one { _id = entry.project_id }
  if message then error("projects cannot be read: " .. message) end
  return project ~= nil and project.sandbox ~= nil and project.sandbox.id == entry.name, project ~= nil
end

local function item_of(name, entry, context)
  local id = name .. " " .. entry.name
  local known, project_known = is_claimed(entry)
  local since = not known and (context.seen[id] or context.now) or nil
  context.still[id] = since
  return {
    kind = "instance",
    id = id,
    name = entry.name,
    provider = name,
    project_id = entry.project_id,
    state = entry.state,
    known = known,
    project_known = project_known,
    orphan_ms = since and context.now - since or 0,
  }
end

-- `context.seen` says since when each orphan has been one; kept in the job's data.
function M.items(context)
  local mine, items, foreign = installation.id(), {}, {}
  context.still = {}
  for _, name in ipairs(providers.names()) do
    local provider = providers.get(name)
    local all, message = list_all(provider)
    if not all then
      warnings.set(
        "instances",
        { "The sandboxes of provider '" .. name .. "' cannot be listed: " .. tostring(message) }
      )
      context.still = context.seen
      return {}
    end
    for _, entry in ipairs(all) do
      if entry.label.installation == mine then
        items[#items + 1] = item_of(name, entry, context)
      else
        foreign[#foreign + 1] = "Sandbox " .. entry.name .. " belongs to another installation and is left alone"
      end
    end
  end
  warnings.set("instances", foreign)
  workspaces.note()
  return sys.now() - sys.version.started_at >= CALM_MS and items or {}
end

function M.remove(item)
  local provider, message, code = providers.get(item.provider)
  if not provider then return nil, message, code end
  local ctx = {
    name = item.name,
    project = { _id = item.project_id, settings = {} },
    project_id = item.project_id,
    settings = {},
    source = { type = "builtin" },
    label = { installation = installation.id(), project = item.project_id },
    config = provider.config,
    deadline_ms = sys.now() + CALL_MS,
  }
  provider.stop(ctx, { grace_ms = 2000 })
  return provider.destroy(ctx)
end

return M
