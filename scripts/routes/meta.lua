-- What the host says of itself: version, health, metrics, OpenAPI.
-- SPDX-License-Identifier: Apache-2.0
local app = require "lib.app"
local db = require "lib.store"
local metrics = require "lib.metrics"
local openapi = require "lib.openapi"
local reference = require "lib.reference"
local sys = require "gander.sys"

local function check(name, ok, message)
  return { name = name, ok = ok, message = not ok and message or nil }
end

local function ready_checks()
  local found, message = db.installation:find_one {}
  local list = sys.scripts.list()
  local fault = list.faults[1]
  local provider = require("lib.providers").default()
  local isolation = require("lib.providers").get(provider)
  return {
    check("store", found ~= nil, message or "the installation's record is missing"),
    check("scripts", fault == nil, fault and fault.file .. ":" .. fault.line .. ": " .. fault.message),
    check("provider", isolation ~= nil, "there is no provider '" .. tostring(provider) .. "'"),
  }
end

return {
  ["GET /api/version"] = app.route {
    doc = "Version and build.",
    answers = { [200] = "Version" },
    handler = function()
      return 200, { version = sys.version.version, commit = sys.version.commit, generation = sys.version.generation }
    end,
  },
  ["GET /healthz"] = app.route {
    doc = "The host is alive.",
    answers = { [200] = "text" },
    handler = function()
      return 200, "ok\n", { ["Content-Type"] = "text/plain; charset=utf-8" }
    end,
  },
  ["GET /readyz"] = app.route {
    doc = "Can the host do its work? Store, scripts and provider, each named; the last good script set is good enough.",
    answers = { [200] = "Ready", [503] = "Ready" },
    handler = function()
      local checks, ready = ready_checks(), true
      for _, c in ipairs(checks) do
        ready = ready and (c.ok or c.name == "scripts")
      end
      return ready and 200 or 503, { ready = ready, checks = checks }
    end,
  },
  ["GET /metrics"] = app.route {
    doc = "Figures in Prometheus' text format.",
    answers = { [200] = "text" },
    handler = function()
      return 200, sys.metrics() .. metrics.text(), { ["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8" }
    end,
  },
  ["GET /api/reference"] = app.route {
    doc = "What scripts may use, for completion and hover: modules, and the facts and verdicts of policies.",
    answers = { [200] = "Reference" },
    handler = function()
      return 200, reference.get()
    end,
  },
  ["GET /api/openapi.json"] = app.route {
    doc = "This API as OpenAPI 3.1, made from the routes' own schemas.",
    answers = { [200] = "OpenAPI" },
    handler = function()
      return 200, openapi.document()
    end,
  },
}
