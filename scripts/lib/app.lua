-- app: how a route file speaks to the door, and the check that a script set must pass.
--
-- A route file returns { ["GET /api/things/:id"] = app.route{ doc=, query=, body=, answers=, handler=function(req) … end } }.
-- The handler returns `status, body [, headers]` or one of stream{…} await{…} relay{…} chunks{…} (seams: the door
-- in C owns the socket from there). C calls dispatch(req); req.body is the raw text until it was checked here.
-- SPDX-License-Identifier: Apache-2.0
local idempotency = require "lib.idempotency"
local json = require "gander.json"
local schema = require "lib.schema"

local M = {}

local STATUS = {
  invalid = 400,
  denied = 403,
  not_found = 404,
  conflict = 409,
  busy = 503,
  timeout = 504,
  unavailable = 502,
  internal = 500,
}
local KNOWN = { doc = true, query = true, body = true, answers = true, handler = true, raw = true, creates = true }

-- creates = true: the handler gives what it makes the id req.new_id; Idempotency-Key then works (lib/idempotency).
function M.route(def)
  for key in pairs(def) do
    if not KNOWN[key] then error("a route has no field '" .. tostring(key) .. "'", 2) end
  end
  if type(def.handler) ~= "function" or type(def.doc) ~= "string" then
    error("a route needs doc (a sentence) and handler (a function)", 2)
  end
  return def
end

-- An error answer: return app.fail("not_found", "There is no such project").
-- details: a list of objects; status: a finer one than the code's own; headers: more of them.
function M.fail(code, message, details, status, headers)
  if code == "busy" then
    headers = headers or {}
    headers["Retry-After"] = headers["Retry-After"] or "2"
  end
  return status or STATUS[code] or 500,
    { error = { code = STATUS[code] and code or "internal", message = message, details = details } },
    headers
end

-- What a user may not see and what does not exist answer alike.
function M.not_found()
  return M.fail("not_found", "There is nothing at this address")
end

local function special(kind)
  return function(def)
    def.kind = kind
    return def
  end
end
M.stream = special "stream" -- {topics, after, replay = "file#function", until_event, headers}
M.await = special "await" -- {topic, until = {events}, after, timeout_ms, next = "file#function", data}
M.relay = special "relay" -- {method, url, headers, body, timeout_ms, done = "file#function", data}
M.chunks = special "chunks" -- {type, filename, next = "file#function", data}; next(data) -> chunks{body =, data =} or nil

-- Query fields of a list, with more of its own.
function M.page_query(more, max)
  local fields = {
    limit = schema.integer { min = 1, max = max or 200, default = 50 },
    after = schema.optional(schema.string { max = 2000 }),
  }
  for name, s in pairs(more or {}) do
    fields[name] = s
  end
  return schema.object(fields)
end

function M.page(items, next)
  return { items = json.array(items), next = next or json.null }
end

local function faults_text(what, faults)
  local first = faults[1]
  local more = #faults > 1 and (" (and " .. #faults - 1 .. " more)") or ""
  return (first.field == "" and what or first.field) .. " " .. first.message .. more
end

local function read_query(route, req)
  local query, faults = schema.from_text(route.query or schema.object {}, req.query)
  if not query then return nil, M.fail("invalid", "Query: " .. faults_text("it", faults), faults) end
  req.query = query
  return true
end

local function read_body(route, req)
  if not route.body then
    if req.body ~= "" and not route.raw then return nil, M.fail("invalid", "This route takes no body") end
    return true
  end
  local type_ = req.headers["content-type"] or "application/json"
  if req.body ~= "" and not type_:find "^application/[%w%.%-%+]*json" then
    return nil, M.fail("invalid", "The body must be application/json", nil, 415)
  end
  local value, message = json.decode(req.body ~= "" and req.body or "{}")
  if value == nil then return nil, M.fail("invalid", "The body is not JSON: " .. message) end
  local body, faults = schema.check(route.body, value)
  if not body then return nil, M.fail("invalid", faults_text("the body", faults), faults) end
  req.given = value -- as it was sent: tells an absent field from a default
  req.body = body
  return true
end

-- Names a program sends to say who acts (api.md); it is unverified and shown so.
local function actor(req)
  local name = req.headers["x-gander-user"]
  return name and name:find "^[%w%._%-]+$" and #name <= 64 and name or "api"
end

local function answer(req, status, body, headers)
  if type(status) == "table" then return status.kind, status end
  headers = headers or {}
  if status >= 400 and type(body) == "table" and type(body.error) == "table" then body.error.request_id = req.id end
  if body ~= nil and type(body) ~= "string" then
    body = json.encode(body)
    headers["Content-Type"] = headers["Content-Type"] or "application/json; charset=utf-8"
  end
  return "answer", status, body or "", headers
end

-- C's call for a request. req = {id, method, path, params, query, headers, body, via, file, route}.
function M.dispatch(req)
  local route = require((req.file:gsub("/", ".")))[req.route]
  req.by = actor(req)
  for _, read in ipairs { read_query, read_body } do
    local ok, status, body, headers = read(route, req)
    if not ok then return answer(req, status, body, headers) end
  end
  if route.creates then return answer(req, idempotency.run(req, route.handler, M.fail)) end
  return answer(req, route.handler(req))
end

-- C's call for the `next` of an await and the like: named function, data, event; answers as a handler does.
function M.resume(call)
  local file, name = call.next:match "^([^#]+)#(.+)$"
  local f = require((file:gsub("/", ".")))[name]
  local status, body, headers = f(call.data, call.event)
  if status == nil then -- chunks: no more of them
    status = 204
  end
  return answer({ id = call.id }, status, body, headers)
end

-- -> {faults = {{file, line, message}}, routes = {{method, path, file}}}
function M.check()
  return require("lib.check").set()
end

return M
