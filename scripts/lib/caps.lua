-- Who holds a place: the one document that keeps the count of activated projects true.
--
-- A reservation is made by one guarded update after admission was asked with the counts of the very document that the
-- update then requires, so two activations can never both take the last place. It is held from before the first
-- sandbox is created until the project is recorded inactive, or failed and cleaned up. `sweep` compares.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local db = require "lib.store"

local M = {}

local ID = "caps"
local TRIES = 20

local function load()
  local doc, message, code = db.caps:find_one { _id = ID }
  if doc or message then return doc, message, code end
  doc = db.caps:insert { _id = ID, _rev = 1, holders = json.object {} }
  return doc or db.caps:find_one { _id = ID }
end

local function count(doc, project)
  local counts = { total = 0, user = 0, provider = 0 }
  for id, holder in pairs(doc.holders) do
    if id ~= project._id then
      counts.total = counts.total + 1
      counts.user = counts.user + (holder.user == project.user_id and 1 or 0)
      counts.provider = counts.provider + (holder.provider == project.provider and 1 or 0)
    end
  end
  return counts
end

-- How many others hold a place: {total, user, provider}.
function M.counts(project)
  return count(assert(load()), project)
end

-- Ask `admit(counts)` for a verdict and take a place if it allows. A project that has one keeps it unasked.
-- -> verdict (nil when the place was held already) | nil, message, code
function M.reserve(project, admit)
  for _ = 1, TRIES do
    local doc, message, code = load()
    if not doc then
      return nil, message, code
    elseif doc.holders[project._id] then
      return nil
    end
    local verdict = admit(count(doc, project))
    if verdict.verdict ~= "allow" then return verdict end
    local place = { user = project.user_id, provider = project.provider }
    local taken
    taken, message, code = db.caps:update(
      { _id = ID, _rev = doc._rev },
      { ["$set"] = { ["holders." .. project._id] = place }, ["$inc"] = { _rev = 1 } }
    )
    if not taken then
      return nil, message, code
    elseif taken == 1 then
      return verdict
    end
  end
  return nil, "many activations at once; it is tried again", "busy"
end

-- Give the place back. -> true when it was held
function M.release(id)
  local n = db.caps:update(
    { _id = ID, ["holders." .. id] = { ["$exists"] = true } },
    { ["$unset"] = { ["holders." .. id] = true }, ["$inc"] = { _rev = 1 } }
  )
  return n == 1
end

-- Whether a project in this state needs its place.
function M.needs(project)
  return project ~= nil and project.state ~= "inactive" and not (project.state == "error" and not project.sandbox)
end

-- Release the places of projects that need none any more. -> how many
function M.sweep()
  local doc, released = assert(load()), 0
  for id in pairs(doc.holders) do
    local project, message = db.projects:find_one { _id = id }
    if not message and not M.needs(project) and M.release(id) then released = released + 1 end
  end
  return released
end

return M
