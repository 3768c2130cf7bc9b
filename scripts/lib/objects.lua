-- objects: the shapes that answers carry, for OpenAPI. One a type; the words are those of the API page.
--
-- Here are those of the host; those of projects, of the chat, and of scripts and what they decide are in lib/objects.
-- SPDX-License-Identifier: Apache-2.0
local make = require "lib.objects.make"

local M = {}

local S, I, B, T, O = make.S, make.I, make.B, make.T, make.O
local list, enum, object, ref = make.list, make.enum, make.object, make.ref

local SHAPES = {
  Error = object("error", {
    error = object("code message request_id", {
      code = enum("invalid", "denied", "not_found", "conflict", "busy", "timeout", "unavailable", "internal"),
      message = S,
      request_id = S,
      details = list(O),
    }),
  }),
  Version = object("version commit generation", { version = S, commit = S, generation = I }),
  Ready = object("ready checks", { ready = B, checks = list(object("name ok", { name = S, ok = B, message = S })) }),
  User = object("id name projects", { id = S, name = S, projects = object("total active", { total = I, active = I }) }),
  System = object(
    "version commit generation node started_at store providers goose users limits warnings trust_network",
    {
      version = S,
      commit = S,
      generation = I,
      node = S,
      started_at = T,
      store = object("kind ok", { kind = S, ok = B }),
      providers = list(ref "Provider"),
      goose = object("engine model", { engine = S, version = S, model = ref "Model" }),
      users = list(object("id name", { id = S, name = S })),
      limits = O,
      warnings = list(S),
      trust_network = B,
    }
  ),
  Provider = object("name kind default", {
    name = S,
    kind = S,
    default = B,
    capabilities = O,
    isolation = ref "Isolation",
    plan = S,
    caps = O,
  }),
  OpenAPI = O,
}

for _, part in ipairs { "project", "chat", "rules" } do
  for name, shape in pairs(require("lib.objects." .. part)) do
    SHAPES[name] = shape
  end
end

function M.known(name)
  return SHAPES[name] ~= nil
end

function M.all()
  return SHAPES
end

return M
