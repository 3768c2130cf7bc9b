-- Making and changing what a person sets of a project: name, description, source, settings.
--
-- A change is laid over the project as it is shown, checked as a whole, and taken apart again: secrets are sealed, and
-- "***" stands for the value that is stored. Nothing here writes to the store.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local project_schema = require "lib.project_schema"
local providers = require "lib.providers"
local settings_of = require "lib.settings"
local view = require "lib.view"

local M = {}

local HIDDEN = project_schema.HIDDEN

local function is_object(value)
  return type(value) == "table" and #value == 0
end

-- RFC 7396.
local function merge(target, patch)
  if not is_object(patch) then return patch end
  local out = json.object {}
  for name, value in pairs(is_object(target) and target or {}) do
    out[name] = value
  end
  for name, value in pairs(patch) do
    if value == json.null then
      out[name] = nil
    else
      out[name] = merge(out[name], value)
    end
  end
  return out
end

-- The name as it must be unique among a user's projects. -> key | nil, message
function M.name_key(name)
  local key, message = sys.fold(name)
  if not key then return nil, message end
  key = key:gsub("%s+", " "):match "^ ?(.-) ?$"
  if key == "" then return nil, "must not be empty" end
  return key
end

local function host_of(url)
  return url and (url:match "^%a[%w+.-]*://([^/?#]*)" or url:match "^([^:]*):")
end

-- The variables with "***" replaced by what is stored; faults when there was none.
local function resolve_env(given, stored, faults)
  local env = {}
  for name, value in pairs(given or {}) do
    if value == HIDDEN and stored[name] == nil then
      faults[#faults + 1] = {
        field = "settings.env." .. name,
        rule = "hidden",
        message = 'is "***", which means as it was, but there was none',
      }
    end
    env[name] = value == HIDDEN and stored[name] or value
  end
  return env
end

local function same(a, b)
  return json.encode(json.object(a)) == json.encode(json.object(b))
end

-- The sealed part of a project. What did not change stays as it was sealed.
local function seal(whole, doc, faults)
  local old = doc and doc.secrets or {}
  local secrets = { password = old.password }
  local stored, message = settings_of.env(doc or {})
  if not stored then
    faults[#faults + 1] = { field = "settings.env", rule = "sealed", message = message }
    return secrets
  end
  local env = resolve_env(whole.settings and whole.settings.env, stored, faults)
  if same(env, stored) then
    secrets.env, secrets.env_names = old.env, old.env_names
  else
    secrets.env, secrets.env_names = settings_of.put_env(env)
  end
  local password = whole.source and whole.source.password
  local moved = doc and doc.source and whole.source and host_of(doc.source.url) ~= host_of(whole.source.url)
  if password == HIDDEN and not old.password then
    faults[#faults + 1] = {
      field = "source.password",
      rule = "hidden",
      message = 'is "***", which means as it was, but there was none',
    }
  elseif not password or (password == HIDDEN and moved) then
    secrets.password = nil
  elseif password ~= HIDDEN then
    secrets.password = sys.seal(password)
  end
  return secrets
end

local function without(object, name)
  local out = json.object {}
  for key, value in pairs(object) do
    if key ~= name then out[key] = value end
  end
  return out
end

-- The stored fields of a checked whole. -> fields | nil, faults
local function take_apart(whole, doc)
  local faults = {}
  local key, message = M.name_key(whole.name)
  if not key then faults[#faults + 1] = { field = "name", rule = "name", message = message } end
  local secrets = seal(whole, doc, faults)
  if #faults > 0 then return nil, faults end
  local description = whole.description ~= "" and whole.description or nil
  return {
    name = whole.name,
    name_key = key,
    description = description,
    source = whole.source and without(whole.source, "password"),
    settings = without(whole.settings or {}, "env"),
    secrets = secrets,
  }
end

-- The document of a new project. -> doc | nil, faults
function M.new(user_id, body, provider)
  local whole, faults = project_schema.check(without(body, "provider"))
  if not whole then return nil, faults end
  local doc
  doc, faults = take_apart(whole)
  if not doc then return nil, faults end
  local now = date(sys.now())
  doc._id, doc._rev, doc.user_id, doc.provider = sys.uuid(), 1, user_id, provider
  doc.state, doc.desired, doc.revision, doc.created_at, doc.updated_at = "inactive", "inactive", 1, now, now
  return doc
end

-- The fields that a change sets and unsets: a merge patch, or (`replace`) source and settings taken whole.
-- -> set, unset (both empty when nothing changes) | nil, faults
function M.change(doc, body, replace)
  local shown = view.project(doc)
  local base = { name = shown.name, description = shown.description, source = shown.source, settings = shown.settings }
  if replace then
    base.source, base.settings = not body.source and base.source or nil, not body.settings and base.settings or nil
  end
  local whole, faults = project_schema.check(merge(base, body))
  if not whole then return nil, faults end
  local fields
  fields, faults = take_apart(whole, doc)
  if not fields then return nil, faults end
  local set, unset = {}, {}
  for _, name in ipairs { "name", "name_key", "description", "source", "settings", "secrets" } do
    local old, new = doc[name], fields[name]
    if new == nil then
      unset[name] = old ~= nil or nil
    elseif old == nil and type(new) ~= "table" or type(new) ~= "table" and old ~= new then
      set[name] = new
    elseif type(new) == "table" and not same(old or {}, new) then
      set[name] = new
    end
  end
  return set, unset
end

-- Whether the provider can start the source: said here, before anything is created. -> faults or nil
function M.source_faults(doc)
  local provider = providers.get(doc.provider)
  if not provider then
    local names = table.concat(providers.names(), ", ")
    local message = "'" .. doc.provider .. "' is not configured; there is " .. names
    return { { field = "provider", rule = "known", message = message } }
  end
  local source = settings_of.bare_source(doc)
  if providers.takes(provider, source) then return nil end
  local message = "'" .. source.type .. "' cannot be started by provider '" .. provider.name .. "'"
  return { { field = "source.type", rule = "provider", message = message } }
end

return M
