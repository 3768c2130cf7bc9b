-- openapi: the API as an OpenAPI 3.1 document, made from the routes of this generation.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local objects = require "lib.objects"
local schema = require "lib.schema"
local sys = require "gander.sys"

local M = {}

local TEXT = {
  [200] = "Done",
  [201] = "Created",
  [202] = "Begun: what is wanted is recorded",
  [204] = "Done, nothing to say",
  [400] = "Invalid",
  [403] = "Denied",
  [404] = "Not found",
  [409] = "Conflict",
  [410] = "Gone",
  [412] = "Changed meanwhile",
  [503] = "Busy or not ready",
}

-- "/api/users/:user" -> "/api/users/{user}", {"user"}
local function path_of(pattern)
  local names = {}
  local path = pattern:gsub("[:*]([%w_]+)", function(name)
    names[#names + 1] = name
    return "{" .. name .. "}"
  end)
  return path, names
end

local function parameters(route, names)
  local list = json.array {}
  for _, name in ipairs(names) do
    list[#list + 1] = { name = name, ["in"] = "path", required = true, schema = { type = "string" } }
  end
  if route.creates then
    list[#list + 1] =
      { name = "Idempotency-Key", ["in"] = "header", required = false, schema = { type = "string", maxLength = 255 } }
  end
  local query = route.query and schema.describe(route.query)
  for name, described in pairs(query and query.properties or {}) do
    list[#list + 1] = { name = name, ["in"] = "query", required = false, schema = described }
  end
  table.sort(list, function(a, b)
    return a["in"] .. a.name < b["in"] .. b.name
  end)
  return list
end

local function ref(name)
  return { ["$ref"] = "#/components/schemas/" .. name }
end

local function object_of(name)
  return objects.known(name) and ref(name) or { type = "object" }
end

local function list_of(name)
  return {
    type = "object",
    required = json.array { "items", "next" },
    properties = {
      items = { type = "array", items = object_of(name) },
      next = { type = json.array { "string", "null" } },
    },
  }
end

local TEXTS = {
  text = "text/plain",
  lua = "text/x-lua",
  events = "text/event-stream",
  ndjson = "application/x-ndjson",
}

-- What an answer may be, each word one of it: "Project", "list of Project", "text", "lua", "events", "ndjson".
local function content_of(answer)
  local content = {}
  for _, word in ipairs(type(answer) == "table" and answer or { answer }) do
    local item = word:match "^list of (%w+)$"
    if TEXTS[word] then
      content[TEXTS[word]] = { schema = { type = "string" } }
    else
      content["application/json"] = { schema = item and list_of(item) or object_of(word) }
    end
  end
  return content
end

local function body_of(route)
  if route.raw then return { content = { ["text/x-lua"] = { schema = { type = "string" } } } } end
  return route.body and { content = { ["application/json"] = { schema = schema.describe(route.body) } } }
end

local function operation(file, route, names)
  local responses = json.object {}
  for status, answer in pairs(route.answers or {}) do
    responses[tostring(status)] =
      { description = TEXT[status] or "Answer", content = status ~= 204 and content_of(answer) or nil }
  end
  responses.default =
    { description = "Refused or failed", content = { ["application/json"] = { schema = ref "Error" } } }
  return {
    summary = route.doc,
    tags = json.array { (file:gsub("^routes/", "")) },
    parameters = parameters(route, names),
    responses = responses,
    requestBody = body_of(route),
  }
end

function M.document()
  local paths = json.object {}
  for _, path in ipairs(sys.script_paths()) do
    local file = path:match "^(routes/.+)%.lua$"
    for key, route in pairs(file and require((file:gsub("/", "."))) or {}) do
      local method, pattern = key:match "^(%u+) (/%S*)$"
      if method and not pattern:find "^/model/" then -- the gateway's socket is no part of this API
        local address, names = path_of(pattern)
        paths[address] = paths[address] or json.object {}
        paths[address][method:lower()] = operation(file, route, names)
      end
    end
  end
  return {
    openapi = "3.1.0",
    paths = paths,
    components = { schemas = objects.all() },
    info = {
      title = "Gander",
      version = sys.version.version,
      description = "Isolated Goose agents, one for each project.",
    },
  }
end

return M
