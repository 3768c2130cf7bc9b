-- What is in force on this host. No secret in it.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local fs = require "gander.fs"
local json = require "gander.json"
local sys = require "gander.sys"
local app = require "lib.app"
local db = require "lib.store"
local installation = require "lib.installation"
local model = require "lib.goose.model"
local providers = require "lib.providers"
local users = require "lib.users"
local warnings = require "lib.warnings"

local M = {}

local CAPS = { "slots", "memory_mb", "cpus", "processes" }
local GOOSE_PACKAGE = "/vendor/goose/node_modules/@aaif/goose-binary-linux-x64/package.json"
local DISK_MIN = 64 * 1024 * 1024
local POOR = { none = true, unsafe = true, reduced = true }

-- A copy that may be written as JSON: without functions.
local function plain(value)
  if type(value) ~= "table" then return value end
  local out = #value > 0 and json.array {} or json.object {}
  for name, item in pairs(value) do
    if type(item) ~= "function" then out[name] = plain(item) end
  end
  return out
end

local function provider_view(name, notes)
  local out = { name = name, default = name == providers.default() }
  local ok, provider, message = pcall(providers.get, name)
  if not ok or not provider then
    notes[#notes + 1] = "Provider '" .. name .. "' cannot be used: " .. tostring(ok and message or provider)
    out.kind = (sys.config.providers[name] or {}).kind or name
    return out
  end
  out.kind, out.capabilities, out.plan = provider.kind, plain(provider.capabilities or {}), provider.config.plan
  out.caps = json.object {}
  for _, cap in ipairs(CAPS) do
    out.caps[cap] = provider.config[cap]
  end
  local found = providers.isolation(provider)
  if found then
    out.isolation = { tier = found.tier, statement = found.statement, details = found.details, reasons = found.reasons }
    if POOR[found.tier] then notes[#notes + 1] = "Provider '" .. name .. "': " .. found.statement end
  end
  return out
end

-- The engine that `auto` comes to, and the version of goose that set-up brought.
local function engine()
  local configured = sys.config.goose or {}
  local package = fs.read(sys.home .. GOOSE_PACKAGE)
  local found = package and json.decode(package)
  local name = configured.engine
  if name == "auto" or not name then name = found and "goose" or "echo" end
  return name, configured.version or name == "goose" and found and found.version or nil
end

local function model_view(engine_name)
  local real = model.provider()
  if engine_name == "echo" then return { name = "echo", demo = true } end
  return { name = real and ((sys.config.model or {}).name or real) or "demo model", demo = real == nil }
end

local function script_notes(notes)
  local ok, list = pcall(sys.scripts.list)
  for _, fault in ipairs(ok and list and list.faults or {}) do
    notes[#notes + 1] = string.format("%s:%d: %s", fault.file, fault.line, fault.message)
  end
end

-- Writes are refused when the disk is full; better known before.
local function disk_note(notes)
  local free = fs.disk_free(sys.data)
  if free and free < DISK_MIN then
    notes[#notes + 1] = string.format("The disk of %s has only %.0f MiB free", sys.data, free / 1048576)
  end
end

M["GET /api/system"] = app.route {
  doc = "What is in force: version, store, providers with their isolation, engine and model, limits, warnings.",
  answers = { [200] = "System" },
  handler = function()
    local notes = json.array {}
    if sys.config.trust_network then
      notes[#notes + 1] = "Everybody who reaches this address can run code here (trust_network)"
    end
    disk_note(notes)
    script_notes(notes)
    local list = json.array {}
    for i, name in ipairs(providers.names()) do
      list[i] = provider_view(name, notes)
    end
    local stored = warnings.all()
    table.move(stored, 1, #stored, #notes + 1, notes)
    local people = json.array {}
    for i, user in ipairs(users.all()) do
      people[i] = { id = user.id, name = user.name }
    end
    local engine_name, version = engine()
    return 200,
      {
        version = sys.version.version,
        commit = sys.version.commit,
        generation = sys.version.generation,
        node = installation.id(),
        started_at = date(sys.version.started_at),
        store = { kind = "sqlite", ok = db.installation:count {} ~= nil },
        providers = list,
        goose = { engine = engine_name, version = version, model = model_view(engine_name) },
        users = people,
        limits = plain(sys.config.limits or {}),
        trust_network = sys.config.trust_network == true,
        warnings = notes,
      }
  end,
}

return M
