-- The provider `local`: sandboxes on this machine by bubblewrap. The contract is scripts/meta/provider.lua.
--
-- A sandbox is a directory (providers/local/disk.lua) and at most one main step that runs. There are no ports on this
-- machine: `endpoint` gives a Process whose network is dialled (`netns=` of gander.http). A project's files are apart
-- from its sandboxes and outlive them.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local boxes = require "providers.local.box"
local cgroup = require "providers.local.cgroup"
local disk = require "providers.local.disk"
local figures = require "providers.local.figures"
local run = require "providers.local.run"
local source = require "providers.local.source"
local step = require "providers.local.step"
local tier = require "providers.local.tier"

local M = {}

local LIST_PAGE = 200

M.capabilities = {
  sources = boxes.SOURCES,
  snapshot = false,
  extend = true,
  public_endpoint = false,
  egress = { allow = true, deny = true, list = true },
  isolation = function()
    local found = tier.probe()
    return { tier = found.tier, statement = found.statement, details = found.details, reasons = found.reasons }
  end,
}

M.probe = tier.probe
M.put = boxes.put
M.start, M.status, M.endpoint, M.exec = step.start, step.status, step.endpoint, step.exec
M.logs, M.logs_stored, M.usage = figures.logs, figures.logs_stored, figures.usage

-- Make the sandbox, or find it. -> {id, state="created"|"pending", limits, isolation} | nil, message, code
function M.create(ctx)
  local dir, message, code = disk.sandbox(ctx.name)
  if not dir then return nil, message, code end
  local spec = disk.load(dir .. "/spec.json")
  if not spec then
    spec, message, code = boxes.make(ctx, dir)
    if not spec then return nil, message, code end
  end
  local box
  box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  local limited
  limited, message, code = boxes.limit(box)
  if not limited then return nil, message, code end
  local state = "created"
  if spec.source.type ~= "builtin" then
    local fetched
    fetched, message, code = source.fetch(box, ctx.source)
    if fetched == nil then return nil, message, code end
    state = fetched and "created" or "pending"
  end
  return { id = spec.instance_id, state = state, limits = spec.limits, isolation = M.capabilities.isolation() }
end

-- There is no deadline to move here. -> {} (no expires_at)
function M.extend()
  return {}
end

local function halt(box, name, grace_ms)
  if box.main then run.stop(box.main, grace_ms) end
  for _, entry in ipairs(fs.list(box.dir .. "/steps") or {}) do
    run.kill(box.dir .. "/steps/" .. entry.name)
  end
  return cgroup.remove(name)
end

-- -> {} | nil, message, code
function M.stop(ctx, options)
  local box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  M.usage(ctx)
  local ok
  ok, message, code = halt(box, ctx.name, options and options.grace_ms or 5000)
  return ok and {}, message, code
end

-- Remove the sandbox, its home and its logs; the project's files stay. -> true | nil, message, code
function M.destroy(ctx)
  local dir, message, code = disk.sandbox(ctx.name)
  if not dir then return nil, message, code end
  local box
  box, message, code = boxes.open(ctx)
  if box then
    local ok
    ok, message, code = halt(box, ctx.name, 0)
    if not ok then return nil, message, code end
  elseif code ~= "not_found" then
    return nil, message, code
  end
  return fs.remove(dir)
end

-- The project's files and caches go. -> true | nil, message, code
function M.remove_workspace(project)
  return disk.remove_workspace(project._id)
end

-- How many bytes the project's files have; 0 when there are none.
function M.workspace_bytes(project)
  local workspace = disk.workspace(project._id)
  return workspace and fs.usage(workspace .. "/files") or 0
end

-- A page of the directories below <root>/<kind>, by name. -> names, next
local function page_of(kind, after)
  local names = {}
  for _, entry in ipairs(fs.list(disk.root .. "/" .. kind) or {}) do
    local hidden = entry.name:sub(1, 1) == "."
    if entry.kind == "directory" and not hidden and entry.name > (after or "") then names[#names + 1] = entry.name end
  end
  table.sort(names)
  local more = names[LIST_PAGE + 1] and names[LIST_PAGE]
  return table.move(names, 1, math.min(#names, LIST_PAGE), 1, {}), more
end

-- All sandboxes here, a page at a time, in order of their names. `label` = {installation=} narrows.
-- -> {{name, id, state, label, project_id, created_at}, …}, next | nil, message, code
function M.list(label, after)
  local names, more = page_of("sandboxes", after)
  local items = json.array {}
  for _, name in ipairs(names) do
    local spec = disk.load(disk.root .. "/sandboxes/" .. name .. "/spec.json")
    if spec and (not label or not label.installation or label.installation == spec.label.installation) then
      local seen = M.status { name = name }
      items[#items + 1] = {
        name = name,
        id = spec.instance_id,
        state = seen and seen.state,
        label = spec.label,
        project_id = spec.project_id,
        created_at = spec.created_at,
      }
    end
  end
  return items, more
end

-- Whose files are here, a page at a time. -> {{project_id, path}, …}, next
function M.workspaces(after)
  local names, more = page_of("workspaces", after)
  local items = json.array {}
  for i, name in ipairs(names) do
    items[i] = { project_id = name, path = disk.root .. "/workspaces/" .. name .. "/files" }
  end
  return items, more
end

local function no_snapshots()
  return nil, "the local provider takes no snapshots: a project's files stay in its workspace", "invalid"
end

M.snapshot, M.resume, M.fork = no_snapshots, no_snapshots, no_snapshots

return M
