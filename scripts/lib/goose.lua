-- Client of the Goose API in a project's sandbox (contract v1).
--
-- Where it is: the provider's endpoint for port 3001, dialled through the sandbox's network namespace where there is
-- one. The bearer token is derived from the sandbox's name and stored nowhere. Every call has a deadline and a bound on
-- what is read; a refusal comes back as nil, message, code, details with the server's own sentence. It stores nothing.
-- SPDX-License-Identifier: Apache-2.0
local http = require "gander.http"
local json = require "gander.json"
local sys = require "gander.sys"
local providers = require "lib.providers"

local M = {}

local PORT = 3001
local CALL_MS = 10000
local RESTORE_MS = 60000 -- the agent reads a whole history in
local ANSWER_MAX = 16 * 1024 * 1024 -- a session with its messages
local CODES = {
  [400] = "invalid",
  [401] = "denied",
  [403] = "denied",
  [404] = "not_found",
  [409] = "conflict",
  [410] = "not_found",
  [413] = "invalid",
  [429] = "busy",
  [503] = "busy",
  [504] = "timeout",
}

-- Tokens begin with a character that text seldom has: the end of what an agent says is held back while it may be the
-- beginning of a secret (lib/sessions/held), and a token that begins like a word would hold back many.
local MARK = "~"

function M.token(sandbox_id)
  return MARK .. sys.hmac("goose-api:" .. sandbox_id)
end

-- What stands in a sandbox for the model's key. It names its sandbox, so that the gateway need not search for it.
function M.model_token(sandbox_id)
  return MARK .. sandbox_id .. "." .. sys.hmac("model:" .. sandbox_id)
end

-- The sandbox's name in a model token, or nil when the token is not one of ours.
function M.sandbox_of_token(token)
  local sandbox_id = token:match("^" .. MARK .. "(.+)%.%x+$")
  if sandbox_id and #token <= 400 and sys.hmac(token) == sys.hmac(M.model_token(sandbox_id)) then return sandbox_id end
  return nil
end

local function reach(project)
  local provider, message, code = providers.get(project.sandbox.provider)
  if not provider then return nil, message, code end
  local ctx
  ctx, message, code = providers.context(project, provider, CALL_MS)
  if not ctx then return nil, message, code end
  return provider.endpoint(ctx, PORT)
end

-- A request to the project's Goose API, without body and limits: {url, headers, netns?}.
function M.request(project, path)
  if not project.sandbox then return nil, "the project has no sandbox", "conflict" end
  local endpoint, message, code = reach(project)
  if not endpoint then return nil, message, code end
  local headers = {}
  for name, value in pairs(endpoint.headers or {}) do
    headers[name] = value
  end
  headers.authorization = "Bearer " .. M.token(project.sandbox.id)
  return { url = endpoint.url .. path, headers = headers, netns = endpoint.netns }
end

local function refusal(status, text)
  local body = json.decode(text)
  local fault = type(body) == "table" and type(body.error) == "table" and body.error or {}
  local sentence = type(fault.message) == "string" and fault.message or ("the Goose API answered " .. status)
  return nil, sentence:sub(1, 500), CODES[status] or "unavailable", fault
end

-- -> answer, status | nil, message, code, details
local function call(project, method, path, body, timeout_ms)
  local request, message, code = M.request(project, path)
  if not request then return nil, message, code end
  request.method = method
  request.timeout_ms = timeout_ms or CALL_MS
  request.connect_ms = 5000
  request.max_body = ANSWER_MAX
  if body then
    request.headers["content-type"] = "application/json"
    request.body = assert(json.encode(json.object(body)))
  end
  local response, fault, kind = http.request(request)
  if not response then return nil, "the Goose API does not answer: " .. tostring(fault), kind end
  if response.status >= 300 then return refusal(response.status, response.body) end
  if response.body == "" then return json.object {}, response.status end
  local answer = json.decode(response.body)
  if type(answer) ~= "table" then return nil, "the Goose API answered no JSON", "unavailable" end
  return answer, response.status
end

function M.health(project, timeout_ms)
  return call(project, "GET", "/health", nil, timeout_ms or 5000)
end

-- Make sure the session is there: {id, title?, mode?, history?, first_seq?}. status 201: it was made, 200: it was there.
function M.ensure_session(project, session)
  return call(project, "POST", "/sessions", session, session.history and RESTORE_MS)
end

function M.session(project, id)
  return call(project, "GET", "/sessions/" .. id)
end

function M.patch(project, id, change)
  return call(project, "PATCH", "/sessions/" .. id, change)
end

function M.delete(project, id)
  return call(project, "DELETE", "/sessions/" .. id)
end

function M.cancel(project, id)
  return call(project, "POST", "/sessions/" .. id .. "/cancel", {})
end

function M.permission(project, id, permission_id, decision)
  return call(project, "POST", "/sessions/" .. id .. "/permissions/" .. permission_id, { decision = decision })
end

-- Hand a message over. The answer is the stream of its run, which nobody needs here: the session's own stream is
-- followed. So the head of the answer is all that is waited for.
function M.post_message(project, message)
  local request, fault, code = M.request(project, "/messages")
  if not request then return nil, fault, code end
  request.method = "POST"
  request.headers["content-type"] = "application/json"
  request.headers.accept = "text/event-stream"
  request.body = assert(json.encode(message))
  request.timeout_ms = CALL_MS
  request.connect_ms = 5000
  request.head_only = true
  local response, text, kind = http.request(request)
  if not response then return nil, "the Goose API does not answer: " .. tostring(text), kind end
  if response.status >= 300 then return refusal(response.status, response.body or "") end
  return true
end

return M
