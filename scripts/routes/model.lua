-- The model gateway: sandboxes reach their model through it, without network and without the key.
--
-- It answers only on the gateway's own Unix socket, which is bound into the sandboxes. The caller proves by its derived
-- token which sandbox it is; the real key takes the token's place and the answer is piped through. Only the calls that
-- talk to a model are let through: with the key one could do more. Tokens are counted per project and day.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local app = require "lib.app"
local db = require "lib.store"
local goose = require "lib.goose"
local model = require "lib.goose.model"
local projects = require "lib.projects"
local usage = require "lib.goose.usage"

local M = {}

local TIMEOUT_MS = 30 * 60 * 1000
local PATHS = {
  openai = { "^v1/chat/completions$", "^v1/responses$", "^v1/models$", "^v1/models/[%w%._:%-]+$", "^v1/embeddings$" },
  anthropic = { "^v1/messages$", "^v1/messages/count_tokens$", "^v1/models$", "^v1/models/[%w%._:%-]+$" },
}
local PASSED = { "content-type", "accept", "anthropic-version", "anthropic-beta", "openai-beta", "user-agent" }

local function is_known(name, path)
  for _, pattern in ipairs(PATHS[name] or {}) do
    if path:find(pattern) then return true end
  end
  return false
end

local function token_of(req)
  local bearer = req.headers.authorization and req.headers.authorization:match "^[Bb]earer%s+(%S+)$"
  return bearer or req.headers["x-api-key"] or ""
end

-- The project whose live sandbox holds this token, or nil.
local function caller(req)
  local sandbox_id = goose.sandbox_of_token(token_of(req))
  if not sandbox_id then return nil end
  local id = sandbox_id:match "(%x+%-%x+%-%x+%-%x+%-%x+)%-%d+$"
  local project = id and projects.get(id)
  return project and project.sandbox and project.sandbox.id == sandbox_id and project or nil
end

local function handle(req)
  if req.via ~= "model" then return app.not_found() end
  local name, path = req.params.provider, req.params.path
  local upstream = model.upstream(name)
  if not upstream or not is_known(name, path) then
    return app.fail("not_found", "The model gateway does not serve this address")
  end
  local project = caller(req)
  if not project then return app.fail("denied", "This is not the model token of a running sandbox", nil, 401) end
  local headers = {}
  for _, header in ipairs(PASSED) do
    headers[header] = req.headers[header]
  end
  if name == "anthropic" then
    headers["x-api-key"] = upstream.key
  elseif upstream.key then
    headers.authorization = "Bearer " .. upstream.key
  end
  return app.relay {
    method = req.method,
    url = upstream.url .. "/" .. path,
    headers = headers,
    body = req.body ~= "" and req.body or nil,
    timeout_ms = TIMEOUT_MS,
    done = "routes/model#done",
    data = { project_id = project._id },
  }
end

-- The answer has gone through: {data, status, length, tail}.
function M.done(call)
  local data, seen = call.data, usage.read(call.tail or "")
  local day = tostring(date(sys.now())):sub(1, 10)
  local id = data.project_id .. ":" .. day
  local count = {
    ["$inc"] = {
      requests = 1,
      failures = (call.status or 0) >= 400 and 1 or 0,
      input_tokens = seen.input_tokens,
      output_tokens = seen.output_tokens,
    },
    ["$setOnInsert"] = { project_id = data.project_id, day = day, at = date(day .. "T00:00:00Z") },
  }
  assert(db.usage:update({ _id = id }, count, { upsert = true }))
  projects.touch(data.project_id, "agent")
  return json.object {}
end

local route = app.route {
  doc = "The model gateway (on its own socket only).",
  raw = true,
  handler = handle,
  answers = { [200] = "text", [401] = "Error", [404] = "Error" },
}
M["GET /model/:provider/*path"] = route
M["POST /model/:provider/*path"] = route

return M
